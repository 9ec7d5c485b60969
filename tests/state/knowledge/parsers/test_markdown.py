from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.exceptions import DocumentError
from smallhold.state.knowledge import Block, BlockKind, Document
from smallhold.state.knowledge.parsers.markdown import parse_markdown


def parsed(text: str) -> Document:
    return parse_markdown(text.encode(), source="a.md", text_max_chars=100_000)


def texts(text: str) -> list[str]:
    return [block.text for block in parsed(text).blocks]


def test_headings_lead_to_their_text() -> None:
    (block,) = parsed("# Shop\n## *Opening* hours {#open}\nFrom `nine`.\n").blocks
    assert block == Block(text="From nine.", headings=("Shop", "Opening hours"))


def test_lists_keep_their_marks() -> None:
    assert texts("- one\n- two\n  - in it\n\n3. c\n4. d\n") == [
        "- one",
        "- two",
        "- in it",
        "3. c",
        "4. d",
    ]


def test_rows_of_tables_name_their_columns() -> None:
    (row,) = parsed("| Day | From |\n|---|---|\n| Mon | 9 |\n").blocks
    assert (row.text, row.kind) == ("Day: Mon; From: 9", BlockKind.TABLE_ROW)


def test_code_is_kept_line_by_line() -> None:
    (code,) = parsed("```py\nif x:\n    y\n```\n").blocks
    assert (code.text, code.kind) == ("if x:\n    y", BlockKind.CODE)


def test_front_matter_gives_the_title_and_nothing_else() -> None:
    found = parsed("---\ntitle: 'The shop'\ndraft: true\n---\nText.\n")
    assert found.title == "The shop"
    assert [block.text for block in found.blocks] == ["Text."]


def test_html_between_is_read_as_html() -> None:
    assert texts("<p>Raw <b>text</b></p>\n\n<!-- hidden -->\n\nmore") == ["Raw text", "more"]


def test_links_keep_their_words_and_lose_their_addresses() -> None:
    assert texts("See [the manual](http://x.test/y).") == ["See the manual."]


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(DocumentError, match="no text"):
        parsed("\n\n")


@given(st.text())
def test_any_text_is_parsed_or_refused(text: str) -> None:
    with suppress(DocumentError):
        assert parsed(text).blocks
