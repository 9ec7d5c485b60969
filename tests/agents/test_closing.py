from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from smallhold.agents import Agent, Config, Ending
from smallhold.agents.guardrails import (
    InputCheck,
    Outcome,
    OutputCheck,
    Verdict,
    on_input,
    on_output,
)
from smallhold.exceptions import InvalidOutputError
from smallhold.messages import DoneEvent, Role, TokenEvent, text_of
from smallhold.runtimes import Capability
from smallhold.testing import NATIVE, Calls, ScriptedRuntime, call

if TYPE_CHECKING:
    from tests.agents.conftest import Desk, Listening


@dataclass
class Street:
    street: str


@on_input
def no_plums(check: InputCheck) -> Verdict:
    """Block and replace by what is said."""
    if "plum" in check.text:
        return Verdict.block("plums", message="Not about plums, please.")
    if "4711" in check.text:
        return Verdict.replace(check.text.replace("4711", "[number]"), reason="a number")
    return Verdict.ok()


@on_output
def no_secrets(check: OutputCheck) -> Verdict:
    """Block an answer with a secret."""
    if "secret" in check.text:
        return Verdict.block("a secret", message="I would rather not say.")
    return Verdict.ok()


def guarded(runtime: ScriptedRuntime, *guardrails: object) -> Agent:
    config = Config(name="plain", guardrails=guardrails)  # pyright: ignore[reportArgumentType] - of several stages
    return Agent(config, runtime=runtime)


async def test_a_message_that_is_blocked_reaches_no_model_and_no_session(
    kind: frozenset[Capability], listening: Listening
) -> None:
    runtime = ScriptedRuntime(["Hello.", "Hello again."], capabilities=kind)
    agent = guarded(runtime, no_plums)
    result = await agent.run("Tell me of plums", session="kiosk")
    assert (result.text, result.ending) == ("Not about plums, please.", Ending.BLOCKED)
    assert result.flags[0].outcome is Outcome.BLOCK
    assert runtime.requests == []
    events = await listening.events(agent.stream("More plums", session="kiosk"))
    assert [type(event) for event in events] == [TokenEvent, DoneEvent]
    await agent.run("Hello", session="kiosk")
    said = [m.content for m in runtime.requests[0].prompt.messages if m.role is Role.USER]
    assert said == ["Hello"]


async def test_a_message_that_is_replaced_is_never_seen_as_it_was(
    kind: frozenset[Capability],
) -> None:
    runtime = ScriptedRuntime(["Noted.", "Yes."], capabilities=kind)
    agent = guarded(runtime, no_plums)
    await agent.run("My number is 4711", session="kiosk")
    await agent.run("Do you have it?", session="kiosk")
    assert all("4711" not in str(request.prompt.messages) for request in runtime.requests)
    assert "[number]" in str(runtime.requests[-1].prompt.messages)


async def test_an_answer_that_may_be_blocked_is_shown_when_it_has_passed(
    kind: frozenset[Capability], listening: Listening
) -> None:
    agent = guarded(ScriptedRuntime(["It is here."], capabilities=kind), no_secrets)
    events = await listening.events(agent.stream("Hello"))
    assert [type(event) for event in events] == [TokenEvent, DoneEvent]
    assert text_of(events) == "It is here."


async def test_an_answer_that_is_blocked_is_never_shown(
    kind: frozenset[Capability], listening: Listening
) -> None:
    script = ["It is a secret plan.", "Fine."]
    runtime = ScriptedRuntime(script, capabilities=kind)
    agent = guarded(runtime, no_secrets)
    events = await listening.events(agent.stream("Hello", session="kiosk"))
    assert text_of(events) == "I would rather not say."
    await agent.run("And now?", session="kiosk")
    assert "secret plan" not in str(runtime.requests[-1].prompt.messages)


async def test_what_is_said_before_a_call_waits_for_the_end_too(
    desk: Desk, listening: Listening
) -> None:
    moment = Calls(calls=(call("stock", product="lamp"),), text="A secret moment.")
    runtime = ScriptedRuntime([moment, "Three."], capabilities=NATIVE)
    agent = desk.agent(runtime, Config(name="desk", guardrails=(no_secrets,)))
    events = await listening.events(agent.stream("Any lamps?"))
    assert text_of(events) == "I would rather not say."
    assert desk.runs == ["stock(lamp, 1)"]


