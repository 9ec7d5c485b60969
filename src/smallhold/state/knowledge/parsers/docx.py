"""Word documents: this file holds the parser of DOCX, through python-docx."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import Final

import docx
from docx.document import Document as DocxDocument
from docx.opc.exceptions import PackageNotFoundError
from docx.table import Table
from docx.text.paragraph import Paragraph

from smallhold.exceptions import DocumentError, DocumentTooLargeError
from smallhold.state.knowledge.document import BlockKind, Document
from smallhold.state.knowledge.parsers.builder import DocumentBuilder

_HEADING: Final = re.compile(r"heading (\d)", re.IGNORECASE)
"""Name of the built-in styles, in every language of Word. Source: ECMA-376, part 1, 17.7.4.9."""
_TITLE: Final = "title"
_LIST: Final = re.compile(r"list\b", re.IGNORECASE)
_FAULTS: Final = (
    PackageNotFoundError,
    zipfile.BadZipFile,
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    RecursionError,
    SyntaxError,
    TypeError,
    ValueError,
    zlib.error,
)
"""What python-docx and the libraries below it raise over files that are not sound."""


def parse_docx(
    data: bytes, *, source: str, text_max_chars: int, unpacked_max_bytes: int
) -> Document:
    """Read a Word document, without its headers, footers and notes; it has no fixed pages.

    Raises:
        DocumentError: It is no sound DOCX file, or empty.
        DocumentTooLargeError: It unpacks to too much.
    """
    builder = DocumentBuilder(source=source, text_max_chars=text_max_chars)
    try:
        _check_size(data, source=source, unpacked_max_bytes=unpacked_max_bytes)
        document = docx.Document(io.BytesIO(data))
        builder.title = document.core_properties.title or ""
        _read(document, builder)
    except _FAULTS as error:
        raise DocumentError(
            source=source,
            problem=f"it is no sound DOCX file ({type(error).__name__})",
            remedy="Open it in a word processor and save it again as DOCX.",
        ) from error
    return builder.finished()


def _check_size(data: bytes, *, source: str, unpacked_max_bytes: int) -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        unpacked_bytes = sum(member.file_size for member in archive.infolist())
    if unpacked_bytes > unpacked_max_bytes:
        raise DocumentTooLargeError(
            source=source,
            field="unpacked_max_bytes",
            actual=f"it unpacks to {unpacked_bytes:,} bytes",
            limit=f"{unpacked_max_bytes:,} bytes",
        )


def _read(document: DocxDocument, builder: DocumentBuilder) -> None:
    for part in document.iter_inner_content():
        if isinstance(part, Table):
            _add_table(part, builder)
        else:
            _add_paragraph(part, builder)


def _add_paragraph(paragraph: Paragraph, builder: DocumentBuilder) -> None:
    style = paragraph.style.name if paragraph.style is not None else None
    name = style or ""
    heading = _HEADING.fullmatch(name)
    if heading is not None:
        builder.heading(paragraph.text, level=int(heading.group(1)))
    elif name.lower() == _TITLE and not builder.title:
        builder.title = paragraph.text
    elif _LIST.match(name):
        builder.block(
            f"- {paragraph.text}" if paragraph.text.strip() else "", kind=BlockKind.LIST_ITEM
        )
    else:
        builder.block(paragraph.text)


def _add_table(table: Table, builder: DocumentBuilder) -> None:
    rows = list(_rows(table))
    names = rows[0] if len(rows) > 1 else []
    for row in rows[1:] if names else rows:
        builder.row(names, row)


def _rows(table: Table) -> Iterator[list[str]]:
    for row in table.rows:
        # A cell that reaches across columns comes once for each of them.
        cells: list[str] = []
        left = 0
        for cell in row.cells:
            if left == 0:
                cells.append(cell.text)
                left = cell.grid_span
            left -= 1
        yield cells
