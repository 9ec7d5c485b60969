"""Which bytes to ask for next: this file holds the pure decisions of a download in pieces."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from smallhold.models.pulling.byte_spans import Span, Spans, covered_bytes, gaps, merged

REFETCH_BYTES: Final = 1_000_000
"""As much may be asked for and not be on the disk yet, where that costs little speed; a process
that is killed loses no more."""
LARGE_PIECE_BYTES: Final = 32 << 20
"""What one request asks for where small ones would cost too much speed."""
PIECES_FROM_BYTES: Final = 2 << 20
"""Less than this is asked for in one go."""

_ALIGNMENT_BYTES: Final = 4096
_HEADROOM: Final = 5.0
"""Small pieces cost a fifth of the speed where so many times the rate would just keep
`REFETCH_BYTES` under way."""


def small_piece_bytes(connections: int) -> int:
    """Share of each connection in `REFETCH_BYTES`."""
    return REFETCH_BYTES // connections // _ALIGNMENT_BYTES * _ALIGNMENT_BYTES


def piece_bytes(
    connections: int,
    *,
    latency_s: float | None,
    rate_bytes_s: float | None,
    is_near: bool,
    is_overloaded: bool,
) -> int:
    """Decide how much one request asks for.

    Little at a time loses little when the process is killed, but each request costs the time until
    its answer begins. So it is little for a server nearby, for a line or a limit that is slow
    measured by that time, and before anything is known.

    Args:
        connections: How many requests are under way at once.
        latency_s: The shortest time in which an answer began so far.
        rate_bytes_s: What all connections together bring, or may bring.
        is_near: Whether the server is on this machine or in this building, where only a busy
            machine can make an answer late.
        is_overloaded: Whether the server has complained about too many requests.
    """
    if is_overloaded:
        return LARGE_PIECE_BYTES
    if is_near or latency_s is None or rate_bytes_s is None:
        return small_piece_bytes(connections)
    is_slow = _HEADROOM * rate_bytes_s * latency_s <= REFETCH_BYTES
    return small_piece_bytes(connections) if is_slow else LARGE_PIECE_BYTES


def goes_in_pieces(missing_bytes: int | None, *, is_limited: bool) -> bool:
    """Decide whether to ask for one piece after the other, or for all that is missing at once.

    Where the size of the file is unknown, the answer for a piece tells it.
    """
    return missing_bytes is None or is_limited or missing_bytes >= PIECES_FROM_BYTES


def next_piece(
    arrived: Spans,
    under_way: Collection[Span],
    *,
    total_bytes: int,
    size_bytes: int,
    connections: int,
) -> Span | None:
    """Choose the first bytes that nobody has asked for, at most `size_bytes` of them.

    Towards the end the pieces get smaller, so that all connections are done at about one time.
    """
    free = gaps(merged((*arrived, *under_way)), total_bytes=total_bytes)
    if not free:
        return None
    fair_bytes = max(small_piece_bytes(connections), covered_bytes(free) // connections)
    start, end = free[0]
    return start, min(end, start + min(size_bytes, fair_bytes))


def first_piece(arrived: Spans, *, total_bytes: int | None, size_bytes: int | None) -> Span:
    """Choose the piece whose answer will tell whether the server knows ranges.

    Without a size it reaches to the end of the first gap. Where the end of the file is unknown, so
    is that of the piece: it is `LARGE_PIECE_BYTES` or `size_bytes` long.
    """
    start = arrived[0][1] if arrived and arrived[0][0] == 0 else 0
    later = (span[0] for span in arrived if span[0] > start)
    end = next(later, total_bytes)
    if end is None:
        return start, start + (size_bytes or LARGE_PIECE_BYTES)
    return start, end if size_bytes is None else min(end, start + size_bytes)
