"""Which bytes of a file are there: this file holds the algebra of byte spans.

A span is a half-open interval `(start, end)` with `0 <= start < end`. A set of spans is a sorted
tuple in which no two overlap or touch.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import Final, TypeAlias

Span: TypeAlias = tuple[int, int]
Spans: TypeAlias = tuple[Span, ...]

NOTHING: Final[Spans] = ()


def merged(spans: Iterable[Span]) -> Spans:
    """Bring intervals of any order into a set of spans; empty and backward ones are left out."""
    result: list[Span] = []
    for start, end in sorted(span for span in spans if 0 <= span[0] < span[1]):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(result[-1][1], end))
        else:
            result.append((start, end))
    return tuple(result)


def joined(spans: Spans, added: Span) -> Spans:
    """Add one span to a set, in time that the number of spans touched decides."""
    start, end = added
    if start >= end:
        return spans
    first = bisect_left(spans, start, key=lambda span: span[1])
    last = bisect_right(spans, end, key=lambda span: span[0])
    if first < last:
        start, end = min(start, spans[first][0]), max(end, spans[last - 1][1])
    return (*spans[:first], (start, end), *spans[last:])


def gaps(spans: Spans, *, total_bytes: int) -> Spans:
    """The spans of a file of `total_bytes` that are not in a set."""
    edges = [0, *(edge for span in clipped(spans, end=total_bytes) for edge in span), total_bytes]
    return tuple(
        (start, end) for start, end in zip(edges[::2], edges[1::2], strict=True) if start < end
    )


def clipped(spans: Spans, *, end: int) -> Spans:
    """What of a set lies before the byte `end`."""
    return tuple((start, min(stop, end)) for start, stop in spans if start < end)


def covered_bytes(spans: Spans) -> int:
    """Bytes that a set covers."""
    return sum(end - start for start, end in spans)
