from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from smallhold.state.knowledge.parsers.page_text import (
    PageParagraph,
    paragraphs_of,
    rejoined,
    running_lines,
)

NOTHING: frozenset[str] = frozenset()


def test_lines_become_paragraphs_at_gaps_points_and_short_last_lines() -> None:
    lines = [
        "A first paragraph that goes on over the whole width of",
        "the page and ends here.",
        "A second one that is as wide as the first paragraph is",
        "- a point",
        "",
        "After a gap",
    ]
    assert [paragraph.text for paragraph in paragraphs_of(lines, dropped=NOTHING)] == [
        "A first paragraph that goes on over the whole width of the page and ends here.",
        "A second one that is as wide as the first paragraph is",
        "- a point",
        "After a gap",
    ]


def test_words_that_were_parted_at_a_line_end_are_whole_again() -> None:
    assert rejoined(["a docu-", "ment of the pre-", "War age"]) == "a document of the pre- War age"


def test_running_heads_and_page_numbers_are_found_and_dropped() -> None:
    pages = [["The Manual", f"Text {word}", f"Page {n}"] for n, word in enumerate("abcd", 1)]
    dropped = running_lines(pages)
    assert dropped == {"the manual", "page 0"}
    assert paragraphs_of(pages[0], dropped=dropped) == [PageParagraph(text="Text a")]


def test_a_short_document_has_no_running_heads() -> None:
    assert not running_lines([["Same", "x"]] * 3)


def test_titles_of_the_outline_are_told_from_text() -> None:
    found = paragraphs_of(["before", "2.1 Setup", "after"], dropped=NOTHING, headings=["2.1 Setup"])
    assert [(one.text, one.heading) for one in found] == [
        ("before", None),
        ("2.1 Setup", "2.1 Setup"),
        ("after", None),
    ]


@given(st.lists(st.text("ab .-\n\t1", max_size=20)))
def test_no_word_is_lost(lines: list[str]) -> None:
    words = "".join("".join(lines).split()).replace("-", "")
    found = paragraphs_of(lines, dropped=NOTHING)
    assert "".join("".join(one.text for one in found).split()).replace("-", "") == words