async def test_an_output_guardrail_sees_the_steps_and_the_conversation(
    desk: Desk, kind: frozenset[Capability]
) -> None:
    seen: list[OutputCheck] = []

    @on_output
    def note(check: OutputCheck) -> Verdict:
        seen.append(check)
        return Verdict.flag("noted")

    runtime = ScriptedRuntime([call("stock", product="lamp"), "Three."], capabilities=kind)
    config = Config(name="desk", context="We close at 5.", guardrails=(note,))
    result = await desk.agent(runtime, config).run("Any lamps?", session="kiosk", context="till")
    (check,) = seen
    assert check.text == "Three."
    assert [step.call.name for step in check.steps] == ["stock"]
    assert check.conversation[0].content == "Any lamps?"
    assert any("close at 5" in text for text in check.knowledge)
    assert (check.session, check.context) == ("kiosk", "till")
    assert [flag.reason for flag in result.flags] == ["noted"]
    assert result.ending is Ending.ANSWERED


async def test_an_action_that_was_only_claimed_is_flagged_by_default(
    desk: Desk, kind: frozenset[Capability], listening: Listening
) -> None:
    lie = "I have sent you the catalog."
    result = await desk.agent(ScriptedRuntime([lie], capabilities=kind)).run("Send the catalog")
    assert [flag.guardrail for flag in result.flags] == ["unfounded_actions"]
    script = [call("mail", email="ada@example.org"), lie]
    honest = await desk.agent(ScriptedRuntime(script, capabilities=kind)).run(
        "Send the catalog to ada@example.org"
    )
    assert honest.flags == ()
    agent = desk.agent(ScriptedRuntime([lie], capabilities=kind))
    events = await listening.events(agent.stream("Send the catalog"))
    assert len(events) == len(lie.split()) + 1


async def test_an_output_guardrail_that_fails_blocks(kind: frozenset[Capability]) -> None:
    @on_output
    def broken(check: OutputCheck) -> Verdict:
        raise KeyError(check.text)

    agent = guarded(ScriptedRuntime(["It is here."], capabilities=kind), broken)
    result = await agent.run("Hello")
    assert result.ending is Ending.BLOCKED
    assert "here" not in result.text


async def test_the_agent_s_own_words_are_checked_as_well(desk: Desk) -> None:
    class Till(type(desk)):
        def stock(self, product: str, least: int = 1) -> dict[str, int]:
            """Count a product in the shop."""
            return {f"secret {product}": least}

    runtime = ScriptedRuntime([call("stock", product="lamp"), ""])
    config = Config(name="desk", guardrails=(no_secrets,))
    result = await Till().agent(runtime, config).run("Any lamps?")
    assert result.ending is Ending.BLOCKED
    assert "secret" not in result.text


@pytest.mark.parametrize(("text", "is_fine"), [('{"street": "High Road"}', True), ("gone", False)])
async def test_a_replaced_typed_answer_is_read_anew(
    kind: frozenset[Capability],
    text: str,
    is_fine: bool,  # noqa: FBT001 - pytest gives it
) -> None:
    swap = on_output(lambda check: Verdict.replace(text, reason=str(len(check.text))))
    agent = guarded(ScriptedRuntime(['{"street": "Low Road"}'], capabilities=kind), swap)
    if is_fine:
        result = await agent.run("Where?", output_type=Street)
        assert result.output == Street(street="High Road")
    else:
        with pytest.raises(InvalidOutputError):
            await agent.run("Where?", output_type=Street)


async def test_a_blocked_typed_answer_has_no_value(kind: frozenset[Capability]) -> None:
    agent = guarded(ScriptedRuntime(['{"street": "secret"}'], capabilities=kind), no_secrets)
    result = await agent.run("Where?", output_type=Street)
    assert (result.ending, result.output) == (Ending.BLOCKED, None)
