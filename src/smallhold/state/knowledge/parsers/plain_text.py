"""Plain text: this file holds its parser, for underlined headings, lists and page breaks too."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from smallhold.state.knowledge.document import BlockKind, Document
from smallhold.state.knowledge.parsers.builder import DocumentBuilder
from smallhold.state.knowledge.parsers.decoding import decoded

_PAGE_BREAK: Final = "\f"
_UNDERLINE: Final = re.compile(r"([=\-~^*#])\1{2,}\s*")
_LEVELS: Final = {"=": 1, "#": 1, "*": 1, "-": 2, "~": 3, "^": 4}
_ITEM: Final = re.compile(r"\s*(?:[-*+\u2022\u2013]|\d{1,3}[.)]|\([a-z0-9]\))\s+\S")
_SLACK_CHARS: Final = 2
"""An underline may be so much longer or shorter than its heading."""
_HEADING_LINES: Final = 2


def parse_text(data: bytes, *, source: str, text_max_chars: int) -> Document:
    """Read text in any common encoding.

    Raises:
        DocumentError: It is no text, or empty.
    """
    builder = DocumentBuilder(source=source, text_max_chars=text_max_chars)
    pages = decoded(data, source=source).split(_PAGE_BREAK)
    for number, page in enumerate(pages, 1):
        for lines in paragraphs(page.split("\n")):
            _add(lines, builder, page=number if len(pages) > 1 else None)
    return builder.finished()


def paragraphs(lines: Sequence[str]) -> Iterator[list[str]]:
    """Part lines at empty ones."""
    group: list[str] = []
    for line in lines:
        if line.strip():
            group.append(line)
        elif group:
            yield group
            group = []
    if group:
        yield group


def items(lines: Sequence[str]) -> list[list[str]]:
    """Part the lines of a paragraph where points of a list begin."""
    groups: list[list[str]] = []
    for line in lines:
        if not groups or _ITEM.match(line):
            groups.append([])
        groups[-1].append(line)
    return groups


def is_item(line: str) -> bool:
    """Tell whether a point of a list begins with a line."""
    return _ITEM.match(line) is not None


def _add(lines: Sequence[str], builder: DocumentBuilder, *, page: int | None) -> None:
    level = _heading_level(lines)
    rest = lines
    if level is not None:
        builder.heading(lines[0], level=level)
        rest = lines[_HEADING_LINES:]
    for group in items(rest):
        kind = BlockKind.LIST_ITEM if is_item(group[0]) else BlockKind.PARAGRAPH
        builder.block("\n".join(group), kind=kind, page=page)


def _heading_level(lines: Sequence[str]) -> int | None:
    """Say of what level an underlined first line is; `None` for text."""
    if len(lines) < _HEADING_LINES or not _UNDERLINE.fullmatch(lines[1].strip()):
        return None
    heading, underline = lines[0].strip(), lines[1].strip()
    if abs(len(heading) - len(underline)) > _SLACK_CHARS:
        return None
    return _LEVELS[underline[0]]
