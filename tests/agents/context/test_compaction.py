from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from smallhold.agents.context.compaction import CompactionPlan, ExchangeSize, plan_compaction

SAVINGS = st.lists(st.integers(min_value=0, max_value=50), max_size=3)


def exchange_size(savings: list[int], rest_tokens: int) -> ExchangeSize:
    return ExchangeSize(tokens=sum(savings) + rest_tokens, savings_tokens=tuple(savings))


SIZES = st.lists(
    st.builds(exchange_size, SAVINGS, st.integers(min_value=1, max_value=50)), max_size=8
)


def plan(
    sizes: list[ExchangeSize], target: int, *, notes: int = 0, new: int = 10
) -> CompactionPlan:
    return plan_compaction(sizes, target_tokens=target, notes_tokens=notes, new_notes_tokens=new)


def left(sizes: list[ExchangeSize], chosen: CompactionPlan, *, notes: int, new: int) -> int:
    kept = sizes[chosen.exchanges :]
    savings = [saving for size in kept for saving in size.savings_tokens][: chosen.results]
    opening = new if chosen.exchanges else notes
    return opening + sum(size.tokens for size in kept) - sum(savings)


def test_nothing_goes_where_all_fits() -> None:
    assert plan([ExchangeSize(tokens=50)], 50) == CompactionPlan(exchanges=0, results=0)


def test_the_oldest_results_go_first_and_no_more_of_them_than_needed() -> None:
    sizes = [ExchangeSize(tokens=60, savings_tokens=(40,))] * 3
    assert plan(sizes, 120) == CompactionPlan(exchanges=0, results=2)


def test_where_results_are_not_enough_the_oldest_exchanges_go() -> None:
    sizes = [ExchangeSize(tokens=60, savings_tokens=(10,))] * 4
    assert plan(sizes, 130) == CompactionPlan(exchanges=2, results=0)


def test_exchanges_that_stay_lose_results_before_another_exchange_goes() -> None:
    sizes = [ExchangeSize(tokens=60, savings_tokens=(10,))] * 4
    assert plan(sizes, 125) == CompactionPlan(exchanges=2, results=1)


def test_where_nothing_is_enough_all_goes() -> None:
    assert plan([ExchangeSize(tokens=60)] * 2, 5) == CompactionPlan(exchanges=2, results=0)


@given(
    sizes=SIZES,
    target=st.integers(min_value=0, max_value=400),
    notes=st.integers(min_value=0, max_value=30),
    new=st.integers(min_value=0, max_value=30),
)
def test_a_plan_reaches_the_target_or_leaves_no_exchange(
    sizes: list[ExchangeSize], target: int, notes: int, new: int
) -> None:
    chosen = plan(sizes, target, notes=notes, new=new)
    assert chosen.exchanges == len(sizes) or left(sizes, chosen, notes=notes, new=new) <= target


@given(sizes=SIZES, target=st.integers(min_value=0, max_value=400))
def test_a_plan_leaves_out_nothing_that_could_stay(sizes: list[ExchangeSize], target: int) -> None:
    chosen = plan(sizes, target)
    if chosen.results:
        fewer = CompactionPlan(exchanges=chosen.exchanges, results=chosen.results - 1)
        assert left(sizes, fewer, notes=0, new=10) > target
    if chosen.exchanges:
        all_results = sum(len(size.savings_tokens) for size in sizes)
        fewer = CompactionPlan(exchanges=chosen.exchanges - 1, results=all_results)
        assert left(sizes, fewer, notes=0, new=10) > target
