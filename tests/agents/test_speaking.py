from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from smallhold.agents import Agent, Config, Ending
from smallhold.agents.deadline import Deadline
from smallhold.agents.speaking import Speaker, Speech
from smallhold.generation import GenerationRequest, Prompt
from smallhold.messages import FinishReason, Message, Role, ToolCallEvent, ToolSchema, text_of
from smallhold.runtimes import Capability
from smallhold.testing import NATIVE, Call, Calls, Entry, Reply, ScriptedRuntime, call

if TYPE_CHECKING:
    from tests.agents.conftest import Desk, Listening

LOOK = ToolSchema(name="look", description="Look.", parameters={"type": "object"})
TEXT_CALL = '<tool_call>{"name": "order_status", "arguments": {"order_id": "1042"}}</tool_call>'


async def spoken(entry: Entry, *, max_tokens: int = 2_000) -> tuple[list[str], Speech]:
    speaker = Speaker(
        runtime=ScriptedRuntime([entry], capabilities=NATIVE),
        request=GenerationRequest(
            prompt=Prompt(messages=(Message(role=Role.USER, content="one two three"),)),
            max_tokens=max_tokens,
        ),
        tools=(LOOK,),
        deadline=Deadline(limit_s=60),
    )
    *pieces, speech = [piece async for piece in speaker.pieces()]
    assert isinstance(speech, Speech)
    return [str(piece) for piece in pieces], speech


async def test_words_are_shown_as_they_come() -> None:
    pieces, speech = await spoken("It is here.")
    assert pieces == ["It", " is", " here."]
    assert (speech.text, speech.finish_reason) == ("It is here.", FinishReason.STOP)
    assert speech.usage.passes > 0


async def test_a_blank_beginning_waits_for_words() -> None:
    pieces, speech = await spoken("\n\n  It is here.")
    assert pieces[0].startswith("\n\n ")
    assert "".join(pieces) == speech.text == "\n\n  It is here."
    pieces, speech = await spoken(" \n ")
    assert (pieces, speech.text) == ([], " \n ")


async def test_a_call_in_the_text_is_given_and_not_shown() -> None:
    pieces, speech = await spoken('Let me see. {"name": "look", "arguments": {"at": "x y"}}')
    assert "".join(pieces) == speech.text == "Let me see. "
    assert len(speech.text_calls) == 1


async def test_calls_of_the_runtime_stand_beside_text_and_before_calls_in_it() -> None:
    entry = Calls(
        calls=(call("look"), call("look", at=2)), text='So. {"name": "look", "arguments": {}}'
    )
    pieces, speech = await spoken(entry)
    assert "".join(pieces) == "So. "
    assert [one.arguments for one in speech.native_calls] == [{}, {"at": 2}]
    assert speech.text_calls == ()


async def test_an_endless_reply_is_stopped_early_and_its_cost_is_known() -> None:
    pieces, speech = await spoken("I can help you with that. " * 400)
    assert speech.is_repeating
    assert 5 < "".join(pieces).count("help") < 25
    assert speech.usage.completion_tokens == len(pieces)
    assert speech.usage.prompt_tokens == 3


async def test_an_endless_call_is_stopped_and_is_no_call_that_could_run() -> None:
    text = '<tool_call>{"name": "look", "arguments": {"at": "' + "na " * 500
    pieces, speech = await spoken(text)
    assert pieces == []
    assert speech.is_repeating
    (found,) = speech.text_calls
    assert not hasattr(found, "arguments")


async def test_a_server_that_knows_no_token_limit_is_stopped() -> None:
    words = " ".join(f"{number:040d}" for number in range(50))
    entry = Reply(text=words.replace(" ", "\n"))
    pieces, speech = await spoken(entry, max_tokens=1)
    assert speech.finish_reason is FinishReason.LENGTH
    assert len(pieces) == 1


# An agent's stream


async def test_half_a_call_is_never_shown(desk: Desk, listening: Listening) -> None:
    script = [f"Let me look. {TEXT_CALL}", "It is on its way."]
    agent = desk.agent(ScriptedRuntime(script, capabilities=NATIVE))
    events = await listening.events(agent.stream("Where is order 1042?"))
    text = text_of(events)
    assert text == "Let me look. It is on its way."
    assert any(isinstance(event, ToolCallEvent) for event in events)
    assert desk.runs == ["order_status(1042)"]


async def test_what_was_said_before_a_call_is_set_apart_and_part_of_the_text(desk: Desk) -> None:
    script = [Calls(calls=(call("stock", product="lamp"),), text="One moment."), "Three lamps."]
    runtime = ScriptedRuntime(script, capabilities=NATIVE)
    result = await desk.agent(runtime).run("Any lamps?", session="kiosk")
    assert result.text == "One moment.\n\nThree lamps."
    (called,) = [m for m in runtime.requests[-1].prompt.messages if m.tool_calls]
    assert called.content == "One moment."


async def test_an_answer_that_drifts_into_a_call_ends_before_it(desk: Desk) -> None:
    result = await desk.agent(ScriptedRuntime([f"It is here. {TEXT_CALL}"])).run("Hello")
    assert (result.text, result.ending) == ("It is here. ", Ending.ANSWERED)
    assert desk.runs == []


@pytest.mark.parametrize("text", ["Use {x} and <b>, [1] or `f`.", '{"name": "Ada", "age": 36}'])
async def test_braces_in_an_answer_come_through_byte_for_byte(
    desk: Desk, kind: frozenset[Capability], text: str
) -> None:
    result = await desk.agent(ScriptedRuntime([text], capabilities=kind)).run("Hello")
    assert result.text == text


async def test_a_model_that_says_the_same_for_ever_is_stopped(
    desk: Desk, kind: frozenset[Capability]
) -> None:
    runtime = ScriptedRuntime(["I can help you with that. " * 400], capabilities=kind)
    result = await desk.agent(runtime, Config(name="desk", max_tokens=4_000)).run("Help")
    assert result.ending is Ending.REPEATING
    assert len(result.text) < 1_000
    assert result.usage.completion_tokens < 200


async def test_an_agent_without_tools_shows_calls_as_the_text_that_they_are() -> None:
    agent = Agent(Config(name="plain"), runtime=ScriptedRuntime([TEXT_CALL]))
    assert await agent.chat_async("How is a call written?") == TEXT_CALL


async def test_a_cut_native_call_is_the_last_one_only(desk: Desk) -> None:
    cut = Call(name="stock", arguments={"product": "lamp"}, is_cut=True)
    script = [Calls(calls=(call("order_status", order_id="1042"), cut)), "Here."]
    runtime = ScriptedRuntime(script, capabilities=NATIVE)
    result = await desk.agent(runtime).run("Where is order 1042?")
    assert [step.ran for step in result.steps] == [True, False]
