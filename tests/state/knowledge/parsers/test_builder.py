from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.exceptions import DocumentError, DocumentTooLargeError
from smallhold.state.knowledge import BlockKind
from smallhold.state.knowledge.parsers.builder import DocumentBuilder, one_line


def builder(*, text_max_chars: int = 1_000) -> DocumentBuilder:
    return DocumentBuilder(source="a.txt", text_max_chars=text_max_chars)


def test_a_heading_ends_the_sections_of_its_own_and_lower_levels() -> None:
    built = builder()
    built.heading("A", level=1)
    built.heading("B", level=2)
    built.block("in b")
    built.heading("C", level=2)
    built.block("in c")
    built.heading("D", level=1)
    built.block("in d")
    headings = [block.headings for block in built.finished().blocks]
    assert headings == [("A", "B"), ("A", "C"), ("D",)]


def test_the_first_top_heading_is_the_title_unless_there_is_one() -> None:
    built = builder()
    built.heading("Manual", level=1)
    built.block("text")
    assert built.finished().title == "Manual"


def test_a_document_without_text_is_refused() -> None:
    built = builder()
    built.heading("Only a heading", level=1)
    built.block(" \u00ad\n")
    with pytest.raises(DocumentError, match="no text"):
        built.finished()


def test_a_document_with_too_much_text_is_refused_by_the_name_of_the_limit() -> None:
    built = builder(text_max_chars=10)
    built.block("12345")
    with pytest.raises(DocumentTooLargeError, match="text_max_chars"):
        built.block("678901")


def test_code_keeps_its_lines_and_other_text_does_not() -> None:
    built = builder()
    built.block("if x:\n    y", kind=BlockKind.CODE)
    built.block("two\n  lines")
    assert [block.text for block in built.finished().blocks] == ["if x:\n    y", "two lines"]


def test_a_row_names_the_columns_and_leaves_out_empty_cells() -> None:
    built = builder()
    built.row(["name", "price"], ["tea", "3", "extra"])
    built.row(["name", "price"], ["milk", " "])
    texts = [block.text for block in built.finished().blocks]
    assert texts == ["name: tea; price: 3; extra", "name: milk"]


def test_a_heading_that_is_a_paragraph_is_taken_for_one() -> None:
    built = builder()
    built.heading("word " * 100, level=1)
    (block,) = built.finished().blocks
    assert block.headings == ()


@given(st.text())
def test_one_line_has_nothing_that_cannot_be_seen(text: str) -> None:
    line = one_line(text)
    assert line == line.strip()
    assert not set(line) & set("\n\r\t\0\ufeff")
