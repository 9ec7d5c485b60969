from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.state.knowledge.small_files import bomb_docx_bytes, docx_bytes

from smallhold.exceptions import DocumentError, DocumentTooLargeError
from smallhold.state.knowledge import BlockKind, Document
from smallhold.state.knowledge.parsers.docx import parse_docx

SOUND = docx_bytes([("Normal", "Some text.")])


def parsed(data: bytes, *, unpacked_max_bytes: int = 10_000_000) -> Document:
    return parse_docx(
        data, source="a.docx", text_max_chars=100_000, unpacked_max_bytes=unpacked_max_bytes
    )


def test_headings_lists_and_paragraphs_are_told_by_their_styles() -> None:
    found = parsed(
        docx_bytes(
            [
                ("Heading 1", "Shop"),
                ("Heading 2", "Hours"),
                ("Normal", "From nine."),
                ("List Bullet", "closed on Sundays"),
            ],
            title="The shop",
        )
    )
    assert found.title == "The shop"
    assert [block.headings for block in found.blocks] == [("Shop", "Hours")] * 2
    assert [block.text for block in found.blocks] == ["From nine.", "- closed on Sundays"]
    assert found.blocks[1].kind is BlockKind.LIST_ITEM


def test_rows_of_tables_name_their_columns() -> None:
    data = docx_bytes([("Normal", "Prices:")], table=[["name", "price"], ["tea", "3"]])
    assert parsed(data).blocks[1].text == "name: tea; price: 3"


def test_the_title_may_stand_in_the_text() -> None:
    assert parsed(docx_bytes([("Title", "Shop"), ("Normal", "Text")])).title == "Shop"


def test_a_file_that_unpacks_to_too_much_is_refused_before_it_is_unpacked() -> None:
    with pytest.raises(DocumentTooLargeError, match=r"50,\d{3},\d{3} bytes.*unpacked_max_bytes"):
        parsed(bomb_docx_bytes(50_000_000))


def test_a_file_whose_text_is_no_xml_is_refused() -> None:
    with pytest.raises(DocumentError, match="no sound DOCX"):
        parsed(bomb_docx_bytes(1_000))


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"not a zip", b"PK\x05\x06" + bytes(18)])
def test_a_file_that_is_no_docx_is_refused(data: bytes) -> None:
    with pytest.raises(DocumentError, match="no sound DOCX"):
        parsed(data)


@given(st.integers(0, 30_000), st.binary(min_size=1, max_size=40))
def test_a_damaged_file_is_read_or_refused(place: int, noise: bytes) -> None:
    place %= len(SOUND)
    with suppress(DocumentError):
        parsed(SOUND[:place] + noise + SOUND[place + len(noise) :])
