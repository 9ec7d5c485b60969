"""Blocks that are too long for a chunk: this file holds where they are cut."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from smallhold.state.knowledge.document import Block, BlockKind
from smallhold.state.knowledge.token_count import TokenCount

_SENTENCE: Final = re.compile(
    r"(?:(?<=[.!?])|(?<=[.!?][\"')\]\u201d\u2019]))\s+(?=[^a-z\s])"
    r"|(?<=[\u3002\uff01\uff1f\uff1b])|\n{2,}"
)
"""After a mark that ends one, and a closing quote or bracket, where no small letter follows; after
the full-width marks of Chinese and Japanese at once."""
_LINE: Final = re.compile(r"\n+")
_CELL: Final = re.compile(r"; |\n+")
_SPACE: Final = re.compile(r"\s+")
_SEPARATORS: Final = {
    BlockKind.PARAGRAPH: (_SENTENCE, _LINE, _SPACE),
    BlockKind.LIST_ITEM: (_SENTENCE, _LINE, _SPACE),
    BlockKind.TABLE_ROW: (_CELL, _SENTENCE, _SPACE),
    BlockKind.CODE: (_LINE, _SPACE),
}
"""Where a block of each kind is cut, the best places first."""


class Span(NamedTuple):
    """Part of a text, in characters; the end is not part of it."""

    start: int
    end: int


def pieces_of(
    block: Block, *, limit_tokens: int, overlap_tokens: int, count_tokens: TokenCount
) -> list[Span]:
    """Cut a long block into spans that cover it in order.

    Args:
        block: Its kind decides where it is best cut.
        limit_tokens: The most of a span, the overlap included.
        overlap_tokens: A span begins with the last whole parts of the one before, up to so many.
        count_tokens: Counts them.
    """
    parts = _split(
        block.text,
        Span(0, len(block.text)),
        separators=_SEPARATORS[block.kind],
        limit_tokens=limit_tokens - overlap_tokens,
        count_tokens=count_tokens,
    )

    def cost(first: int, end: int) -> int:
        return count_tokens(block.text[parts[first].start : parts[end - 1].end])

    groups = _grouped(len(parts), cost, limit_tokens=limit_tokens, overlap_tokens=overlap_tokens)
    return [Span(parts[first].start, parts[end - 1].end) for first, end in groups]


def sentences_of(text: str) -> list[Span]:
    """Split a text into its sentences, without the space between them."""
    return _split_at(text, Span(0, len(text)), _SENTENCE)


def _split(
    text: str,
    span: Span,
    *,
    separators: Sequence[re.Pattern[str]],
    limit_tokens: int,
    count_tokens: TokenCount,
) -> list[Span]:
    if count_tokens(text[span.start : span.end]) <= limit_tokens:
        return [span]
    if not separators:
        return _halves(text, span, limit_tokens=limit_tokens, count_tokens=count_tokens)
    found: list[Span] = []
    for part in _split_at(text, span, separators[0]):
        found += _split(
            text,
            part,
            separators=separators[1:],
            limit_tokens=limit_tokens,
            count_tokens=count_tokens,
        )
    return found


def _split_at(text: str, span: Span, separator: re.Pattern[str]) -> list[Span]:
    matches = list(separator.finditer(text, span.start, span.end))
    starts = [span.start, *(match.end() for match in matches)]
    ends = [*(match.start() for match in matches), span.end]
    return [Span(start, end) for start, end in zip(starts, ends, strict=True) if start < end]


def _halves(text: str, span: Span, *, limit_tokens: int, count_tokens: TokenCount) -> list[Span]:
    """Cut text without any space in it, such as a long address, in the middle."""
    if span.end - span.start <= 1 or count_tokens(text[span.start : span.end]) <= limit_tokens:
        return [span]
    middle = (span.start + span.end) // 2
    return [
        *_halves(
            text, Span(span.start, middle), limit_tokens=limit_tokens, count_tokens=count_tokens
        ),
        *_halves(
            text, Span(middle, span.end), limit_tokens=limit_tokens, count_tokens=count_tokens
        ),
    ]


def _grouped(
    parts: int, cost: Callable[[int, int], int], *, limit_tokens: int, overlap_tokens: int
) -> list[tuple[int, int]]:
    """Put neighbouring parts together, as many as fit, each group with the end of the one before.

    Args:
        parts: How many there are.
        cost: Counts the tokens from a part up to, and without, another.
        limit_tokens: The most of a group.
        overlap_tokens: The most that a group repeats.
    """
    groups: list[tuple[int, int]] = []
    first = 0
    for number in range(1, parts):
        if cost(first, number + 1) > limit_tokens:
            groups.append((first, number))
            overlap = number
            while overlap - 1 > first and cost(overlap - 1, number) <= overlap_tokens:
                overlap -= 1
            first = overlap if cost(overlap, number + 1) <= limit_tokens else number
    groups.append((first, parts))
    return groups
