from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from smallhold.agents.guardrails import AnswerLanguage, Outcome, OutputCheck
from smallhold.messages import Message, Role

if TYPE_CHECKING:
    from tests.agents.guardrails.conftest import Desk

GERMAN = "Ihre Bestellung ist auf dem Weg und wird am Freitag geliefert."
ENGLISH = "Your order is on its way and will be with you on Friday."
CHINESE = "\u60a8\u7684\u8ba2\u5355\u5df2\u53d1\u8d27\u3002"


@pytest.mark.parametrize(
    ("user", "answer", "expected"),
    [
        ("Where is my order?", ENGLISH, Outcome.PASS),
        ("Where is my order?", GERMAN, Outcome.FLAG),
        ("Where is my order?", CHINESE, Outcome.FLAG),
        ("Wo ist meine Bestellung?", ENGLISH, Outcome.FLAG),
        ("Wo ist meine Bestellung?", GERMAN, Outcome.PASS),
        ("1042", GERMAN, Outcome.PASS),
        ("Where is my order? Answer in German.", GERMAN, Outcome.PASS),
        ("Where is my order?", "1042", Outcome.PASS),
    ],
)
def test_an_answer_is_compared_with_the_users_message(
    desk: Desk, user: str, answer: str, expected: Outcome
) -> None:
    assert AnswerLanguage().check_output(desk.answer(answer, user=user)).outcome is expected


def test_a_short_message_has_the_language_of_those_before() -> None:
    conversation = (
        Message(role=Role.USER, content="Wo ist meine Bestellung?"),
        Message(role=Role.ASSISTANT, content="Welche Nummer hat sie?"),
        Message(role=Role.USER, content="1042"),
    )
    check = OutputCheck(text=ENGLISH, conversation=conversation)
    assert AnswerLanguage().check_output(check).outcome is Outcome.FLAG
    assert AnswerLanguage(action="block").check_output(check).outcome is Outcome.BLOCK


def test_without_a_message_nothing_is_compared() -> None:
    assert AnswerLanguage().check_output(OutputCheck(text=GERMAN)).outcome is Outcome.PASS
