from __future__ import annotations

from smallhold.agents.deadline import Deadline
from smallhold.agents.planning import Intent
from smallhold.agents.record import TurnRecord
from smallhold.agents.result import Ending, Step
from smallhold.messages import Message, Role, ToolCall


def record() -> TurnRecord:
    asked = Message(role=Role.USER, content="Any lamps?")
    return TurnRecord(deadline=Deadline(limit_s=60), conversation=[asked])


def step(call_id: str) -> Step:
    call = ToolCall(id=call_id, name="stock", arguments={})
    return Step(call=call, content=f"result {call_id}", is_error=False, ran=True, margin=None)


def test_the_calls_of_one_decision_are_one_message_and_a_result_each() -> None:
    turn = record()
    turn.say("One moment.")
    steps = [step("1"), step("2")]
    turn.steps += steps
    turn.called()
    _, called, first, second = turn.conversation
    assert (called.content, [call.id for call in called.tool_calls]) == ("One moment.", ["1", "2"])
    assert [(m.role, m.tool_call_id) for m in (first, second)] == [
        (Role.TOOL, "1"),
        (Role.TOOL, "2"),
    ]
    assert turn.decisions == 1


def test_what_is_said_after_a_call_is_set_apart_from_what_was_said_before() -> None:
    turn = record()
    assert turn.say("One ") + turn.say("moment.") == "One moment."
    turn.steps.append(step("1"))
    turn.called()
    assert turn.say("Three.") == "\n\nThree."
    assert turn.text == "One moment.\n\nThree."
    assert turn.spoken == "Three."


def test_what_nobody_was_shown_can_be_taken_back() -> None:
    turn = record()
    turn.say("No JSON")
    turn.unsay()
    assert (turn.text, turn.spoken) == ("", "")


def test_the_first_decision_is_the_run_s() -> None:
    turn = record()
    turn.decided(Intent.CALL, 3.5)
    turn.decided(Intent.ANSWER, -2.0)
    result = turn.result(Ending.ANSWERED)
    assert (result.intent, result.margin) == (Intent.CALL, 3.5)


def test_the_first_words_are_timed_once() -> None:
    turn = record()
    turn.shown()
    first_s = turn.first_token_s
    turn.shown()
    assert turn.result(Ending.ANSWERED).timing.first_token_s == first_s
