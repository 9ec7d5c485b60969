"""Promises of `smallhold.tools.mcp.pacing`: this file holds tests of pauses and floods."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from smallhold.tools.mcp.pacing import (
    FIRST_PAUSE_S,
    FLOOD_BURST,
    LONGEST_PAUSE_S,
    STEADY_S,
    FloodGauge,
    Pauses,
    pause_after,
)


def test_the_first_attempt_waits_for_nothing() -> None:
    assert Pauses().wait_s(now_s=5.0) == 0.0


def test_a_server_that_cannot_start_is_tried_ever_more_rarely() -> None:
    pauses, waits = Pauses(), list[float]()
    for _ in range(10):
        pauses = pauses.failed(now_s=0.0)
        waits.append(pauses.wait_s(now_s=0.0))
    assert waits[:3] == [FIRST_PAUSE_S, 2 * FIRST_PAUSE_S, 4 * FIRST_PAUSE_S]
    assert waits[-1] == LONGEST_PAUSE_S


def test_a_connection_that_breaks_once_is_made_again_at_once() -> None:
    assert Pauses().failed(now_s=0.0, held_s=1.0).wait_s(now_s=0.0) == 0.0
    again = Pauses().failed(now_s=0.0, held_s=1.0).failed(now_s=0.0, held_s=1.0)
    assert again.wait_s(now_s=0.0) > 0.0


def test_a_connection_that_held_for_long_makes_up_for_failures() -> None:
    pauses = Pauses(failures=8).failed(now_s=0.0, held_s=STEADY_S)
    assert pauses.failures == 1


@given(st.integers(-5, 10_000))
def test_a_pause_is_never_longer_than_the_longest(failures: int) -> None:
    assert FIRST_PAUSE_S <= pause_after(failures) <= LONGEST_PAUSE_S


def test_a_flood_is_told_from_a_burst() -> None:
    gauge = FloodGauge()
    assert not any(gauge.is_flood(now_s=0.0) for _ in range(FLOOD_BURST))
    assert gauge.is_flood(now_s=0.0)


def test_a_steady_trickle_is_no_flood() -> None:
    gauge = FloodGauge()
    assert not any(gauge.is_flood(now_s=number / 50) for number in range(5 * FLOOD_BURST))
