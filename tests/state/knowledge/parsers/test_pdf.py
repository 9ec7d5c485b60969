from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.state.knowledge.small_files import pdf_bytes

from smallhold.exceptions import DocumentError, DocumentTooLargeError
from smallhold.state.knowledge import Document
from smallhold.state.knowledge.parsers.pdf import parse_pdf

PAGES = (["Setup", "Plug it in.", "", "Network", "Use port 8080."], ["Cleaning", "Wipe it."])

SOUND = pdf_bytes([["Some text."]], bookmarks=[("Some", 1, 1)])


def parsed(data: bytes, *, text_max_chars: int = 100_000) -> Document:
    return parse_pdf(data, source="a.pdf", text_max_chars=text_max_chars)


def test_text_is_read_page_by_page() -> None:
    found = parsed(pdf_bytes([["Hello there."], ["Second page."]], title="Greetings"))
    assert found.title == "Greetings"
    assert [(block.text, block.page) for block in found.blocks] == [
        ("Hello there.", 1),
        ("Second page.", 2),
    ]


def test_the_outline_gives_the_headings() -> None:
    data = pdf_bytes(PAGES, bookmarks=[("Setup", 1, 1), ("Network", 2, 1), ("Cleaning", 1, 2)])
    assert [(block.headings, block.text, block.page) for block in parsed(data).blocks] == [
        (("Setup",), "Plug it in.", 1),
        (("Setup", "Network"), "Use port 8080.", 1),
        (("Cleaning",), "Wipe it.", 2),
    ]


def test_a_bookmark_that_is_not_on_its_page_counts_from_its_beginning() -> None:
    data = pdf_bytes([["Some text."]], bookmarks=[("Elsewhere", 1, 1)])
    assert parsed(data).blocks[0].headings == ("Elsewhere",)


def test_a_file_that_is_no_pdf_is_refused_whatever_its_name() -> None:
    with pytest.raises(DocumentError, match="no PDF file"):
        parsed(b"<html>")


def test_a_file_that_only_begins_like_a_pdf_is_refused() -> None:
    with pytest.raises(DocumentError, match="no sound PDF"):
        parsed(b"%PDF-1.4\n" + b"(" * 1_000)


def test_a_locked_file_is_refused_and_says_so() -> None:
    with pytest.raises(DocumentError, match="locked with a password"):
        parsed(pdf_bytes([["Secret."]], password="pass"))  # noqa: S106 - a test's own


def test_a_file_that_is_locked_without_a_password_is_read() -> None:
    assert parsed(pdf_bytes([["Open."]], password="")).blocks[0].text == "Open."


def test_a_scan_without_text_is_refused_with_what_to_do() -> None:
    with pytest.raises(DocumentError, match="OCR"):
        parsed(pdf_bytes([[]]))


def test_too_much_text_is_refused_by_the_name_of_the_limit() -> None:
    with pytest.raises(DocumentTooLargeError, match="text_max_chars"):
        parsed(pdf_bytes([["word " * 20]]), text_max_chars=50)


@given(st.integers(0, 5_000), st.binary(min_size=1, max_size=30))
def test_a_damaged_file_is_read_or_refused(place: int, noise: bytes) -> None:
    place %= len(SOUND)
    with suppress(DocumentError):
        parsed(SOUND[:place] + noise + SOUND[place + len(noise) :])
