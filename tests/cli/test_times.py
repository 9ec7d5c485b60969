from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from smallhold.cli.times import clock_time


def test_a_time_is_written_in_utc() -> None:
    assert clock_time(1_700_000_000.0) == "2023-11-14 22:13:20"


def test_no_time_is_written_as_nothing() -> None:
    assert not clock_time(None)


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_no_clock_is_wrong_enough_to_fail(at_s: float) -> None:
    assert clock_time(at_s)
