from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.engine.pass_times import (
    MAX_DRAFT_TOKENS,
    MEASURED_ROWS,
    AcceptanceRatio,
    DraftPlan,
    PassTimes,
    plan_draft,
    undisturbed,
)

MEMORY_BOUND = PassTimes({1: 20e-3, 2: 21e-3, 4: 23e-3, 8: 27e-3, 16: 35e-3})
"""A pass takes little longer with more tokens, as while weights come from memory."""
COMPUTE_BOUND = PassTimes({rows: rows * 20e-3 for rows in MEASURED_ROWS})
"""Each token takes as long whatever is beside it."""

ratios = st.floats(0, 1)
few = st.integers(0, 20)


@st.composite
def growing_times(draw: st.DrawFn) -> PassTimes:
    steps = draw(
        st.lists(st.floats(1e-4, 0.1), min_size=len(MEASURED_ROWS), max_size=len(MEASURED_ROWS))
    )
    return PassTimes({rows: sum(steps[: at + 1]) for at, rows in enumerate(MEASURED_ROWS)})


@pytest.mark.parametrize("rows", MEASURED_ROWS)
def test_a_measured_pass_takes_what_was_measured(rows: int) -> None:
    assert MEMORY_BOUND.at(rows) == MEMORY_BOUND.seconds[rows]


def test_a_pass_between_two_measured_sizes_lies_on_the_line_between_them() -> None:
    assert MEMORY_BOUND.at(12) == pytest.approx((27e-3 + 35e-3) / 2)


def test_a_pass_beyond_the_measured_sizes_takes_as_long_for_each_token_as_the_largest() -> None:
    assert MEMORY_BOUND.at(48) == pytest.approx(3 * 35e-3)


def test_one_measured_size_is_enough() -> None:
    assert PassTimes({4: 1.0}).at(1) == 1.0


@given(times=growing_times(), rows=st.integers(1, 60))
def test_a_larger_pass_is_never_quicker_if_none_was_measured_to_be(
    times: PassTimes, rows: int
) -> None:
    assert times.at(rows + 1) >= times.at(rows) * (1 - 1e-9)


def test_a_pass_that_took_longer_than_a_larger_one_is_taken_to_be_as_quick() -> None:
    assert undisturbed({1: 0.36, 2: 0.15, 4: 0.27, 8: 0.29}) == {1: 0.15, 2: 0.15, 4: 0.27, 8: 0.29}


measurements = st.dictionaries(st.integers(1, 64), st.floats(1e-4, 1), min_size=1)


@given(measured=measurements)
def test_corrected_times_grow_with_the_pass_and_exceed_nothing_measured(
    measured: dict[int, float],
) -> None:
    corrected = undisturbed(measured)
    in_order = [corrected[rows] for rows in sorted(measured)]
    assert corrected.keys() == measured.keys()
    assert in_order == sorted(in_order)
    assert all(corrected[rows] <= seconds for rows, seconds in measured.items())
    assert undisturbed(corrected) == corrected


@given(measured=measurements, others=few, available=few)
def test_however_disturbed_the_trial_was_guesses_that_are_never_right_do_not_pay(
    measured: dict[int, float], others: int, available: int
) -> None:
    times = PassTimes(undisturbed(measured))
    plan = plan_draft(times, acceptance_ratio=0.0, others=others, available=available)
    assert plan.saved_s < 1e-12


def test_good_guesses_pay_where_larger_passes_are_cheap() -> None:
    plan = plan_draft(MEMORY_BOUND, acceptance_ratio=0.9, others=0, available=8)
    assert plan.length == 8
    assert 0 < plan.saved_s < 20e-3


def test_no_guess_pays_where_each_token_costs_the_same() -> None:
    plan = plan_draft(COMPUTE_BOUND, acceptance_ratio=0.9, others=0, available=8)
    assert plan == DraftPlan()


def test_fewer_guesses_pay_the_more_often_they_are_wrong() -> None:
    lengths = [
        plan_draft(MEMORY_BOUND, acceptance_ratio=ratio, others=0, available=12).length
        for ratio in (0.02, 0.2, 0.5, 0.9)
    ]
    assert lengths == sorted(set(lengths))


