from __future__ import annotations

from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.evals.intervals import Z_95, Interval, wilson_interval
from smallhold.exceptions import ConfigError


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        # Newcombe 1998, table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_the_interval_agrees_with_the_published_table(
    successes: int, trials: int, low: float, high: float
) -> None:
    interval = wilson_interval(successes, trials=trials)

    assert (round(interval.low, 4), round(interval.high, 4)) == (low, high)


def test_z_is_the_95_percent_quantile_of_every_textbook() -> None:
    assert round(Z_95, 6) == 1.959964


def test_a_higher_confidence_gives_a_wider_interval() -> None:
    narrow = wilson_interval(40, trials=50)
    wide = wilson_interval(40, trials=50, z=2.576)

    assert wide.low < narrow.low < narrow.high < wide.high


@st.composite
def counts(draw: st.DrawFn) -> tuple[int, int]:
    trials = draw(st.integers(min_value=1, max_value=10**9))
    return draw(st.integers(min_value=0, max_value=trials)), trials


@given(counts())
def test_the_interval_holds_the_measured_share_and_stays_within_0_to_1(
    count: tuple[int, int],
) -> None:
    successes, trials = count
    interval = wilson_interval(successes, trials=trials)

    assert 0.0 <= interval.low <= successes / trials <= interval.high <= 1.0
    assert interval.low < interval.high


@given(counts())
def test_counting_failures_instead_mirrors_the_interval(count: tuple[int, int]) -> None:
    successes, trials = count
    interval = wilson_interval(successes, trials=trials)
    mirrored = wilson_interval(trials - successes, trials=trials)

    assert mirrored.low == pytest.approx(1 - interval.high, abs=1e-12)
    assert mirrored.high == pytest.approx(1 - interval.low, abs=1e-12)


@given(counts().filter(lambda count: 0 < count[0] < count[1] < 10**5))
def test_at_both_ends_the_measured_share_is_z_standard_errors_away(count: tuple[int, int]) -> None:
    # The definition in Wilson 1927, which the closed form solves.
    successes, trials = count
    interval = wilson_interval(successes, trials=trials)

    for end in (interval.low, interval.high):
        standard_error = sqrt(end * (1 - end) / trials)
        assert abs(successes / trials - end) == pytest.approx(Z_95 * standard_error, rel=1e-6)


def test_no_success_and_no_failure_end_exactly_at_0_and_1() -> None:
    assert wilson_interval(0, trials=7).low == 0.0
    assert wilson_interval(7, trials=7).high == 1.0


@pytest.mark.parametrize(("successes", "trials"), [(0, 0), (-1, 5), (6, 5), (0, -3)])
def test_counts_that_cannot_be_are_refused(successes: int, trials: int) -> None:
    with pytest.raises(ConfigError):
        wilson_interval(successes, trials=trials)


def test_an_interval_is_a_value() -> None:
    assert wilson_interval(3, trials=9) == wilson_interval(3, trials=9)
    assert Interval(low=0.1, high=0.2) != Interval(low=0.1, high=0.3)
