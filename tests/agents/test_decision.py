from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.agents.decision import (
    MAX_LEAD,
    MAX_RIVALS,
    RIVAL_MARGIN,
    Decision,
    decision_features,
    filled_features,
    further_features,
    next_tool,
    pick_rule,
    plain_margin,
    read_decision,
)
from smallhold.agents.leftovers import leftovers
from smallhold.agents.special_calls import INSTEAD_OF_A_CALL
from smallhold.generation import Scores
from smallhold.messages import ToolCall, ToolSchema, Usage
from smallhold.models import load_catalog
from smallhold.models.calibration import Calibration, LinearRule, packaged_calibration

NAMES = ("find", "order", "pay")
TOOLS = tuple(
    ToolSchema(name=name, description="Do it.", parameters={"type": "object"}) for name in NAMES
)
NOTHING = LinearRule(weights={}, intercept=0.0)
PLAIN = Calibration(
    fitted_on="invented",
    pick=LinearRule(weights={"score": 1.0}, intercept=0.0),
    call=LinearRule(weights={"over_cannot": 1.0}, intercept=0.0),
    further=NOTHING,
    suits=NOTHING,
    ask=NOTHING,
)
LOG_PROBS = st.floats(min_value=-50.0, max_value=0.0)
ROWS = st.tuples(*[LOG_PROBS] * (len(NAMES) + len(INSTEAD_OF_A_CALL)))
MESSAGES = st.sampled_from(["", "Find a lamp", "Pay, and order it!", "\u2028", "ß İ"])
TOLERANCE = 1e-6


def scores(
    *tools: float,
    ask: float = -9.0,
    cannot: float = -9.0,
    answer: float = -9.0,
    baseline: tuple[float, ...] | None = None,
) -> Scores:
    """Scores of the three tools and of each special call, in the order in which they are asked."""
    own = {"ask_user": ask, "cannot_do": cannot, "answer_directly": answer}
    return row(*tools, *(own[name] for name in INSTEAD_OF_A_CALL), baseline=baseline)


def row(*log_probs: float, baseline: tuple[float, ...] | None = None) -> Scores:
    return Scores(
        log_probs=log_probs,
        baseline_log_probs=baseline,
        token_counts=(1,) * len(log_probs),
        usage=Usage(),
    )


def read(
    given_scores: Scores,
    *,
    text: str = "",
    calibration: Calibration | None = None,
    must_call: bool = False,
    tools: tuple[ToolSchema, ...] = TOOLS,
) -> Decision:
    return read_decision(
        given_scores, tools, text=text, calibration=calibration, must_call=must_call
    )


# Whether a tool is called


def test_the_likeliest_tool_is_called_where_it_is_likelier_than_answering_and_giving_up() -> None:
    decision = read(scores(-5.0, -1.0, -3.0, answer=-4.0, cannot=-6.0))
    assert (decision.tool, decision.margin) == ("order", 3.0)


@pytest.mark.parametrize(
    ("answer", "cannot", "can_answer"),
    [(-1.0, -9.0, True), (-9.0, -1.0, False), (-1.0, -1.0, True)],
)
def test_no_tool_is_called_where_one_of_these_is_likelier(
    answer: float, cannot: float, *, can_answer: bool
) -> None:
    decision = read(scores(-5.0, -4.0, -6.0, answer=answer, cannot=cannot))
    assert (decision.tool, decision.margin, decision.can_answer) == (None, -3.0, can_answer)


def test_that_something_is_missing_speaks_for_no_tool_and_against_none() -> None:
    without = read(scores(-5.0, -1.0, -3.0, answer=-4.0))
    asking = read(scores(-5.0, -1.0, -3.0, answer=-4.0, ask=-0.1))
    assert (asking.tool, asking.margin) == (without.tool, without.margin)


def test_half_of_what_the_model_prefers_without_any_question_is_subtracted() -> None:
    biased = scores(-1.0, -5.0, -5.0, answer=-2.0, baseline=(-0.5, -6.0, -6.0, -9.5, -9.5, -3.5))
    assert biased.log_probs[-1] == -2.0
    decision = read(biased)
    assert decision.margin == pytest.approx(1.0 - 3.0 / 2)
    assert decision.tool is None


def test_a_margin_of_nothing_is_enough() -> None:
    assert read(scores(-1.0, -5.0, -5.0, answer=-1.0)).tool == "find"
    assert read(scores(-1.0, -5.0, -5.0, answer=-0.999)).tool is None


