from __future__ import annotations

import json
from dataclasses import replace

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.exceptions import (
    DecodeError,
    ScriptExhaustedError,
    UnknownAdapterError,
    UnsupportedFeatureError,
)
from smallhold.generation import (
    EmbedRequest,
    GenerationRequest,
    JsonSchemaConstraint,
    Pooling,
    Prompt,
    ScoreRequest,
)
from smallhold.messages import Completion, FinishReason, Message, Role, ToolSchema
from smallhold.runtimes import Capability
from smallhold.testing import NATIVE, OWN_DECODER, Delay, Fault, Reply, ScriptedRuntime, call
from smallhold.testing.bag_of_words import bag_of_words
from smallhold.testing.scripted import words

PROMPT = Prompt(messages=(Message(role=Role.USER, content="where is my order"),))
CONSTRAINED = GenerationRequest(
    prompt=PROMPT, constraint=JsonSchemaConstraint(schema={"type": "object"}, closing="}")
)


async def played(
    runtime: ScriptedRuntime, request: GenerationRequest | None = None
) -> tuple[list[str], Completion]:
    async with runtime.stream(request or GenerationRequest(prompt=PROMPT)) as stream:
        pieces = [piece async for piece in stream]
        return pieces, stream.completion


async def test_replies_come_in_the_order_of_the_script_word_by_word() -> None:
    runtime = ScriptedRuntime(["It is here.", Reply(text="Bye.")])
    assert (await played(runtime))[0] == ["It", " is", " here."]
    assert (await played(runtime))[0] == ["Bye."]


async def test_a_script_that_is_played_says_so() -> None:
    runtime = ScriptedRuntime(["only one"])
    await played(runtime)
    with pytest.raises(ScriptExhaustedError) as caught:
        await played(runtime)
    assert caught.value.played == 1


async def test_every_request_is_kept_to_look_at() -> None:
    runtime = ScriptedRuntime(["a", "b"])
    request = GenerationRequest(prompt=PROMPT, max_tokens=7)
    await played(runtime, request)
    assert runtime.requests == [request]


async def test_under_a_constraint_a_call_is_the_text_of_its_arguments() -> None:
    runtime = ScriptedRuntime([call("order_status", order_id="1042")])
    pieces, completion = await played(runtime, CONSTRAINED)
    assert "".join(pieces) == '{"order_id": "1042"}}'
    assert completion.message.tool_calls == ()


async def test_without_a_constraint_a_call_is_returned_by_the_runtime_itself() -> None:
    runtime = ScriptedRuntime([call("order_status", order_id="1042")], capabilities=NATIVE)
    pieces, completion = await played(runtime)
    assert pieces == []
    assert completion.finish_reason is FinishReason.TOOL_CALLS
    assert [made.name for made in completion.message.tool_calls] == ["order_status"]


async def test_a_call_that_is_cut_ends_in_the_middle_of_its_arguments() -> None:
    planned = call("order_status", order_id="1042")
    runtime = ScriptedRuntime([type(planned)(name="f", arguments={"a": 1}, is_cut=True)])
    pieces, completion = await played(runtime, CONSTRAINED)
    assert completion.finish_reason is FinishReason.LENGTH
    with pytest.raises(json.JSONDecodeError):
        json.loads("".join(pieces))


async def test_a_fault_is_raised_after_its_text() -> None:
    fault = DecodeError(problem="the cable is out")
    runtime = ScriptedRuntime([Fault(error=fault, after_text="half an")])
    async with runtime.stream(GenerationRequest(prompt=PROMPT)) as stream:
        pieces = aiter(stream)
        assert [await anext(pieces), await anext(pieces)] == ["half", " an"]
        with pytest.raises(DecodeError, match="cable"):
            await anext(pieces)


async def test_a_delay_can_be_cut_short() -> None:
    runtime = ScriptedRuntime([Delay(seconds=600), "late"])
    with anyio.move_on_after(0.01) as scope:
        await played(runtime)
    assert scope.cancelled_caught


