"""PDF files: this file holds their parser, through pypdf."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pypdf import PdfReader
from pypdf.errors import PyPdfError
from pypdf.generic import Destination

from smallhold.exceptions import DocumentError, DocumentTooLargeError
from smallhold.state.knowledge.document import Document
from smallhold.state.knowledge.parsers.builder import DocumentBuilder, one_line
from smallhold.state.knowledge.parsers.page_text import (
    PageParagraph,
    paragraphs_of,
    running_lines,
)

_FAULTS: Final = (
    PyPdfError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    RecursionError,
    TypeError,
    ValueError,
    zlib.error,
)
"""What pypdf raises over files that are not sound."""
_HEADER: Final = b"%PDF-"
_HEADER_WITHIN_BYTES: Final = 1024
"""Source: ISO 32000-1, annex H, note 13 to 7.5.2."""
_BOOKMARK_DEPTH_MAX: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Bookmark:
    """An entry of a PDF's outline."""

    title: str
    level: int
    page: int
    """From 1."""


def parse_pdf(data: bytes, *, source: str, text_max_chars: int) -> Document:
    """Read a PDF page by page; its outline, if it has one, gives the headings.

    Raises:
        DocumentError: It is no sound PDF, is locked with a password, or has no text.
    """
    if _HEADER not in data[:_HEADER_WITHIN_BYTES]:
        raise DocumentError(
            source=source,
            problem="it is no PDF file, whatever its name says",
            remedy="Give it the suffix of what it is.",
        )
    builder = DocumentBuilder(source=source, text_max_chars=text_max_chars)
    try:
        reader = PdfReader(io.BytesIO(data))
        _unlock(reader, source=source)
        title = reader.metadata.title if reader.metadata is not None else None
        builder.title = one_line(str(title or ""))
        _read(reader, builder, source=source, text_max_chars=text_max_chars)
    except _FAULTS as error:
        raise DocumentError(
            source=source,
            problem=f"it is no sound PDF ({type(error).__name__})",
            remedy="Print it anew into a PDF, or export it as text.",
        ) from error
    return builder.finished()


def _unlock(reader: PdfReader, *, source: str) -> None:
    # Many files are encrypted with the empty password, only to forbid printing.
    if reader.is_encrypted and not reader.decrypt(""):
        raise DocumentError(
            source=source,
            problem="it is locked with a password",
            remedy="Save it without one first.",
        )


def _read(reader: PdfReader, builder: DocumentBuilder, *, source: str, text_max_chars: int) -> None:
    pages: list[list[str]] = []
    chars = 0
    for page in reader.pages:
        text = page.extract_text()
        chars += len(text)
        if chars > text_max_chars:
            raise DocumentTooLargeError(
                source=source,
                field="text_max_chars",
                actual="it has more text than that",
                limit=f"{text_max_chars:,} characters",
            )
        pages.append(text.split("\n"))
    dropped = running_lines(pages)
    bookmarks = list(_bookmarks(reader))
    for number, lines in enumerate(pages, 1):
        here = [bookmark for bookmark in bookmarks if bookmark.page == number]
        add_page(
            paragraphs_of(lines, dropped=dropped, headings=[mark.title for mark in here]),
            here,
            builder=builder,
            page=number,
        )


def add_page(
    paragraphs: Sequence[PageParagraph],
    bookmarks: Sequence[Bookmark],
    *,
    builder: DocumentBuilder,
    page: int,
) -> None:
    """Add a page's paragraphs, each below the bookmark whose title stands before it.

    A bookmark whose title is not on the page counts from the page's beginning.
    """
    shown = {paragraph.heading for paragraph in paragraphs if paragraph.heading is not None}
    waiting = list(bookmarks)
    for bookmark in bookmarks:
        if bookmark.title not in shown:
            builder.heading(bookmark.title, level=bookmark.level)
            waiting.remove(bookmark)
    for paragraph in paragraphs:
        if paragraph.heading is None:
            builder.block(paragraph.text, kind=paragraph.kind, page=page)
            continue
        found = next((mark for mark in waiting if mark.title == paragraph.heading), None)
        if found is not None:
            builder.heading(found.title, level=found.level)
            waiting.remove(found)


def _bookmarks(reader: PdfReader) -> Iterator[Bookmark]:
    yield from _flat(reader, reader.outline, level=1)


def _flat(reader: PdfReader, entries: Any, *, level: int) -> Iterator[Bookmark]:
    """Walk through pypdf's outline: a list, where a list after an entry holds those below it."""
    for entry in entries:
        if isinstance(entry, Destination):
            number = reader.get_destination_page_number(entry)
            if number is not None and one_line(str(entry.title or "")):
                title = one_line(str(entry.title))
                yield Bookmark(title=title, level=level, page=number + 1)
        elif level < _BOOKMARK_DEPTH_MAX:
            yield from _flat(reader, entry, level=level + 1)
