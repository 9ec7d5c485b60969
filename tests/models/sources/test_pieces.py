"""Promises of `smallhold.models.sources.pieces`: this file holds tests of what to ask for next."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from smallhold.models.pulling.byte_spans import NOTHING, Span, covered_bytes, gaps, joined, merged
from smallhold.models.sources.pieces import (
    LARGE_PIECE_BYTES,
    PIECES_FROM_BYTES,
    REFETCH_BYTES,
    first_piece,
    goes_in_pieces,
    next_piece,
    piece_bytes,
    small_piece_bytes,
)

TOTAL = 3_000_000
SPANS = st.lists(st.tuples(st.integers(0, TOTAL), st.integers(0, TOTAL)), max_size=5).map(merged)


def size(
    *,
    latency_s: float | None = 0.05,
    rate: float | None = 50e6,
    near: bool = False,
    overloaded: bool = False,
) -> int:
    return piece_bytes(
        4, latency_s=latency_s, rate_bytes_s=rate, is_near=near, is_overloaded=overloaded
    )


@given(st.integers(1, 16))
def test_all_connections_together_ask_for_no_more_than_may_be_lost(connections: int) -> None:
    assert 0 < small_piece_bytes(connections) * connections <= REFETCH_BYTES


def test_little_is_asked_for_before_anything_is_known() -> None:
    assert size(latency_s=None) == size(rate=None) == small_piece_bytes(4)


def test_little_is_asked_of_a_server_nearby_however_busy_the_machine_is() -> None:
    assert size(near=True, latency_s=0.5, rate=500e6) == small_piece_bytes(4)


def test_much_is_asked_of_a_fast_server_far_away() -> None:
    assert size(latency_s=0.05, rate=50e6) == LARGE_PIECE_BYTES


def test_a_slow_line_is_asked_for_little_wherever_the_server_is() -> None:
    assert size(latency_s=0.05, rate=2e6) == small_piece_bytes(4)


def test_a_server_that_complains_is_asked_less_often() -> None:
    assert size(near=True, overloaded=True) == LARGE_PIECE_BYTES


def test_small_files_come_in_one_go_unless_they_must_come_slowly() -> None:
    assert goes_in_pieces(PIECES_FROM_BYTES, is_limited=False)
    assert not goes_in_pieces(PIECES_FROM_BYTES - 1, is_limited=False)
    assert goes_in_pieces(1, is_limited=True)
    assert goes_in_pieces(None, is_limited=False)


@given(SPANS, st.lists(st.tuples(st.integers(0, TOTAL), st.integers(0, TOTAL)), max_size=3))
def test_nothing_is_asked_for_twice_and_all_is_asked_for_once(
    arrived: tuple[Span, ...], under_way: list[Span]
) -> None:
    busy = [span for span in under_way if span[0] < span[1]]
    spans = merged((*arrived, *busy))
    asked: list[Span] = []
    while piece := next_piece(
        arrived, [*busy, *asked], total_bytes=TOTAL, size_bytes=400_000, connections=4
    ):
        assert piece[1] - piece[0] <= 400_000
        asked.append(piece)
    assert merged(asked) == gaps(spans, total_bytes=TOTAL)
    assert covered_bytes(tuple(asked)) == covered_bytes(gaps(spans, total_bytes=TOTAL))


def test_the_last_pieces_are_small_so_that_all_connections_end_together() -> None:
    large = {"total_bytes": 100 << 20, "size_bytes": LARGE_PIECE_BYTES}
    piece = next_piece(((0, 60 << 20),), [], connections=4, **large)
    assert piece == (60 << 20, 70 << 20)


def test_the_first_piece_fills_the_first_gap() -> None:
    spans = joined(joined(NOTHING, (0, 100)), (500, 900))
    assert first_piece(spans, total_bytes=1000, size_bytes=None) == (100, 500)
    assert first_piece(spans, total_bytes=1000, size_bytes=50) == (100, 150)
    assert first_piece(((5, 9),), total_bytes=None, size_bytes=None) == (0, 5)


def test_where_the_end_is_unknown_the_first_piece_has_one_all_the_same() -> None:
    assert first_piece(NOTHING, total_bytes=None, size_bytes=10) == (0, 10)
    assert first_piece(((0, 7),), total_bytes=None, size_bytes=None) == (7, 7 + LARGE_PIECE_BYTES)
