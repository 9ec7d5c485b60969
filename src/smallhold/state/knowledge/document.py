"""What a parser makes of a file: this file holds a document as blocks of text."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class BlockKind(StrEnum):
    """What a block is, which decides where it may be cut."""

    PARAGRAPH = "paragraph"
    """Cut at the ends of sentences."""
    LIST_ITEM = "list_item"
    TABLE_ROW = "table_row"
    """Cells with the names of their columns; cut between cells."""
    CODE = "code"
    """Cut at the ends of lines, which are kept as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A piece of text that belongs together."""

    text: str
    """Not empty, without space around it."""
    kind: BlockKind = BlockKind.PARAGRAPH
    headings: tuple[str, ...] = ()
    """The headings that it stands under, the outermost first."""
    page: int | None = None
    """From 1; `None` where the format has no pages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """The text of a file, in reading order."""

    title: str
    """What the document calls itself; empty where it does not."""
    blocks: tuple[Block, ...]
