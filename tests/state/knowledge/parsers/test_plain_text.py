from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.exceptions import DocumentError
from smallhold.state.knowledge import Block, BlockKind
from smallhold.state.knowledge.parsers.plain_text import items, parse_text


def blocks(text: str) -> tuple[Block, ...]:
    return parse_text(text.encode(), source="a.txt", text_max_chars=100_000).blocks


def test_paragraphs_are_parted_by_empty_lines() -> None:
    assert [block.text for block in blocks("one\nstill one\n\ntwo\n")] == ["one still one", "two"]


def test_an_underlined_line_is_a_heading() -> None:
    first, second = blocks("Top\n===\n\ntext\n\nSub\n---\nmore")
    assert (first.headings, first.text) == (("Top",), "text")
    assert (second.headings, second.text) == (("Top", "Sub"), "more")


def test_a_line_of_dashes_of_another_length_is_no_underline() -> None:
    (block,) = blocks("A long first line\n---\nmore")
    assert block.headings == ()


def test_points_of_a_list_stand_alone() -> None:
    found = blocks("Buy:\n- milk\n  and cream\n- tea\n1. go")
    assert [block.text for block in found] == ["Buy:", "- milk and cream", "- tea", "1. go"]
    assert [block.kind for block in found[1:]] == [BlockKind.LIST_ITEM] * 3


def test_form_feeds_are_page_breaks() -> None:
    assert [block.page for block in blocks("one\f\ftwo")] == [1, 3]
    assert [block.page for block in blocks("no pages")] == [None]


@pytest.mark.parametrize("data", [b"", b" \n\n\t", b"\xef\xbb\xbf"])
def test_an_empty_file_is_refused(data: bytes) -> None:
    with pytest.raises(DocumentError, match="no text"):
        parse_text(data, source="a.txt", text_max_chars=100)


@given(st.lists(st.text(st.characters(exclude_characters="\n"), max_size=12)))
def test_no_line_is_lost_between_items(lines: list[str]) -> None:
    assert [line for group in items(lines) for line in group] == lines
