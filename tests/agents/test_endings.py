from __future__ import annotations

import pytest

from smallhold.agents import Ending, Step
from smallhold.agents.endings import asking_text, giving_up_text
from smallhold.agents.signatures import described
from smallhold.messages import ToolCall, ToolSchema

GIVEN_UP = [
    Ending.REPEATED_CALL,
    Ending.NO_PROGRESS,
    Ending.INVALID_CALLS,
    Ending.STEP_LIMIT,
    Ending.NO_ANSWER,
]


def step(content: str, *, ran: bool = True, name: str = "find") -> Step:
    call = ToolCall(id="1", name=name, arguments={})
    return Step(call=call, content=content, is_error=not ran, ran=ran, margin=None)


def test_what_is_missing_is_named_by_its_description_or_its_name() -> None:
    schema = ToolSchema(
        name="book",
        description="Book.",
        parameters={
            "type": "object",
            "properties": {
                "phone": {"type": "string", "description": "Phone number with area code."},
                "code": {"type": "string"},
            },
        },
    )
    texts = described(schema, ["phone", "code", "other"])
    assert texts == ("Phone number with area code", "code", "other")


@pytest.mark.parametrize("ending", GIVEN_UP)
def test_a_text_that_gives_up_shows_only_the_beginning_of_a_long_result(ending: Ending) -> None:
    text = giving_up_text(ending, [step("x" * 5_000)])
    assert "find: xxx" in text
    assert len(text) < 600
    assert giving_up_text(ending, []).strip()


def test_what_was_learned_is_of_a_call_that_ran() -> None:
    text = giving_up_text(Ending.STEP_LIMIT, [step("three lamps"), step("refused", ran=False)])
    assert "three lamps" in text


def test_an_end_by_invalid_calls_says_what_was_wrong() -> None:
    text = giving_up_text(Ending.INVALID_CALLS, [step("`least` must be a number", ran=False)])
    assert "find: `least` must be a number" in text


def test_a_question_names_what_is_missing_and_what_is_done() -> None:
    assert asking_text(["the phone number"], []) == (
        "I need this from you first: the phone number. Could you tell me?"
    )
    assert "booked" in asking_text(["the phone number"], [step("booked")])
    assert "refused" not in asking_text(["the phone number"], [step("refused", ran=False)])
