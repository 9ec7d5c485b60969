from __future__ import annotations

from smallhold.state.knowledge import Chunk


def test_what_is_searched_begins_with_the_headings() -> None:
    assert Chunk(text="t", headings=("A", "B")).searched_text == "A > B\nt"
    assert Chunk(text="t").searched_text == "t"


def test_a_digest_is_that_of_text_and_headings_alone() -> None:
    chunk = Chunk(text="t", headings=("A",), page=1)
    assert chunk.digest == Chunk(text="t", headings=("A",), page=2).digest
    assert chunk.digest != Chunk(text="t", headings=("B",)).digest
    assert len(chunk.digest) == 16
