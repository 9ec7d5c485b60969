"""What a file is: this file holds the formats that can be read, with how each is told."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import PurePath
from types import MappingProxyType
from typing import Final

from smallhold.exceptions import DocumentError


class DocumentFormat(StrEnum):
    """A format that documents are read from."""

    TEXT = "text"
    MARKDOWN = "markdown"
    HTML = "html"
    PDF = "pdf"
    DOCX = "docx"
    CSV = "csv"


SUFFIXES: Final[Mapping[str, DocumentFormat]] = MappingProxyType({
    ".txt": DocumentFormat.TEXT,
    ".text": DocumentFormat.TEXT,
    ".rst": DocumentFormat.TEXT,
    ".log": DocumentFormat.TEXT,
    ".md": DocumentFormat.MARKDOWN,
    ".markdown": DocumentFormat.MARKDOWN,
    ".html": DocumentFormat.HTML,
    ".htm": DocumentFormat.HTML,
    ".xhtml": DocumentFormat.HTML,
    ".pdf": DocumentFormat.PDF,
    ".docx": DocumentFormat.DOCX,
    ".csv": DocumentFormat.CSV,
    ".tsv": DocumentFormat.CSV,
})
"""Formats by the ends of files' names."""
CONTENT_TYPES: Final[Mapping[str, DocumentFormat]] = MappingProxyType({
    "text/plain": DocumentFormat.TEXT,
    "text/markdown": DocumentFormat.MARKDOWN,
    "text/html": DocumentFormat.HTML,
    "application/xhtml+xml": DocumentFormat.HTML,
    "application/pdf": DocumentFormat.PDF,
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": DocumentFormat.DOCX,
    "text/csv": DocumentFormat.CSV,
})
"""Formats by what web servers call them."""


def format_of(name: str) -> DocumentFormat | None:
    """Tell a file's format by its name; `None` where it is none that can be read."""
    return SUFFIXES.get(PurePath(name).suffix.lower())


def required_format(name: str) -> DocumentFormat:
    """Tell a file's format by its name.

    Raises:
        DocumentError: It is none that can be read.
    """
    found = format_of(name)
    if found is None:
        raise DocumentError(
            source=name,
            problem=f"files that end in {PurePath(name).suffix or '(nothing)'} are not read",
            remedy=f"Convert it to one of {' '.join(SUFFIXES)}.",
        )
    return found
