from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from smallhold.agents.guardrails import Outcome, OutputCheck, UnfoundedActions
from smallhold.messages import Message, Role

if TYPE_CHECKING:
    from tests.agents.guardrails.conftest import Desk

LIE = "I have cancelled your order."


def outcome(check: OutputCheck) -> Outcome:
    return UnfoundedActions().check_output(check).outcome


@pytest.mark.parametrize(
    "text",
    [
        LIE,
        "Done!",
        "I have checked your order.",
        "Your order has been cancelled.",
        "Ich habe Ihre Bestellung storniert.",
        "J'ai annul\u00e9 votre commande.",
        "He cancelado su pedido.",
    ],
)
def test_a_claim_without_any_call_is_flagged(desk: Desk, text: str) -> None:
    assert outcome(desk.answer(text, user="Cancel my order, please.")) is Outcome.FLAG


@pytest.mark.parametrize(
    ("tool", "text"),
    [
        ("cancel_order", LIE),
        ("frobnicate", LIE),
        ("cancel_order", "Done!"),
        ("order_status", "I have checked your order."),
        ("send_mail", "Ich habe Ihnen eine E-Mail geschickt."),
    ],
)
def test_a_tool_that_acted_bears_a_claim_out(desk: Desk, tool: str, text: str) -> None:
    assert outcome(desk.answer(text, desk.step(tool, "ok"))) is Outcome.PASS


def test_a_tool_that_only_looks_does_not(desk: Desk) -> None:
    looked = desk.step("order_status", '{"order":"1042","status":"open"}')
    assert outcome(desk.answer(LIE, looked)) is Outcome.FLAG
    assert outcome(desk.answer("Done!", looked)) is Outcome.FLAG


def test_a_state_that_a_tool_has_read_may_be_told(desk: Desk) -> None:
    looked = desk.step("order_status", '{"order":"1042","status":"shipped"}')
    assert outcome(desk.answer("Your order has been shipped.", looked)) is Outcome.PASS


@pytest.mark.parametrize(
    ("content", "ran", "is_error"),
    [
        ("OSError: closed", True, True),
        ("not allowed", False, True),
        ('{"error": "There is no order 99."}', True, False),
    ],
)
def test_a_call_that_came_to_nothing_bears_nothing_out(
    desk: Desk, content: str, *, ran: bool, is_error: bool
) -> None:
    step = desk.step("cancel_order", content, ran=ran, is_error=is_error)
    assert outcome(desk.answer(LIE, step)) is Outcome.FLAG


def test_what_was_done_in_an_earlier_turn_may_be_told_again(desk: Desk) -> None:
    asked = Message(role=Role.USER, content="Is it cancelled?")
    done = desk.earlier("cancel_order", "ok")
    assert outcome(OutputCheck(text=LIE, conversation=(*done, asked))) is Outcome.PASS
    assert outcome(OutputCheck(text="All set.", conversation=(*done, asked))) is Outcome.PASS


def test_an_earlier_look_up_or_failure_does_not_excuse_a_lie(desk: Desk) -> None:
    asked = Message(role=Role.USER, content="Then cancel it.")
    for earlier in (
        desk.earlier("order_status", '{"status":"open"}'),
        desk.earlier("cancel_order", '{"error":"no"}'),
        desk.earlier("cancel_order", "Not done, something is missing. Ask for: the number."),
    ):
        assert outcome(OutputCheck(text=LIE, conversation=(*earlier, asked))) is Outcome.FLAG


def test_the_users_own_words_may_be_repeated(desk: Desk) -> None:
    check = desk.answer(
        "I see, your order has been cancelled.", user="My order has been cancelled!"
    )
    assert outcome(check) is Outcome.PASS


@pytest.mark.parametrize("text", ["How can I help?", "I can cancel it for you.", ""])
def test_an_answer_without_a_claim_passes(desk: Desk, text: str) -> None:
    assert outcome(desk.answer(text)) is Outcome.PASS


def test_a_lie_may_be_blocked_with_an_honest_sentence(desk: Desk) -> None:
    verdict = UnfoundedActions(action="block").check_output(desk.answer(LIE))
    assert verdict.outcome is Outcome.BLOCK
    assert verdict.message is not None
    assert "not done anything" in verdict.message
    assert verdict.reason == "the answer claims what no tool has done: cancel"
