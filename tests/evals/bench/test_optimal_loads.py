from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smallhold.evals.bench.optimal_loads import optimal_loads
from smallhold.exceptions import ConfigError

BUDGET = 10


def all_states(sizes: Sequence[int]) -> Iterator[frozenset[int]]:
    for count in range(len(sizes) + 1):
        for held in map(frozenset, combinations(range(len(sizes)), count)):
            if sum(sizes[model] for model in held) <= BUDGET:
                yield held


def fewest_of_all_schedules(order: Sequence[int], sizes: Sequence[int]) -> int:
    """Try every state at every moment, loads beforehand included."""
    states = list(all_states(sizes))
    cost = {state: len(state) for state in states}
    for model in order:
        served = {
            state: min(cost[before] + len(state - before) for before in states)
            for state in states
            if model in state
        }
        cost = {state: served.get(state, 10**9) for state in states}
    return min(cost.values())


def least_recently_used(order: Sequence[int], sizes: Sequence[int]) -> int:
    held: list[int] = []
    loads = 0
    for model in order:
        if model in held:
            held.remove(model)
        else:
            loads += 1
            while sum(sizes[it] for it in held) + sizes[model] > BUDGET:
                held.pop(0)
        held.append(model)
    return loads


def test_models_that_all_fit_are_loaded_once() -> None:
    assert optimal_loads([0, 1, 2, 0, 1, 2], [3, 3, 3], budget=BUDGET) == 3


def test_models_that_never_fit_together_are_loaded_at_each_change() -> None:
    assert optimal_loads([0, 1, 0, 0, 1], [6, 6], budget=BUDGET) == 4


def test_what_is_needed_again_soon_is_kept_where_something_must_go() -> None:
    # Least recently used would drop model 0 for model 2, and load it again.
    assert optimal_loads([0, 1, 2, 0, 1], [5, 5, 5], budget=BUDGET) == 4
    assert least_recently_used([0, 1, 2, 0, 1], [5, 5, 5]) == 5


def test_nobody_who_asks_for_nothing_loads_anything() -> None:
    assert optimal_loads([], [5], budget=BUDGET) == 0


def test_a_model_that_cannot_fit_has_no_schedule() -> None:
    with pytest.raises(ConfigError, match="budget"):
        optimal_loads([0], [11], budget=BUDGET)


MIXES = st.lists(st.integers(1, BUDGET), min_size=1, max_size=4).flatmap(
    lambda sizes: st.tuples(st.lists(st.integers(0, len(sizes) - 1), max_size=8), st.just(sizes))
)


@settings(max_examples=150)
@given(MIXES)
def test_no_schedule_needs_fewer_loads(mix: tuple[list[int], list[int]]) -> None:
    order, sizes = mix
    assert optimal_loads(order, sizes, budget=BUDGET) == fewest_of_all_schedules(order, sizes)


@given(MIXES)
def test_least_recently_used_never_beats_it(mix: tuple[list[int], list[int]]) -> None:
    order, sizes = mix
    best = optimal_loads(order, sizes, budget=BUDGET)
    assert len(set(order)) <= best <= least_recently_used(order, sizes)