def test_a_model_s_calibration_decides_where_there_is_one() -> None:
    given_scores = scores(-5.0, -1.0, -3.0, answer=-0.5, cannot=-4.0)
    decision = read(given_scores, calibration=PLAIN)
    assert (decision.tool, decision.margin) == ("order", 3.0)
    strict = replace(PLAIN, call=LinearRule(weights={"over_cannot": 1.0}, intercept=-3.5))
    assert read(given_scores, calibration=strict).tool is None


@given(ROWS, st.none() | ROWS, MESSAGES, st.sampled_from([None, PLAIN]))
def test_a_tool_is_called_exactly_where_the_margin_is_not_negative(
    own: tuple[float, ...],
    baseline: tuple[float, ...] | None,
    text: str,
    calibration: Calibration | None,
) -> None:
    decision = read(row(*own, baseline=baseline), text=text, calibration=calibration)
    assert (decision.tool is not None) == (decision.margin >= 0.0)
    assert decision.features is not None
    rule = plain_margin if calibration is None else calibration.call
    assert decision.margin == rule(decision.features)


@given(ROWS, st.none() | ROWS, MESSAGES)
def test_a_required_call_is_made_whatever_the_margin_is(
    own: tuple[float, ...], baseline: tuple[float, ...] | None, text: str
) -> None:
    given_scores = row(*own, baseline=baseline)
    required = read(given_scores, text=text, must_call=True)
    free = read(given_scores, text=text)
    assert required.tool in NAMES
    assert free.tool in {None, required.tool}
    assert (required.margin, required.rivals) == (free.margin, free.rivals)


@given(ROWS, st.none() | ROWS, st.floats(-20.0, 20.0))
def test_a_score_added_to_every_choice_changes_nothing(
    own: tuple[float, ...], baseline: tuple[float, ...] | None, shift: float
) -> None:
    moved = tuple(value + shift for value in own)
    plain = read(row(*own, baseline=baseline), must_call=True)
    shifted = read(row(*moved, baseline=baseline), must_call=True)
    if plain.tool == shifted.tool:  # two that fit alike may change places
        assert shifted.margin == pytest.approx(plain.margin, abs=TOLERANCE)


# Which tool it is


def test_a_tool_that_the_model_always_likes_has_to_be_likelier_than_one_that_it_does_not() -> None:
    baseline = (-0.5, -6.0, -6.0, -9.0, -9.0, -9.0)
    assert read(scores(-1.0, -1.5, -9.0), must_call=True).tool == "find"
    assert read(scores(-1.0, -1.5, -9.0, baseline=baseline), must_call=True).tool == "order"


def test_a_tool_whose_name_was_said_fits_better() -> None:
    even = (0.0,) * 6
    close = scores(-1.0, -1.5, -9.0, baseline=even)
    assert read(close, must_call=True).tool == "find"
    assert read(close, text="Order it", must_call=True).tool == "order"


def test_where_examples_teach_what_is_meant_the_scores_alone_count() -> None:
    close = scores(-1.0, -1.5, -9.0)
    assert read(close, text="Order it", must_call=True).tool == "find"
    words = replace(PLAIN, pick=LinearRule(weights={"name_shared": 1.0}, intercept=0.0))
    assert read(close, text="Order it", calibration=words, must_call=True).tool == "find"
    even = scores(-1.0, -1.5, -9.0, baseline=(0.0,) * 6)
    assert pick_rule(even, words) is words.pick
    assert read(even, text="Order it", calibration=words, must_call=True).tool == "order"


@given(ROWS, st.none() | ROWS, MESSAGES, st.permutations(range(len(NAMES))))
def test_tools_in_another_order_give_the_same_decision(
    own: tuple[float, ...], baseline: tuple[float, ...] | None, text: str, order: list[int]
) -> None:
    def turned(values: tuple[float, ...]) -> tuple[float, ...]:
        return (*(values[place] for place in order), *values[len(NAMES) :])

    plain = read(row(*own, baseline=baseline), text=text, must_call=True)
    other = read(
        row(*turned(own), baseline=None if baseline is None else turned(baseline)),
        text=text,
        must_call=True,
        tools=tuple(TOOLS[place] for place in order),
    )
    if len(set(own[: len(NAMES)])) == len(NAMES) and plain.tool == other.tool:
        assert other.margin == pytest.approx(plain.margin, abs=TOLERANCE)
    if plain.tool != other.tool:  # only of two that fit alike
        assert plain.tool in other.rivals
        assert other.tool in plain.rivals


def with_bias(*tools: float) -> Scores:
    return scores(*tools, baseline=(-5.0,) * (len(NAMES) + len(INSTEAD_OF_A_CALL)))


