"""One door to all parsers: this file holds the choice by format."""

# ruff: noqa: PLC0415 - each format's libraries are loaded with its first document

from __future__ import annotations

from typing import assert_never

from smallhold.state.knowledge.document import Document
from smallhold.state.knowledge.formats import DocumentFormat
from smallhold.state.knowledge.parsers.limits import ParsingLimits


def parse(
    data: bytes, *, file_format: DocumentFormat, source: str, limits: ParsingLimits
) -> Document:
    """Read a document in this process; foreign ones are better read by a `ParsingProcess`.

    Args:
        data: The file.
        file_format: What it is.
        source: Its path or address, for errors.
        limits: Of these, those on sizes.

    Raises:
        DocumentError: It cannot be read, or has no text.
        DocumentTooLargeError: It exceeds a limit.
        ModuleNotFoundError: The format's library is not installed.
    """
    text_max_chars = limits.text_max_chars
    match file_format:
        case DocumentFormat.TEXT:
            from smallhold.state.knowledge.parsers.plain_text import parse_text

            return parse_text(data, source=source, text_max_chars=text_max_chars)
        case DocumentFormat.MARKDOWN:
            from smallhold.state.knowledge.parsers.markdown import parse_markdown

            return parse_markdown(data, source=source, text_max_chars=text_max_chars)
        case DocumentFormat.HTML:
            from smallhold.state.knowledge.parsers.html import parse_html

            return parse_html(data, source=source, text_max_chars=text_max_chars)
        case DocumentFormat.PDF:
            from smallhold.state.knowledge.parsers.pdf import parse_pdf

            return parse_pdf(data, source=source, text_max_chars=text_max_chars)
        case DocumentFormat.DOCX:
            from smallhold.state.knowledge.parsers.docx import parse_docx

            return parse_docx(
                data,
                source=source,
                text_max_chars=text_max_chars,
                unpacked_max_bytes=limits.unpacked_max_bytes,
            )
        case DocumentFormat.CSV:
            from smallhold.state.knowledge.parsers.csv_rows import parse_csv

            return parse_csv(data, source=source, text_max_chars=text_max_chars)
        case _:
            assert_never(file_format)
