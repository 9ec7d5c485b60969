from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

import pytest
from pydantic import BaseModel, Field

from smallhold.agents import Agent, Config, Ending
from smallhold.agents.asking import PROSE_GRAMMAR, form_note
from smallhold.agents.context import ContextBudget, DropKind
from smallhold.agents.output_types import output_type
from smallhold.exceptions import (
    ConfigError,
    ContextOverflowError,
    InvalidOutputError,
    ModelOutputError,
    PartOverflowError,
)
from smallhold.generation import JsonSchemaConstraint, LarkConstraint
from smallhold.messages import FinishReason, Role
from smallhold.runtimes import Capability
from smallhold.testing import NATIVE, OWN_DECODER, Entry, Reply, ScriptedRuntime, call
from smallhold.tools import tool_from_function

if TYPE_CHECKING:
    from tests.agents.conftest import Desk


class Mood(StrEnum):
    GLAD = "glad"
    ANGRY = "angry"


class Ticket(BaseModel):
    topic: str
    mood: Mood
    urgency: int = Field(ge=1, le=5)


@dataclass
class Parcel:
    street: str


class Contradictory(BaseModel):
    size: int = Field(ge=5, le=3)


class Tree(BaseModel):
    leaves: list[Tree]


TICKET = '{"topic": "lamp", "mood": "angry", "urgency": 4}'


def plain(
    *script: Entry, kind: frozenset[Capability] = OWN_DECODER
) -> tuple[Agent, ScriptedRuntime]:
    runtime = ScriptedRuntime(script, capabilities=kind)
    return Agent(Config(name="plain"), runtime=runtime), runtime


# Typed answers


async def test_an_answer_is_a_value_of_the_type_that_was_asked_for(
    kind: frozenset[Capability],
) -> None:
    agent, _ = plain(TICKET, kind=kind)
    result = await agent.run("My lamp is broken, again!", output_type=Ticket)
    assert result.output == Ticket(topic="lamp", mood=Mood.ANGRY, urgency=4)
    assert (result.text, result.ending) == (TICKET, Ending.ANSWERED)


@pytest.mark.parametrize(
    ("annotation", "text", "value"),
    [
        (list[int], "[1, 2]", [1, 2]),
        (bool, "true", True),
        (int, "42", 42),
        (Literal["yes", "no"], '"yes"', "yes"),
        (Mood, '"glad"', Mood.GLAD),
        (Parcel, '{"street": "Low Road"}', Parcel(street="Low Road")),
        (list[Ticket], f"[{TICKET}]", [Ticket(topic="lamp", mood=Mood.ANGRY, urgency=4)]),
    ],
)
async def test_any_type_that_json_can_express_will_do(
    kind: frozenset[Capability], annotation: object, text: str, value: object
) -> None:
    agent, _ = plain(text, kind=kind)
    result = await agent.run("Tell me", output_type=annotation)
    assert result.output == value


async def test_where_the_decoder_is_ours_the_answer_is_decoded_under_the_schema() -> None:
    agent, runtime = plain(TICKET)
    await agent.run("My lamp is broken", output_type=Ticket)
    (request,) = runtime.requests
    assert isinstance(request.constraint, JsonSchemaConstraint)
    assert request.constraint.schema["required"] == ["topic", "mood", "urgency"]


async def test_the_model_is_told_of_the_form_and_the_session_is_not() -> None:
    agent, runtime = plain(TICKET, "Bye.")
    await agent.run("My lamp is broken", output_type=Ticket, session="kiosk")
    await agent.run("Thanks", session="kiosk")
    first, second = (request.prompt.messages for request in runtime.requests)
    assert form_note(output_type(Ticket)) in first[-1].content
    assert [m.content for m in second if m.role is Role.USER] == ["My lamp is broken", "Thanks"]
    assert [m.content for m in second if m.role is Role.ASSISTANT] == [TICKET]


async def test_a_model_whose_answer_is_of_another_form_is_told_what_is_wrong() -> None:
    wrong = TICKET.replace("4", '"very"')
    agent, runtime = plain(wrong, f"```json\n{TICKET}\n```", kind=NATIVE)
    result = await agent.run("My lamp is broken", output_type=Ticket, session="kiosk")
    assert result.output is not None
    assert result.output.urgency == 4
    *_, answered, told = runtime.requests[1].prompt.messages
    assert answered.content == wrong
    assert "urgency" in told.content
    assert "very" not in result.text
    assert result.usage.completion_tokens > len(TICKET.split())


