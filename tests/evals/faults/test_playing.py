"""Promises of `smallhold.evals.faults.playing`: this file holds tests of the two doubles."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from smallhold.evals.faults import Calls, Endless, FaultCase, Form, Stage, Text, Wish, cases_named
from smallhold.evals.faults.playing import (
    DecodedModel,
    NativeModel,
    entries,
    parsed_call,
    runtime_of,
)
from smallhold.exceptions import ContextOverflowError, ModelOutputError, UnsupportedFeatureError
from smallhold.generation import (
    EmbedRequest,
    GenerationRequest,
    JsonSchemaConstraint,
    Prompt,
    ScoreRequest,
)
from smallhold.messages import Completion, FinishReason, Message, Role, ToolSchema
from smallhold.runtimes import Runtime
from smallhold.testing import Call
from smallhold.testing import Reply as ScriptedReply

pytestmark = pytest.mark.anyio
CHOICES = ('get_weather",', 'no_suitable_tool",')


def case_named(name: str) -> FaultCase:
    return cases_named([name])[0]


def prompt_of(case: FaultCase, *said: tuple[Role, str]) -> Prompt:
    lines = ((Role.USER, case.exchanges[0].text), *said)
    tools = [
        ToolSchema(name=name, description=name, parameters={"type": "object"})
        for name in case.exchanges[0].tools
    ]
    messages = [Message(role=role, content=text) for role, text in lines]
    return Prompt(messages=tuple(messages), tools=tuple(tools))


async def spoken_by(runtime: Runtime, request: GenerationRequest) -> tuple[str, Completion]:
    async with runtime.stream(request) as stream:
        text = "".join([piece async for piece in stream])
        return text, stream.completion


async def test_a_server_hands_on_what_it_could_not_parse() -> None:
    case = case_named("arguments_not_json")
    _, completion = await spoken_by(
        NativeModel(Stage(case)), GenerationRequest(prompt=prompt_of(case))
    )
    (call,) = completion.message.tool_calls
    assert (call.arguments, call.raw_arguments) == ({}, "{city: Paris, days 3")
    assert completion.finish_reason is FinishReason.TOOL_CALLS


async def test_a_call_that_came_as_text_is_streamed_in_pieces() -> None:
    case = case_named("half_call_in_stream")
    runtime = NativeModel(Stage(case))
    async with runtime.stream(GenerationRequest(prompt=prompt_of(case))) as stream:
        with pytest.raises(ModelOutputError):
            assert stream.completion
        pieces = [piece async for piece in stream]
    assert "<tool_call>" in "".join(pieces)
    assert not any("<tool_call>" in piece for piece in pieces)


async def test_a_server_has_a_context_and_no_scores() -> None:
    case = case_named("same_call_for_ever")
    runtime = NativeModel(Stage(case))
    prompt = prompt_of(case, (Role.TOOL, "x" * 4 * case.limits.context_tokens))
    with pytest.raises(ContextOverflowError):
        await spoken_by(runtime, GenerationRequest(prompt=prompt))
    assert await runtime.count_tokens(prompt) > case.limits.context_tokens
    with pytest.raises(UnsupportedFeatureError):
        await runtime.score(ScoreRequest(prompt=prompt, choices=CHOICES))
    with pytest.raises(UnsupportedFeatureError):
        await runtime.embed(EmbedRequest(prompt=prompt))


async def test_a_decision_and_its_arguments_are_one_turn_of_the_model() -> None:
    case = case_named("same_call_for_ever")
    stage = Stage(case, form=Form.OWN_DECODER)
    runtime = DecodedModel(stage)
    prompt = prompt_of(case)
    for _ in range(2):
        scores = await runtime.score(ScoreRequest(prompt=prompt, choices=CHOICES))
        assert scores.log_probs[0] > scores.log_probs[1]
    constraint = JsonSchemaConstraint(schema={"type": "object"})
    request = GenerationRequest(prompt=prompt, constraint=constraint)
    texts = [(await spoken_by(runtime, request))[0] for _ in range(2)]
    assert [json.loads(text) for text in texts] == [{"city": "Paris", "days": 3}] * 2
    assert stage.model_calls == 1


async def test_after_a_call_the_model_wants_no_more_until_it_has_read_the_result() -> None:
    case = case_named("same_call_for_ever")
    stage = Stage(case, form=Form.OWN_DECODER)
    runtime = DecodedModel(stage)
    prompt = prompt_of(case)
    constraint = JsonSchemaConstraint(schema={"type": "object"})
    await spoken_by(runtime, GenerationRequest(prompt=prompt, constraint=constraint))
    more = ScoreRequest(prompt=replace(prompt, continuation="next"), choices=CHOICES)
    scores = await runtime.score(more)
    assert scores.log_probs[0] < scores.log_probs[1]
    assert stage.model_calls == 1
    told = prompt_of(case, (Role.TOOL, "18 degrees"))
    scores = await runtime.score(ScoreRequest(prompt=told, choices=CHOICES))
    assert scores.log_probs[0] > scores.log_probs[1]
    assert stage.model_calls == 2


async def test_two_calls_of_one_reply_are_two_decisions_and_one_turn() -> None:
    case = case_named("double_charge")
    stage = Stage(case, form=Form.OWN_DECODER)
    runtime = DecodedModel(stage)
    constraint = JsonSchemaConstraint(schema={"type": "object"})
    for said in ("first", "second"):
        request = GenerationRequest(
            prompt=prompt_of(case, (Role.TOOL, said)), constraint=constraint
        )
        await spoken_by(runtime, request)
    assert stage.model_calls == 1


def test_each_form_has_its_runtime() -> None:
    case = case_named("same_call_for_ever")
    assert isinstance(runtime_of(Stage(case)), NativeModel)
    assert isinstance(runtime_of(Stage(case, form=Form.OWN_DECODER)), DecodedModel)


def test_replies_become_entries_of_a_script() -> None:
    case = case_named("same_call_for_ever")
    wish = Wish(name="get_weather", arguments='{"city": "Paris"}')
    assert (
        entries(Calls(wishes=(wish, wish), is_cut=True), case=case)
        == [Call(name="get_weather", arguments={"city": "Paris"}, is_cut=True)] * 2
    )
    assert entries(Text(text="yes"), case=case) == [ScriptedReply(text="yes")]
    (endless,) = entries(Endless(phrase="on "), case=case)
    assert isinstance(endless, ScriptedReply)
    assert endless.finish_reason is FinishReason.LENGTH


def test_a_call_that_is_json_is_parsed() -> None:
    call = parsed_call(Wish(name="a", arguments='{"x": 1}'), key="call_1")
    assert (call.id, call.arguments, call.raw_arguments) == ("call_1", {"x": 1}, None)
