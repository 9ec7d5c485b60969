from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from smallhold.agents.guardrails import (
    Outcome,
    OutputCheck,
    UngroundedValues,
    ValueKind,
    holds_answers_back,
)
from smallhold.messages import Message, Role

if TYPE_CHECKING:
    from tests.agents.guardrails.conftest import Desk

SHOP = [
    (
        '{"order":"1042","status":"shipped","arrives":"Friday 20 November","items":["2 x lamp"]}',
        "Your order 1042 has been shipped and arrives on Friday, 20 November. It holds 2 lamps.",
    ),
    (
        '{"product":"Aurora","price":"\u00a379.99","pieces":4,"warranty":"24 months"}',
        "The Aurora costs \u00a379.99. We have 4 in stock, with a warranty of 2 years.",
    ),
    (
        '{"category":"headphones","in_stock":["Nimbus 2, \u00a359.00","Echo Pro, \u00a389.50"]}',
        "We have two: Nimbus 2 for \u00a359.00 and Echo Pro for \u00a389.50.",
    ),
    (
        '{"callback":"B7","phone":"+441614960321","time":"Tuesday 17 November, 10:00"}',
        "We will call you at 0161 496 0321 on Tuesday, 17 November at 10 am. Reference: B7.",
    ),
    (
        '{"error":"There is no order 99."}',
        "I could not find an order 99. Could you check the number?",
    ),
    (
        '{"ticket":"T12","order":"1042","category":"defect","open":true}',
        "I have opened ticket T12 for your order 1042.",
    ),
]


@pytest.mark.parametrize(("result", "answer"), SHOP)
def test_good_answers_of_a_shop_are_not_flagged(desk: Desk, result: str, answer: str) -> None:
    check = desk.answer(
        answer, desk.step("shop", result), knowledge=("The warranty is 2 years by law.",)
    )
    assert UngroundedValues().check_output(check).outcome is Outcome.PASS


def test_a_value_from_nowhere_is_flagged_with_its_kind(desk: Desk) -> None:
    check = desk.answer("It costs \u00a349.", desk.step("stock", '{"price":"\u00a379.99"}'))
    verdict = UngroundedValues().check_output(check)
    assert verdict.outcome is Outcome.FLAG
    assert verdict.reason == "nothing bears out 1 stated values: money '49'"


def test_what_the_agent_wrote_before_proves_nothing() -> None:
    conversation = (
        Message(role=Role.USER, content="When?"),
        Message(role=Role.ASSISTANT, content="On 20 November."),
        Message(role=Role.USER, content="Really?"),
    )
    check = OutputCheck(text="Yes, on 20 November.", conversation=conversation)
    assert UngroundedValues().check_output(check).outcome is Outcome.FLAG


def test_the_users_words_and_knowledge_are_evidence(desk: Desk) -> None:
    check = desk.answer(
        "Order 1042 can be returned within 30 days.",
        user="My order 1042 is broken.",
        knowledge=("Returns: 30 days.",),
    )
    assert UngroundedValues().check_output(check).outcome is Outcome.PASS


def test_the_arguments_of_a_refused_call_prove_nothing(desk: Desk) -> None:
    refused = desk.step("call_back", "not run", ran=False, is_error=True)
    refused.call.arguments["phone"] = "0800 123 4567"
    check = desk.answer("We call you at 0800 123 4567.", refused)
    assert UngroundedValues().check_output(check).outcome is Outcome.FLAG


def test_only_the_chosen_kinds_are_compared(desk: Desk) -> None:
    money = UngroundedValues(kinds=frozenset({ValueKind.MONEY}))
    assert money.check_output(desk.answer("There are 7 left.")).outcome is Outcome.PASS


def test_an_answer_is_held_back_only_if_it_may_be_blocked(desk: Desk) -> None:
    strict = UngroundedValues(action="block", message="I am not sure.")
    verdict = strict.check_output(desk.answer("It costs $7."))
    assert (verdict.outcome, verdict.message) == (Outcome.BLOCK, "I am not sure.")
    assert holds_answers_back([strict])
    assert not holds_answers_back([UngroundedValues()])
