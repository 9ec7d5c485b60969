from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from smallhold.state.memory.lifetime import (
    MARK_STEP_S,
    PLAUSIBLE_STEP_S,
    is_doubtful,
    judged_now,
    moved_mark,
)

TIMES_S = st.floats(min_value=0, max_value=1e11, allow_nan=False)


def test_the_first_write_makes_the_mark() -> None:
    assert moved_mark(5.0, mark_s=None) == 5.0
    assert judged_now(5.0, mark_s=None) == 5.0
    assert not is_doubtful(5.0, mark_s=None)


def test_small_steps_do_not_move_the_mark() -> None:
    assert moved_mark(100.0 + MARK_STEP_S / 2, mark_s=100.0) is None
    assert moved_mark(100.0 + MARK_STEP_S, mark_s=100.0) == 100.0 + MARK_STEP_S


def test_a_clock_years_ahead_is_doubtful_and_does_not_move_the_mark() -> None:
    ahead_s = 100.0 + PLAUSIBLE_STEP_S + 1
    assert is_doubtful(ahead_s, mark_s=100.0)
    assert moved_mark(ahead_s, mark_s=100.0) is None


@given(TIMES_S, TIMES_S)
def test_the_judged_time_never_goes_behind_the_mark(clock_s: float, mark_s: float) -> None:
    assert judged_now(clock_s, mark_s=mark_s) >= mark_s


@given(TIMES_S, TIMES_S)
def test_the_mark_only_moves_forward_and_by_a_plausible_step(clock_s: float, mark_s: float) -> None:
    moved_s = moved_mark(clock_s, mark_s=mark_s)
    assert moved_s is None or mark_s < moved_s <= mark_s + PLAUSIBLE_STEP_S