async def test_a_model_that_never_gives_the_form_is_an_error_after_two_repairs() -> None:
    agent, runtime = plain("no", "never", "not at all", "unasked", kind=NATIVE)
    with pytest.raises(InvalidOutputError, match="JSON") as caught:
        await agent.run("My lamp is broken", output_type=Ticket, session="kiosk")
    assert isinstance(caught.value, ModelOutputError)
    assert len(runtime.requests) == 3
    assert "scripted" in str(caught.value)


async def test_an_answer_that_reached_the_token_limit_is_not_asked_for_again(
    kind: frozenset[Capability],
) -> None:
    cut = Reply(text='{"topic": "la', finish_reason=FinishReason.LENGTH)
    agent, runtime = plain(cut, TICKET, kind=kind)
    with pytest.raises(InvalidOutputError, match="max_tokens"):
        await agent.run("My lamp is broken", output_type=Ticket)
    assert len(runtime.requests) == 1


async def test_tools_are_used_before_a_typed_answer(
    desk: Desk, kind: frozenset[Capability]
) -> None:
    script = [call("stock", product="lamp"), '{"street": "Low Road"}']
    agent = desk.agent(ScriptedRuntime(script, capabilities=kind))
    result = await agent.run("Where are the lamps?", output_type=Parcel)
    assert desk.runs == ["stock(lamp, 1)"]
    assert result.output == Parcel(street="Low Road")


async def test_a_run_that_ends_with_a_question_has_no_value(desk: Desk) -> None:
    agent = desk.agent(ScriptedRuntime([call("order_status", order_id="9999")]))
    result = await agent.run("Where is my order?", output_type=Ticket)
    assert (result.ending, result.output) == (Ending.ASKED, None)


async def test_an_answer_of_a_type_is_given_even_where_no_tool_can_help(desk: Desk) -> None:
    agent = desk.agent(ScriptedRuntime([call("cannot_do"), TICKET]))
    result = await agent.run("My lamp is broken", output_type=Ticket)
    assert result.output is not None


@pytest.mark.parametrize("annotation", [Contradictory, Tree, object()])
async def test_a_type_that_no_answer_can_have_is_refused_before_the_model_is_asked(
    annotation: object,
) -> None:
    agent, runtime = plain("never")
    with pytest.raises(ConfigError) as caught:
        await agent.run("Tell me", output_type=annotation)
    assert caught.value.field == "output_type"
    assert caught.value.remedy
    assert runtime.requests == []


async def test_a_run_without_a_type_has_no_value(kind: frozenset[Capability]) -> None:
    agent, _ = plain("Hello.", kind=kind)
    assert (await agent.run("Hello")).output is None


async def test_prose_beside_tools_begins_with_words(desk: Desk) -> None:
    runtime = ScriptedRuntime(["It is here."])
    await desk.agent(runtime).run("Hello")
    assert runtime.requests[0].constraint == LarkConstraint(grammar=PROSE_GRAMMAR)


# The context window


async def test_what_no_longer_fits_is_left_out_and_said(kind: frozenset[Capability]) -> None:
    agent = Agent(
        Config(name="plain", max_tokens=100, context_budget=ContextBudget(summarises=False)),
        runtime=ScriptedRuntime(["so " * 60] * 12, capabilities=kind, context_tokens=500),
    )
    results = [await agent.run(f"Is it {number}?", session="kiosk") for number in range(12)]
    assert all(result.ending is Ending.ANSWERED for result in results)
    assert results[0].dropped == ()
    assert any(result.dropped for result in results)
    kinds = {one.kind for result in results for one in result.dropped}
    assert kinds <= {DropKind.TURN_REDUCED, DropKind.FACTS}


async def test_a_message_that_cannot_fit_is_refused_and_never_cut(
    kind: frozenset[Capability],
) -> None:
    runtime = ScriptedRuntime(["never"], capabilities=kind, context_tokens=200)
    agent = Agent(Config(name="plain", max_tokens=50), runtime=runtime)
    with pytest.raises(PartOverflowError, match="message") as caught:
        await agent.run("word " * 300)
    assert isinstance(caught.value, ContextOverflowError)
    assert runtime.requests == []


async def test_a_context_smaller_than_the_tools_is_refused_with_a_remedy(
    kind: frozenset[Capability],
) -> None:
    def manual() -> str:
        """Read the manual."""
        return "page one"

    wordy = tool_from_function(manual, description="word " * 4_000)
    runtime = ScriptedRuntime(["never"], capabilities=kind, context_tokens=2_000)
    agent = Agent(Config(name="desk", max_tokens=20), runtime=runtime, tools=[wordy])
    with pytest.raises(PartOverflowError, match="tools") as caught:
        await agent.run("Hello")
    assert "2,000" in str(caught.value)
    assert runtime.requests == []
