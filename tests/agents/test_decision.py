from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.agents.decision import MAX_RIVALS, RIVAL_MARGIN, read_decision
from smallhold.generation import Scores
from smallhold.messages import Usage

NAMES = ("find", "order", "pay")
LOG_PROBS = st.floats(min_value=-50.0, max_value=0.0)
ROWS = st.tuples(LOG_PROBS, LOG_PROBS, LOG_PROBS, LOG_PROBS)
TOLERANCE = 1e-6


def scores(
    *log_probs: float, baseline: tuple[float, ...] | None = (-1.0, -1.0, -1.0, -1.0)
) -> Scores:
    return Scores(
        log_probs=log_probs,
        baseline_log_probs=baseline,
        token_counts=(1,) * len(log_probs),
        usage=Usage(),
    )


def test_the_likeliest_tool_is_chosen_when_it_is_likelier_than_none() -> None:
    decision = read_decision(scores(-5.0, -1.0, -3.0, -4.0), NAMES, threshold=0.0, must_call=False)
    assert (decision.tool, decision.margin) == ("order", 3.0)


def test_no_tool_is_chosen_when_none_is_likelier() -> None:
    decision = read_decision(scores(-5.0, -4.0, -6.0, -1.0), NAMES, threshold=0.0, must_call=False)
    assert (decision.tool, decision.margin) == (None, -3.0)


def test_what_the_model_prefers_without_any_question_is_subtracted() -> None:
    biased = scores(-1.0, -5.0, -5.0, -2.0, baseline=(-0.5, -6.0, -6.0, -3.0))
    decision = read_decision(biased, NAMES, threshold=0.0, must_call=False)
    assert decision.tool is None
    assert decision.margin == pytest.approx(1.0 - 2.5)


def test_without_a_baseline_nothing_is_subtracted() -> None:
    decision = read_decision(
        scores(-1.0, -5.0, -5.0, -2.0, baseline=None), NAMES, threshold=0.0, must_call=False
    )
    assert (decision.tool, decision.margin) == ("find", 1.0)


def test_a_margin_that_just_reaches_the_threshold_is_enough() -> None:
    row = scores(-1.0, -5.0, -5.0, -2.0)
    assert read_decision(row, NAMES, threshold=1.0, must_call=False).tool == "find"
    assert read_decision(row, NAMES, threshold=1.001, must_call=False).tool is None


@given(ROWS, st.none() | ROWS, st.floats(min_value=-100.0, max_value=100.0))
def test_a_required_call_is_always_the_likeliest_tool(
    row: tuple[float, ...], baseline: tuple[float, ...] | None, threshold: float
) -> None:
    decision = read_decision(
        scores(*row, baseline=baseline), NAMES, threshold=threshold, must_call=True
    )
    assert decision.tool in NAMES
    assert row[NAMES.index(decision.tool)] == max(row[:-1])


@given(ROWS, st.none() | ROWS, st.floats(min_value=-100.0, max_value=100.0))
def test_a_tool_is_chosen_exactly_when_its_margin_reaches_the_threshold(
    row: tuple[float, ...], baseline: tuple[float, ...] | None, threshold: float
) -> None:
    decision = read_decision(
        scores(*row, baseline=baseline), NAMES, threshold=threshold, must_call=False
    )
    assert (decision.tool is not None) == (decision.margin >= threshold)


@given(ROWS, ROWS, st.floats(min_value=-20.0, max_value=20.0))
def test_a_score_added_to_every_choice_changes_nothing(
    row: tuple[float, ...], baseline: tuple[float, ...], shift: float
) -> None:
    moved = tuple(value + shift for value in row)
    plain = read_decision(scores(*row, baseline=baseline), NAMES, threshold=0, must_call=True)
    shifted = read_decision(scores(*moved, baseline=baseline), NAMES, threshold=0, must_call=True)
    assert shifted.margin == pytest.approx(plain.margin, abs=TOLERANCE)


@given(ROWS)
def test_a_message_scored_like_one_without_content_has_no_margin(row: tuple[float, ...]) -> None:
    decision = read_decision(scores(*row, baseline=row), NAMES, threshold=0.0, must_call=False)
    assert decision.margin == pytest.approx(0.0, abs=TOLERANCE)


@given(ROWS)
def test_rivals_are_the_few_other_tools_that_are_almost_as_likely(row: tuple[float, ...]) -> None:
    decision = read_decision(scores(*row), NAMES, threshold=0.0, must_call=True)
    assert decision.tool not in decision.rivals
    assert len(decision.rivals) <= MAX_RIVALS
    likely = [row[NAMES.index(name)] for name in decision.rivals]
    assert likely == sorted(likely, reverse=True)
    assert all(max(row[:-1]) - value <= RIVAL_MARGIN for value in likely)


def test_a_tool_that_is_far_less_likely_is_no_rival() -> None:
    row = scores(-1.0, -1.0 - RIVAL_MARGIN, -1.5 - RIVAL_MARGIN, -9.0)
    assert read_decision(row, NAMES, threshold=0.0, must_call=True).rivals == ("order",)
