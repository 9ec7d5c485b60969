from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.agents.guardrails import Outcome, ToolPolicy, at_most, between, one_of
from smallhold.exceptions import ConfigError
from smallhold.messages import JsonValue

if TYPE_CHECKING:
    from tests.agents.guardrails.conftest import Desk

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text()


@pytest.mark.parametrize(
    ("policy", "tool", "is_allowed"),
    [
        (ToolPolicy(), "pay", True),
        (ToolPolicy(allow={"look"}), "look", True),
        (ToolPolicy(allow={"look"}), "pay", False),
        (ToolPolicy(allow=()), "look", False),
        (ToolPolicy(deny={"pay"}), "pay", False),
        (ToolPolicy(deny={"pay"}), "look", True),
    ],
)
def test_lists_say_which_tools_may_run(
    desk: Desk, policy: ToolPolicy, tool: str, *, is_allowed: bool
) -> None:
    verdict = policy.check_call(desk.call(tool))
    assert (verdict.outcome is Outcome.PASS) == is_allowed


def test_an_argument_must_meet_its_rule(desk: Desk) -> None:
    policy = ToolPolicy(arguments={"refund": {"amount": at_most(100)}})
    assert policy.check_call(desk.call("refund", amount=100)).outcome is Outcome.PASS
    assert policy.check_call(desk.call("refund", amount=101)).outcome is Outcome.BLOCK
    assert policy.check_call(desk.call("other", amount=101)).outcome is Outcome.PASS


def test_an_argument_with_a_rule_must_be_given(desk: Desk) -> None:
    policy = ToolPolicy(arguments={"refund": {"amount": at_most(100)}})
    assert policy.check_call(desk.call("refund")).outcome is Outcome.BLOCK


def test_a_rule_must_say_true_and_nothing_like_it(desk: Desk) -> None:
    def sloppy(value: JsonValue) -> bool:
        return value  # type: ignore[return-value]  # what users write

    policy = ToolPolicy(arguments={"refund": {"reason": sloppy}})
    assert policy.check_call(desk.call("refund", reason="broken")).outcome is Outcome.BLOCK


def test_a_tool_runs_as_often_as_it_may(desk: Desk) -> None:
    policy = ToolPolicy(max_runs={"refund": 1})
    assert policy.check_call(desk.call("refund")).outcome is Outcome.PASS
    ran = desk.step("refund", "done")
    assert policy.check_call(desk.call("refund", ran)).outcome is Outcome.BLOCK
    refused = desk.step("refund", "not run", ran=False)
    assert policy.check_call(desk.call("refund", refused)).outcome is Outcome.PASS


def test_the_model_reads_the_policys_own_words(desk: Desk) -> None:
    policy = ToolPolicy(deny={"pay"}, message="Error: ask a colleague to pay.")
    assert policy.check_call(desk.call("pay")).message == "Error: ask a colleague to pay."


@given(value=SCALARS, limit=st.floats(allow_nan=False))
def test_only_numbers_within_the_limit_meet_a_rule_of_numbers(
    value: JsonValue, limit: float
) -> None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    assert at_most(limit)(value) is bool(is_number and value <= limit)  # type: ignore[operator]
    if at_most(limit)(value):
        assert between(float("-inf"), limit)(value)


@given(value=SCALARS)
def test_a_closed_list_takes_its_values_and_none_that_python_holds_equal(value: JsonValue) -> None:
    assert one_of("a", 1)(value) is (value == "a" or (value == 1 and type(value) is int))


@pytest.mark.parametrize(
    "fields",
    [
        {"allow": {"pay"}, "deny": {"pay"}},
        {"allow": "pay"},
        {"deny": "pay"},
        {"max_runs": {"pay": -1}},
    ],
)
def test_a_policy_that_cannot_be_meant_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        ToolPolicy(**fields)  # type: ignore[arg-type]  # wrong on purpose
