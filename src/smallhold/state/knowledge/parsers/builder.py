"""What all parsers share: this file holds how blocks and headings become a document."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, TypeAlias

from smallhold.exceptions import DocumentError, DocumentTooLargeError
from smallhold.state.knowledge.document import Block, BlockKind, Document

Path: TypeAlias = tuple[tuple[int, str], ...]

TOP_LEVEL: Final = 1
_UNSEEN: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u00ad\ud800-\udfff\ufeff]")
"""Control characters, soft hyphens, halves of characters and byte order marks."""
_GAP: Final = re.compile(r"\s+")
_HEADING_MAX_CHARS: Final = 300
"""A longer "heading" is a paragraph that somebody set in large type."""


class DocumentBuilder:
    """Takes a document's parts in reading order."""

    def __init__(self, *, source: str, text_max_chars: int) -> None:
        """Begin a document.

        Args:
            source: Its path or address, for errors.
            text_max_chars: The most text that it may have.
        """
        self._source = source
        self._text_max_chars = text_max_chars
        self._chars = 0
        self._path: list[tuple[int, str]] = []
        self._blocks_before_heading = 0
        self._blocks: list[Block] = []
        self.title = ""

    def heading(self, text: str, *, level: int) -> None:
        """Begin a section, which ends those of the same and lower levels.

        Args:
            text: The heading.
            level: 1 is the highest.
        """
        name = one_line(text)
        if len(name) > _HEADING_MAX_CHARS:
            self.block(text)
            return
        self._count(name)
        while self._path and self._path[-1][0] >= level:
            self._path.pop()
        if name:
            self._path.append((level, name))
            self._blocks_before_heading = len(self._blocks)
            if not self.title and level == TOP_LEVEL:
                self.title = name

    @property
    def path(self) -> Path:
        """The headings that the next block would stand under, with their levels."""
        return tuple(self._path)

    def leave(self, outside: Path) -> None:
        """End the sections that began in a box, if text in it has followed.

        A heading alone in a box of its own is that of what comes after the box. One with text, such
        as the "Note" above a remark, ends with its box. The top heading is that of all that comes.

        Args:
            outside: The path when the box began.
        """
        inside = self.path
        if inside == outside or len(self._blocks) == self._blocks_before_heading:
            return
        is_new_top = inside[0][0] == TOP_LEVEL and inside[:1] != outside[:1]
        self._path = [inside[0]] if is_new_top else [*outside]

    def block(
        self, text: str, *, kind: BlockKind = BlockKind.PARAGRAPH, page: int | None = None
    ) -> None:
        """Add text under the present headings; nothing where there is nothing to see.

        Raises:
            DocumentTooLargeError: The document has too much text.
        """
        keeps_lines = kind is BlockKind.CODE
        clean = _UNSEEN.sub("", text).strip("\n").rstrip() if keeps_lines else one_line(text)
        if not clean.strip():
            return
        self._count(clean)
        headings = tuple(name for _, name in self._path)
        self._blocks.append(Block(text=clean, kind=kind, headings=headings, page=page))

    def row(self, names: Sequence[str], cells: Sequence[str]) -> None:
        """Add a row of a table, each cell with the name of its column."""
        named = [
            f"{one_line(name)}: {one_line(cell)}" if name.strip() else one_line(cell)
            for name, cell in zip([*names, *[""] * len(cells)], cells, strict=False)
            if cell.strip()
        ]
        self.block("; ".join(named), kind=BlockKind.TABLE_ROW)

    def finished(self) -> Document:
        """Give the document.

        Raises:
            DocumentError: There is no text in it.
        """
        if not self._blocks:
            raise DocumentError(
                source=self._source,
                problem="there is no text in it",
                remedy="Leave it out; a scan needs text recognition (OCR) first.",
            )
        return Document(title=one_line(self.title), blocks=tuple(self._blocks))

    def _count(self, text: str) -> None:
        self._chars += len(text)
        if self._chars > self._text_max_chars:
            raise DocumentTooLargeError(
                source=self._source,
                field="text_max_chars",
                actual="it has more text than that",
                limit=f"{self._text_max_chars:,} characters",
            )


def one_line(text: str) -> str:
    """Write text on one line, without what cannot be seen."""
    return _GAP.sub(" ", _UNSEEN.sub("", text)).strip()
