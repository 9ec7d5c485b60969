"""From a document to what is searched: this file holds the cutting along its structure.

A chunk never reaches across a heading: it is cited by it, and the heading is searched with it, so
that even a section of one line says what it is about. Blocks stay whole unless one is longer than a
chunk may be; only such a block is cut, at the ends of its sentences, and only there neighbouring
chunks overlap.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from smallhold.exceptions import ConfigError
from smallhold.state.knowledge.chunk import Chunk
from smallhold.state.knowledge.cutting import Span, pieces_of
from smallhold.state.knowledge.document import Block, BlockKind, Document
from smallhold.state.knowledge.token_count import TokenCount, wordpiece_count

WINDOW_TOKENS: Final = 254
"""What MiniLM reads at once, 256 tokens, less the two marks around. Source:
`smallhold.runtimes.sentences.WINDOW_TOKENS`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkSizes:
    """How long chunks are, in tokens of the sentence model.

    Raises:
        ConfigError: The sizes contradict each other.
    """

    limit_tokens: int = WINDOW_TOKENS
    """The most that a chunk with its headings may have."""
    target_tokens: int = 180
    """A chunk takes another whole block only up to here."""
    least_tokens: int = 48
    """A shorter chunk takes the next block also beyond the target, if it fits."""
    overlap_tokens: int = 32
    """The most that is repeated where a block had to be cut."""
    heading_tokens: int = 48
    """The most that headings may take of a chunk; the innermost stay."""

    def __post_init__(self) -> None:
        """Check that a chunk has room for text beside headings and overlap."""
        room_tokens = self.limit_tokens - self.heading_tokens - self.overlap_tokens
        room_for_text = self.limit_tokens - self.heading_tokens
        for name, is_usable, remedy in (
            ("limit_tokens", room_tokens >= self.overlap_tokens + 1, "raise it, or lower the rest"),
            ("target_tokens", 1 <= self.target_tokens <= room_for_text, "lower it below the limit"),
            (
                "least_tokens",
                0 <= self.least_tokens <= self.target_tokens,
                "lower it below the target",
            ),
            ("overlap_tokens", self.overlap_tokens >= 0, "give 0 or more"),
            ("heading_tokens", self.heading_tokens >= 0, "give 0 or more"),
        ):
            if not is_usable:
                raise ConfigError(field=name, value=getattr(self, name), remedy=remedy)


DEFAULT_SIZES: Final = ChunkSizes()
"""Source: docs/knowledge.md, "How documents are cut"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A part of a block, most often all of it."""

    block: int
    """Number of the block in its document."""
    span: Span
    tokens: int


def chunks_of(
    document: Document,
    *,
    sizes: ChunkSizes = DEFAULT_SIZES,
    count_tokens: TokenCount = wordpiece_count,
) -> tuple[Chunk, ...]:
    """Cut a document into chunks, in its own order."""
    groups = packed(document, sizes=sizes, count_tokens=count_tokens)
    return tuple(
        _chunk(document, group, sizes=sizes, count_tokens=count_tokens) for group in groups
    )


def packed(document: Document, *, sizes: ChunkSizes, count_tokens: TokenCount) -> list[list[Piece]]:
    """Say which pieces of which blocks make each chunk.

    Every block's text is covered in order: a piece begins where the one before it ended, or up to
    `overlap_tokens` earlier where they are of one block.
    """
    groups: list[list[Piece]] = []
    for piece in _pieces(document.blocks, sizes=sizes, count_tokens=count_tokens):
        if groups and _fits(document.blocks, groups[-1], piece, sizes=sizes):
            groups[-1].append(piece)
        else:
            groups.append([piece])
    return groups


def _pieces(
    blocks: Sequence[Block], *, sizes: ChunkSizes, count_tokens: TokenCount
) -> Iterator[Piece]:
    room_tokens = sizes.limit_tokens - sizes.heading_tokens
    for number, block in enumerate(blocks):
        tokens = count_tokens(block.text)
        if tokens <= room_tokens:
            yield Piece(block=number, span=Span(0, len(block.text)), tokens=tokens)
            continue
        for span in pieces_of(
            block,
            limit_tokens=room_tokens,
            overlap_tokens=sizes.overlap_tokens,
            count_tokens=count_tokens,
        ):
            cut = block.text[span.start : span.end]
            yield Piece(block=number, span=span, tokens=count_tokens(cut))


def _fits(
    blocks: Sequence[Block], group: Sequence[Piece], piece: Piece, *, sizes: ChunkSizes
) -> bool:
    last = group[-1].block
    # Pieces of one block may overlap, so they may not stand in one chunk.
    if last == piece.block or blocks[last].headings != blocks[piece.block].headings:
        return False
    tokens = sum(part.tokens for part in group)
    if tokens < sizes.least_tokens:
        return tokens + piece.tokens <= sizes.limit_tokens - sizes.heading_tokens
    return tokens + piece.tokens <= sizes.target_tokens


def _chunk(
    document: Document, group: Sequence[Piece], *, sizes: ChunkSizes, count_tokens: TokenCount
) -> Chunk:
    blocks = [document.blocks[piece.block] for piece in group]
    headings = blocks[0].headings
    pages = [block.page for block in blocks if block.page is not None]
    if document.title not in {"", *headings[:1]}:
        headings = (document.title, *headings)
    return Chunk(
        text=_text(group, blocks),
        headings=_within(headings, limit_tokens=sizes.heading_tokens, count_tokens=count_tokens),
        page=min(pages, default=None),
        last_page=max(pages, default=None),
    )


def _text(group: Sequence[Piece], blocks: Sequence[Block]) -> str:
    lines: list[str] = []
    last: Block | None = None
    for piece, block in zip(group, blocks, strict=True):
        if last is not None and BlockKind.PARAGRAPH in {block.kind, last.kind}:
            lines.append("")
        lines.append(block.text[piece.span.start : piece.span.end])
        last = block
    return "\n".join(lines)


def _within(
    headings: Sequence[str], *, limit_tokens: int, count_tokens: TokenCount
) -> tuple[str, ...]:
    """Keep the innermost headings that fit; a single one that does not is cut."""
    kept: list[str] = []
    left = limit_tokens
    for heading in reversed(headings):
        cost = count_tokens(heading) + 1
        if cost > left:
            break
        kept.insert(0, heading)
        left -= cost
    if kept or not headings:
        return tuple(kept)
    words: list[str] = []
    for word in headings[-1].split():
        left -= count_tokens(word)
        if left < 1:
            break
        words.append(word)
    return (" ".join(words),) if words else ()
