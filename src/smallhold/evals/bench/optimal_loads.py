"""The fewest loads that foresight allows: this file holds the optimal schedule of a mix."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from smallhold.exceptions import ConfigError


def optimal_loads(order: Sequence[int], sizes: Sequence[int], *, budget: int) -> int:
    """Count the loads of a schedule that knows all requests beforehand and serves them in order.

    Belady's rule, to evict what is needed again last, is optimal only where all sizes are alike; so
    all states are followed that can still be the best. A model is loaded when it is needed: loading
    sooner saves nothing, since unloading is free.

    Args:
        order: The requests' models.
        sizes: What each model takes.
        budget: What all loaded ones may take.

    Raises:
        ConfigError: a model that is asked for is larger than the budget.

    Source:
        Belady 1966, "A study of replacement algorithms for a virtual-storage computer"; for
        different sizes, all states as in Albers, Arora, Khanna 1999, "Page replacement for general
        caching problems".
    """
    best: dict[frozenset[int], int] = {frozenset(): 0}
    for model in order:
        if sizes[model] > budget:
            raise ConfigError(
                field="budget",
                value=budget,
                remedy=f"give at least {sizes[model]}, or leave it out",
            )
        following: dict[frozenset[int], int] = {}
        for held, loads in best.items():
            if model in held:
                _note(following, held, loads)
                continue
            for kept in _largest_kept(held, sizes, room=budget - sizes[model]):
                _note(following, kept | {model}, loads + 1)
        best = following
    return min(best.values())


def _note(states: dict[frozenset[int], int], held: frozenset[int], loads: int) -> None:
    states[held] = min(loads, states.get(held, loads))


def _largest_kept(held: frozenset[int], sizes: Sequence[int], *, room: int) -> list[frozenset[int]]:
    """List the subsets that fit and to which nothing could be added: holding more costs nothing."""
    found: list[frozenset[int]] = []
    for count in range(len(held), -1, -1):
        for kept in map(frozenset, combinations(sorted(held), count)):
            is_part = any(kept <= larger for larger in found)
            if not is_part and sum(sizes[model] for model in kept) <= room:
                found.append(kept)
    return found