def test_of_several_wishes_the_one_that_was_said_first_comes_first() -> None:
    assert read(with_bias(-9.0, -1.0, -4.0), text="Pay for it and then order it").tool == "pay"
    assert read(with_bias(-9.0, -1.0, -4.0), text="Order it and then pay for it").tool == "order"


def test_for_one_wish_the_order_of_the_words_counts_for_nothing() -> None:
    assert read(with_bias(-9.0, -1.0, -4.0), text="Pay what to order").tool == "order"


def test_a_tool_that_fits_far_worse_is_not_what_was_wished_first() -> None:
    assert read(with_bias(-9.0, -1.0, -20.0), text="Pay for it and then order it").tool == "order"


@given(ROWS)
def test_rivals_are_the_few_other_tools_that_fit_almost_as_well(own: tuple[float, ...]) -> None:
    decision = read(row(*own), must_call=True)
    assert decision.tool not in decision.rivals
    assert len(decision.rivals) <= MAX_RIVALS
    likely = [own[NAMES.index(name)] for name in decision.rivals]
    assert likely == sorted(likely, reverse=True)
    assert all(max(own[: len(NAMES)]) - value <= RIVAL_MARGIN for value in likely)


def test_a_tool_that_fits_far_worse_is_no_rival() -> None:
    decision = read(scores(-1.0, -1.0 - RIVAL_MARGIN, -1.5 - RIVAL_MARGIN), must_call=True)
    assert decision.rivals == ("order",)


# What it is read from


def features(given_scores: Scores, text: str = "", *, count: int = 3) -> dict[str, float]:
    pick = LinearRule(weights={"score": 1.0}, intercept=0.0)
    return decision_features(given_scores, TOOLS[:count], text=text, pick=pick)


def test_features_say_how_far_the_tool_is_ahead_of_everything_else() -> None:
    found = features(
        scores(
            -5.0,
            -1.0,
            -3.0,
            ask=-2.0,
            cannot=-7.0,
            answer=-4.0,
            baseline=(-2.0, -3.0, -9.0, -4.0, -4.0, -1.0),
        )
    )
    expected = {
        "over_ask": 1.0, "over_cannot": 6.0, "over_answer": 3.0,
        "bias_over_ask": 2.0, "bias_over_cannot": 2.0, "bias_over_answer": -1.0,
        "tool": -1.0, "tool_gain": 2.0, "lead": 2.0, "tools": math.log(3),
    }  # fmt: skip
    assert {name: found[name] for name in expected} == pytest.approx(expected)


def test_a_lone_tool_leads_as_far_as_counts() -> None:
    assert features(row(-1.0, -2.0, -2.0, -2.0), count=1)["lead"] == MAX_LEAD
    assert features(scores(-1.0, -90.0, -90.0))["lead"] == MAX_LEAD


def test_features_say_what_message_and_tool_have_in_common() -> None:
    offered = ToolSchema(name="order_lamp", description="Order a new lamp.", parameters={})
    pick = LinearRule(weights={"score": 1.0}, intercept=0.0)
    own = row(-1.0, -2.0, -2.0, -2.0)
    found = decision_features(own, [offered], text="Lamps, of an orderly kind", pick=pick)
    assert found["overlap"] == pytest.approx(2 / 3)
    assert found["words"] == pytest.approx(math.log1p(3))


@given(ROWS, st.none() | ROWS, st.text(max_size=30))
def test_features_are_always_the_same_finite_numbers(
    own: tuple[float, ...], baseline: tuple[float, ...] | None, text: str
) -> None:
    found = features(row(*own, baseline=baseline), text)
    assert found.keys() == features(scores(-1.0, -2.0, -3.0)).keys()
    assert all(math.isfinite(value) for value in found.values())


def made_of(*names: str) -> list[ToolCall]:
    return [ToolCall(id="1", name=name, arguments={}) for name in names]


# One more call


@pytest.mark.parametrize(
    ("log_probs", "used", "expected"),
    [
        ((-1.0, -2.0, -9.0), (), "find"),
        ((-1.0, -2.0, -9.0), ("find",), "order"),
        ((-1.0, -3.9, -9.0), ("find",), "order"),
        ((-1.0, -4.1, -9.0), ("find",), "find"),
        ((-1.0, -2.0, -9.0), ("find", "order"), "find"),
        ((-1.0, -2.0, -3.0), ("find", "order", "find"), "pay"),
        ((-1.0, -2.0, -9.0), ("find", "order", "pay"), "find"),
        ((-2.0, -1.0, -9.0), ("a_tool_of_before",), "order"),
    ],
)
def test_a_tool_that_was_used_must_lead_by_far_to_be_used_again(
    log_probs: tuple[float, ...], used: tuple[str, ...], expected: str
) -> None:
    own = row(*log_probs, 0.0)
    assert NAMES[next_tool(own, TOOLS, made=made_of(*used))] == expected


