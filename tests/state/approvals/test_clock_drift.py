from __future__ import annotations

from tests.state.set_clock import SetClock

from smallhold.state.approvals.clock_drift import NOTED_DRIFT_S, ClockDrift


def test_clocks_that_go_alike_are_not_worth_a_note() -> None:
    clock, monotonic = SetClock(1_000.0), SetClock(5.0)
    drift = ClockDrift(clock=clock, monotonic=monotonic)
    clock.now_s += 3_600
    monotonic.now_s += 3_600 - NOTED_DRIFT_S / 2
    assert drift.note() is None


def test_a_clock_set_forward_is_noted_with_how_far() -> None:
    clock = SetClock(1_000.0)
    drift = ClockDrift(clock=clock, monotonic=SetClock(5.0))
    clock.now_s += 7_200
    assert drift.drift_s() == 7_200
    assert "7,200 s ahead" in (drift.note() or "")


def test_a_clock_set_back_is_noted_with_how_far() -> None:
    clock = SetClock(10_000.0)
    drift = ClockDrift(clock=clock, monotonic=SetClock(5.0))
    clock.now_s -= 7_200
    assert "back by 7,200 s" in (drift.note() or "")
