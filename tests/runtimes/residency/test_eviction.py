from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from smallhold.runtimes.residency.eviction import HeldModel, plan_draining, plan_eviction


def held(
    key: int, size_bytes: int, *, last_used_s: float = 0.0, leases: int = 0, wanted: int = 0
) -> HeldModel:
    return HeldModel(
        key=key, size_bytes=size_bytes, last_used_s=last_used_s, leases=leases, wanted=wanted
    )


@st.composite
def models(draw: st.DrawFn) -> tuple[HeldModel, ...]:
    count = draw(st.integers(0, 6))
    return tuple(
        HeldModel(
            key=key,
            size_bytes=draw(st.integers(1, 100)),
            last_used_s=draw(st.integers(0, 5)),
            leases=draw(st.integers(0, 2)),
            is_pinned=draw(st.booleans()),
            is_leaving=draw(st.booleans()),
            wanted=draw(st.integers(0, 2)),
        )
        for key in range(count)
    )


def test_the_least_recently_used_model_goes_first() -> None:
    plan = plan_eviction([held(0, 10, last_used_s=2), held(1, 10, last_used_s=1)], needed_bytes=5)
    assert plan.keys == (1,)


def test_a_small_model_is_spared_where_a_large_one_must_go_anyway() -> None:
    small, large = held(0, 10, last_used_s=1), held(1, 50, last_used_s=2)
    assert plan_eviction([small, large], needed_bytes=40).keys == (1,)


def test_a_model_that_somebody_waits_for_goes_last() -> None:
    wanted, other = held(0, 10, last_used_s=1, wanted=1), held(1, 10, last_used_s=2)
    assert plan_eviction([wanted, other], needed_bytes=5).keys == (1,)


def test_idle_models_are_drained_before_busy_ones() -> None:
    busy, idle = held(0, 10, last_used_s=1, leases=1), held(1, 10, last_used_s=2)
    assert plan_draining([busy, idle], needed_bytes=5).keys == (1,)
    assert set(plan_draining([busy, idle], needed_bytes=15).keys) == {0, 1}


def test_nothing_goes_where_nothing_is_needed() -> None:
    assert plan_eviction([held(0, 10)], needed_bytes=0).keys == ()


@given(models(), st.integers(-10, 300))
def test_no_busy_pinned_or_leaving_model_is_ever_evicted(
    loaded: tuple[HeldModel, ...], needed_bytes: int
) -> None:
    for key in plan_eviction(loaded, needed_bytes=needed_bytes).keys:
        assert loaded[key].leases == 0
        assert not loaded[key].is_pinned
        assert not loaded[key].is_leaving


@given(models(), st.integers(-10, 300))
def test_what_is_freed_is_enough_where_anything_is(
    loaded: tuple[HeldModel, ...], needed_bytes: int
) -> None:
    plan = plan_eviction(loaded, needed_bytes=needed_bytes)
    able = [model.size_bytes for model in loaded if model.is_evictable]
    assert plan.freed_bytes == sum(loaded[key].size_bytes for key in plan.keys)
    assert plan.freed_bytes >= min(needed_bytes, sum(able))


@given(models(), st.integers(1, 300))
def test_no_chosen_model_could_have_stayed(
    loaded: tuple[HeldModel, ...], needed_bytes: int
) -> None:
    plan = plan_eviction(loaded, needed_bytes=needed_bytes)
    for fewer in combinations(plan.keys, max(0, len(plan.keys) - 1)):
        assert sum(loaded[key].size_bytes for key in fewer) < needed_bytes or not plan.keys


@given(models(), st.integers(-10, 300))
def test_no_pinned_or_leaving_model_is_drained(
    loaded: tuple[HeldModel, ...], needed_bytes: int
) -> None:
    for key in plan_draining(loaded, needed_bytes=needed_bytes).keys:
        assert not loaded[key].is_pinned
        assert not loaded[key].is_leaving
