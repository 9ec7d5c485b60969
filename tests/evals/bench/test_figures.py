"""Promises of `smallhold.evals.bench.figures`: this file holds tests of medians and ratios."""

from __future__ import annotations

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.evals.bench.figures import (
    median,
    milliseconds,
    over_best_high,
    over_best_low,
    percentile,
    ratio,
    rounded,
)

seconds = st.floats(min_value=0.001, max_value=1000)


def test_nothing_has_no_median_and_no_percentile() -> None:
    assert median([]) is None
    assert percentile([], share=0.95) is None


def test_the_median_of_two_values_is_between_them() -> None:
    assert median([1.0, 3.0]) == 2.0


@given(st.lists(seconds, min_size=1), st.floats(min_value=0, max_value=1))
def test_a_percentile_stays_within_the_values(values: list[float], share: float) -> None:
    found = percentile(values, share=share)
    assert found is not None
    assert min(values) <= found <= max(values) or math.isclose(found, max(values))


@given(st.lists(seconds, min_size=2))
def test_percentiles_are_those_of_the_standard_library(values: list[float]) -> None:
    expected = statistics.quantiles(values, n=20, method="inclusive")[-1]
    assert percentile(values, share=0.95) == pytest.approx(expected)


@given(st.lists(seconds, min_size=1))
def test_the_middle_percentile_is_the_median(values: list[float]) -> None:
    assert percentile(values, share=0.5) == pytest.approx(median(values))


@given(seconds, st.lists(seconds, min_size=1))
def test_over_the_best_peer_is_the_least_flattering_ratio(ours: float, peers: list[float]) -> None:
    assert over_best_low(ours, peers) == max(ours / peer for peer in peers)
    assert over_best_high(ours, peers) == min(ours / peer for peer in peers)


def test_a_peer_without_a_figure_is_not_the_best() -> None:
    assert over_best_low(1.0, [None, 4.0]) == 0.25
    assert over_best_high(1.0, [None, 4.0]) == 0.25


def test_without_peers_there_is_no_ratio() -> None:
    assert over_best_low(1.0, []) is None
    assert over_best_high(1.0, [None]) is None


@pytest.mark.parametrize(("ours", "other"), [(None, 1.0), (1.0, None), (1.0, 0.0)])
def test_a_ratio_needs_two_figures(ours: float | None, other: float | None) -> None:
    assert ratio(ours, other) is None


def test_seconds_are_shown_as_milliseconds() -> None:
    assert milliseconds(0.0123456) == 12.35
    assert milliseconds(None) is None


def test_unknown_figures_stay_unknown() -> None:
    assert rounded(None) is None
    assert rounded(1.234567) == 1.2346