@given(st.tuples(*[LOG_PROBS] * (len(NAMES) + 1)), st.sets(st.sampled_from(NAMES)))
def test_the_next_tool_is_the_likeliest_of_all_or_almost_and_then_of_those_not_used(
    own: tuple[float, ...], used: set[str]
) -> None:
    scored = dict(zip(NAMES, own, strict=False))
    chosen = NAMES[next_tool(row(*own), TOOLS, made=made_of(*used))]
    others = [value for name, value in scored.items() if (name in used) == (chosen in used)]
    assert scored[chosen] == pytest.approx(max(others), abs=TOLERANCE)
    behind = max(scored.values()) - scored[chosen]
    assert behind <= (TOLERANCE if chosen in used else 3.0 + TOLERANCE)


SEVERAL = "Find a lamp, a bed; AND a sofa too, sand"


def test_a_second_call_is_read_from_scores_and_from_the_length_of_the_message() -> None:
    own = row(-1.0, -9.0, -9.0, -3.0)
    found = further_features(own, TOOLS, made=made_of("find"), text=SEVERAL)
    expected = {
        "over_done": 2.0, "is_same": 1.0, "is_second": 1.0, "second_words": math.log1p(10),
    }  # fmt: skip
    assert {name: found[name] for name in expected} == pytest.approx(expected)
    silent = further_features(own, TOOLS, made=made_of("find"), text="")
    assert (silent["is_second"], silent["second_words"]) == (1.0, 0.0)


def test_a_third_call_is_read_from_scores_and_from_what_is_left_to_do() -> None:
    own = row(-1.0, -9.0, -9.0, -3.0)
    made = made_of("find", "pay")
    found = further_features(own, TOOLS, made=made, text=SEVERAL)
    assert (found["over_done"], found["is_same"]) == (2.0, 0.0)
    assert (found["is_second"], found["second_words"]) == (0.0, 0.0)
    left = leftovers(SEVERAL, TOOLS, made=made)
    assert {name: found[name] for name in left} == left


def test_the_tool_that_would_be_called_is_the_one_that_is_compared_with_being_done() -> None:
    found = further_features(row(-1.0, -2.5, -9.0, -3.0), TOOLS, made=made_of("find"), text=SEVERAL)
    assert (found["over_done"], found["is_same"]) == (0.5, 0.0)


# What a filled call is read from


def test_a_filled_call_is_read_from_the_decision_and_its_arguments() -> None:
    decision = read(scores(-1.0, -5.0, -5.0, ask=-2.0), text="Find a lamp")
    assert decision.features is not None
    found = filled_features(decision, arguments=3, required=2, invented=1, unmentioned=4)
    expected = {
        **decision.features, "invented": 1.0, "unmentioned": 4.0, "invented_share": 0.5,
        "said": 2.0, "required": math.log1p(2),
    }  # fmt: skip
    assert found == pytest.approx(expected)
    none = filled_features(decision, arguments=0, required=0, invented=0, unmentioned=0)
    assert (none["invented_share"], none["said"], none["required"]) == (0.0, 0.0, 0.0)
    odd = filled_features(decision, arguments=0, required=0, invented=2, unmentioned=2)
    assert (odd["invented_share"], odd["said"]) == (2.0, 0.0)


def packaged() -> list[str]:
    catalog = load_catalog()
    named = {catalog.resolve(alias).calibration for alias in catalog.aliases}
    return sorted(name for name in named if name is not None)


@pytest.mark.parametrize("name", packaged())
def test_a_packaged_calibration_weighs_nothing_but_what_is_read(name: str) -> None:
    calibration = packaged_calibration(name)
    given_scores = scores(-1.0, -5.0, -5.0, baseline=(-2.0,) * 6)
    decision = read(given_scores, text="Find a lamp", calibration=calibration, must_call=True)
    further = further_features(given_scores, TOOLS, made=made_of("find"), text="Find a lamp")
    filled = filled_features(decision, arguments=1, required=1, invented=0, unmentioned=0)
    assert math.isfinite(decision.margin)
    assert math.isfinite(calibration.further(further))
    assert math.isfinite(calibration.suits(filled))
    assert math.isfinite(calibration.ask(filled))
