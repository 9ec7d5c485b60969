"""Behaviour of the percentile bootstrap."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smallhold.evals.bootstrap import bootstrap_interval
from smallhold.evals.intervals import wilson_interval
from smallhold.exceptions import ConfigError


def mean(values: Sequence[int]) -> float:
    return sum(values) / len(values)


def test_the_same_items_give_the_same_interval() -> None:
    items = [0, 1] * 30
    assert bootstrap_interval(items, figure=mean) == bootstrap_interval(items, figure=mean)


def test_of_a_share_the_interval_is_close_to_wilsons() -> None:
    drawn = bootstrap_interval([1] * 60 + [0] * 40, figure=mean)
    exact = wilson_interval(60, trials=100)
    assert drawn.low == pytest.approx(exact.low, abs=0.02)
    assert drawn.high == pytest.approx(exact.high, abs=0.02)


def test_nothing_has_no_interval() -> None:
    with pytest.raises(ConfigError, match="at least one row"):
        bootstrap_interval([], figure=mean)


@settings(max_examples=10)
@given(st.lists(st.sampled_from([0, 1]), min_size=1, max_size=20))
def test_an_interval_lies_within_the_figures_own_range(items: list[int]) -> None:
    interval = bootstrap_interval(items, figure=mean)
    assert min(items) <= interval.low <= interval.high <= max(items)