def test_guesses_that_cost_more_than_a_pass_do_not_pay() -> None:
    plan = plan_draft(MEMORY_BOUND, acceptance_ratio=1.0, others=0, available=8, guess_s=21e-3)
    assert plan.length == 0


def test_guesses_pay_less_while_other_requests_fill_the_pass() -> None:
    alone = plan_draft(MEMORY_BOUND, acceptance_ratio=0.5, others=0, available=8)
    among = plan_draft(MEMORY_BOUND, acceptance_ratio=0.5, others=15, available=8)
    assert among.saved_s < alone.saved_s


@given(times=growing_times(), others=few, available=few)
def test_guesses_that_are_never_right_are_never_made(
    times: PassTimes, others: int, available: int
) -> None:
    plan = plan_draft(times, acceptance_ratio=0.0, others=others, available=available)
    # Interpolation may round a level stretch down.
    assert plan.length == 0 or plan.saved_s < 1e-12


@given(times=growing_times(), low=ratios, high=ratios, others=few, available=few)
def test_better_guesses_never_save_less(
    times: PassTimes, low: float, high: float, others: int, available: int
) -> None:
    low, high = sorted((low, high))
    worse = plan_draft(times, acceptance_ratio=low, others=others, available=available)
    better = plan_draft(times, acceptance_ratio=high, others=others, available=available)
    assert better.saved_s >= worse.saved_s
    assert better.length >= worse.length or better.saved_s == pytest.approx(worse.saved_s)


@given(times=growing_times(), ratio=ratios, others=few, available=few, guess_s=st.floats(0, 0.01))
def test_no_more_is_guessed_than_there_is_or_than_may_be(
    times: PassTimes, ratio: float, others: int, available: int, guess_s: float
) -> None:
    plan = plan_draft(
        times, acceptance_ratio=ratio, others=others, available=available, guess_s=guess_s
    )
    assert 0 <= plan.length <= min(available, MAX_DRAFT_TOKENS)
    assert (plan.length > 0) == (plan.saved_s > 0)


@given(times=growing_times(), ratio=ratios, others=few, available=few)
def test_a_plan_gives_more_tokens_a_second_than_going_on_without(
    times: PassTimes, ratio: float, others: int, available: int
) -> None:
    plan = plan_draft(times, acceptance_ratio=ratio, others=others, available=available)
    expected = others + sum(ratio**place for place in range(plan.length + 1))
    seconds = times.at(others + 1 + plan.length)
    assert expected / seconds >= (others + 1) / times.at(others + 1) * (1 - 1e-9)


def test_before_any_guess_the_ratio_is_the_prior() -> None:
    assert AcceptanceRatio(prior=0.6).value == pytest.approx(0.6)


def test_outcomes_move_the_ratio_towards_themselves() -> None:
    ratio = AcceptanceRatio(prior=0.5, weight=8)
    ratio.record(tried=8, right=8)
    assert ratio.value == pytest.approx(0.75)


def test_old_outcomes_count_less_than_recent_ones() -> None:
    ratio = AcceptanceRatio(prior=0.5)
    for _ in range(1000):
        ratio.record(tried=4, right=4)
    for _ in range(200):
        ratio.record(tried=4, right=0)
    assert ratio.value < 0.1


@given(
    prior=ratios,
    outcomes=st.lists(
        st.integers(0, 50).flatmap(lambda tried: st.tuples(st.just(tried), st.integers(0, tried))),
        max_size=30,
    ),
)
def test_the_ratio_stays_a_ratio(prior: float, outcomes: list[tuple[int, int]]) -> None:
    ratio = AcceptanceRatio(prior=prior)
    for tried, right in outcomes:
        ratio.record(tried=tried, right=right)
    assert 0 <= ratio.value <= 1 + 1e-9


def test_a_ratio_that_is_not_tried_goes_back_to_its_prior() -> None:
    ratio = AcceptanceRatio(prior=0.6)
    ratio.record(tried=1000, right=0)
    low = ratio.value
    for _ in range(35):
        ratio.relax()
    assert low < ratio.value < 0.6
    for _ in range(1000):
        ratio.relax()
    assert ratio.value == pytest.approx(0.6, abs=1e-3)
