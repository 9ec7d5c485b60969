"""Promises of `smallhold.models.pulling.byte_spans`:
this file holds tests of which bytes are there.
"""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from smallhold.models.pulling.byte_spans import (
    NOTHING,
    Span,
    Spans,
    clipped,
    covered_bytes,
    gaps,
    joined,
    merged,
)

END = 24
INTERVALS = st.lists(st.tuples(st.integers(-2, END), st.integers(-2, END)), max_size=8)


def covered(spans: Spans) -> set[int]:
    return {byte for start, end in spans for byte in range(start, end)}


@given(INTERVALS)
def test_any_intervals_become_sorted_spans_that_do_not_touch(intervals: list[Span]) -> None:
    spans = merged(intervals)
    assert covered(spans) == covered(tuple(pair for pair in intervals if pair[0] >= 0))
    assert all(first[1] < second[0] for first, second in pairwise(spans))


@given(INTERVALS, st.integers(0, END), st.integers(0, END))
def test_a_span_is_added_as_if_all_were_merged_anew(
    intervals: list[Span], start: int, end: int
) -> None:
    spans = merged(intervals)
    assert joined(spans, (start, end)) == merged((*spans, (start, end)))


@given(INTERVALS, st.integers(0, END))
def test_spans_and_their_gaps_make_up_the_file(intervals: list[Span], total_bytes: int) -> None:
    spans = merged(intervals)
    missing = gaps(spans, total_bytes=total_bytes)
    there = clipped(spans, end=total_bytes)
    assert merged((*missing, *there)) == merged([(0, total_bytes)])
    assert covered_bytes(missing) + covered_bytes(there) == total_bytes


def test_of_nothing_everything_is_missing() -> None:
    assert gaps(NOTHING, total_bytes=5) == ((0, 5),)
    assert gaps(NOTHING, total_bytes=0) == ()