@pytest.mark.parametrize(
    ("choices", "likeliest"),
    [
        (('get", ', 'order_status", ', 'none", '), 1),
        (('get", ', 'find", ', 'none", '), 2),
    ],
)
async def test_the_tool_that_comes_next_is_the_likeliest_or_else_the_last(
    choices: tuple[str, ...], likeliest: int
) -> None:
    runtime = ScriptedRuntime([call("order_status")])
    dialect = runtime.limits.dialect
    names = tuple(dialect.scored_name(choice.split('"')[0]) for choice in choices)
    scores = await runtime.score(ScoreRequest(prompt=PROMPT, choices=names))
    assert scores.log_probs.index(max(scores.log_probs)) == likeliest


async def test_a_score_uses_nothing_of_the_script_up() -> None:
    runtime = ScriptedRuntime(["answer"])
    await runtime.score(ScoreRequest(prompt=PROMPT, choices=("a", "b")))
    assert (await played(runtime))[0] == ["answer"]


async def test_a_runtime_that_claims_no_scoring_scores_nothing() -> None:
    runtime = ScriptedRuntime(["answer"], capabilities=NATIVE)
    with pytest.raises(UnsupportedFeatureError):
        await runtime.score(ScoreRequest(prompt=PROMPT, choices=("a",)))


@pytest.mark.parametrize("capabilities", [NATIVE, OWN_DECODER])
async def test_a_runtime_that_claims_no_embedding_embeds_nothing(
    capabilities: frozenset[Capability],
) -> None:
    runtime = ScriptedRuntime(["answer"], capabilities=capabilities)
    with pytest.raises(UnsupportedFeatureError, match="OWN_MODEL"):
        await runtime.embed(EmbedRequest(prompt=PROMPT))


@pytest.mark.parametrize("pooling", Pooling)
async def test_an_embedding_uses_nothing_of_the_script_up(pooling: Pooling) -> None:
    runtime = ScriptedRuntime(["answer"])
    embedding = await runtime.embed(EmbedRequest(prompt=PROMPT, pooling=pooling))
    assert embedding.vector == bag_of_words(PROMPT)
    assert (await played(runtime))[0] == ["answer"]


async def test_an_adapter_is_known_if_the_test_says_so() -> None:
    request = GenerationRequest(prompt=replace(PROMPT, adapter="pirate"))
    assert (await played(ScriptedRuntime(["Arr."], adapters=["pirate"]), request))[0] == ["Arr."]
    with pytest.raises(UnknownAdapterError) as caught:
        await played(ScriptedRuntime(["Arr."], adapters=["poet"]), request)
    assert (caught.value.adapter, caught.value.known) == ("pirate", ("poet",))


async def test_tools_count_towards_the_prompt() -> None:
    runtime = ScriptedRuntime()
    tool = ToolSchema(name="f", description="Find.", parameters={"type": "object"})
    with_tool = Prompt(messages=PROMPT.messages, tools=(tool,))
    assert await runtime.count_tokens(with_tool) > await runtime.count_tokens(PROMPT) == 4


@given(st.text(max_size=30))
def test_words_join_to_their_text(text: str) -> None:
    assert "".join(words(text)) == text
    assert all(words(text))


async def test_a_call_is_one_entry_even_when_its_arguments_are_decoded_twice() -> None:
    prompt = Prompt(messages=(Message(role=Role.USER, content="hi"),), continuation='{"name": "t')
    request = GenerationRequest(
        prompt=prompt, constraint=JsonSchemaConstraint(schema={"type": "object"})
    )
    runtime = ScriptedRuntime([call("t", x=1), "done"])
    texts: list[str] = []
    for _ in range(2):
        async with runtime.stream(request) as stream:
            texts.append("".join([piece async for piece in stream]))
    assert texts == ['{"x": 1}', '{"x": 1}']
    answer = GenerationRequest(prompt=Prompt(messages=prompt.messages))
    async with runtime.stream(answer) as stream:
        assert "".join([piece async for piece in stream]) == "done"
