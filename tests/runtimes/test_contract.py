"""Promises of every runtime: the scripted one and the one with a real model keep the same."""

from __future__ import annotations

import math
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import TYPE_CHECKING

import anyio
import pytest

from smallhold.exceptions import (
    ConfigError,
    ContextOverflowError,
    ModelOutputError,
    UnknownAdapterError,
)
from smallhold.generation import EmbedRequest, GenerationRequest, Pooling, Prompt, ScoreRequest
from smallhold.messages import FinishReason, Message, Role
from smallhold.runtimes import Capability, Embedder, Runtime
from smallhold.runtimes.embedded import EmbeddedRuntime
from smallhold.testing import ScriptedRuntime

if TYPE_CHECKING:
    from tests.runtimes.conftest import Talk

    from smallhold.engine.config import ModelConfig

STORY = "Once upon a time there was a small shop that sold clocks and nothing else at all."


@pytest.fixture(scope="module", params=["scripted", "embedded"])
async def runtime(request: pytest.FixtureRequest) -> AsyncIterator[Runtime]:
    if request.param == "scripted":
        yield ScriptedRuntime([STORY] * 50, context_tokens=1024)
        return
    config: ModelConfig = request.getfixturevalue("worker_config")
    runtime = EmbeddedRuntime(config)
    yield runtime
    await runtime.aclose()


def asked(text: str = "Tell me a story.", *, max_tokens: int = 6) -> GenerationRequest:
    prompt = Prompt(messages=(Message(role=Role.USER, content=text),))
    return GenerationRequest(prompt=prompt, max_tokens=max_tokens)


async def test_the_pieces_join_to_the_completions_text(runtime: Runtime) -> None:
    async with runtime.stream(asked()) as stream:
        pieces = [piece async for piece in stream]
        assert "".join(pieces) == stream.completion.message.content != ""
        assert stream.completion.message.role is Role.ASSISTANT
    assert len(pieces) > 1
    assert all(pieces)


async def test_the_completion_is_there_only_when_the_stream_has_ended(runtime: Runtime) -> None:
    async with runtime.stream(asked()) as stream:
        with pytest.raises(ModelOutputError):
            _ = stream.completion
        async for _ in stream:
            with pytest.raises(ModelOutputError):
                _ = stream.completion
        assert stream.completion.usage.completion_tokens > 0


async def test_a_stream_taken_up_again_goes_on_where_it_stopped(runtime: Runtime) -> None:
    async with runtime.stream(asked()) as stream:
        first = await anext(aiter(stream))
        rest = [piece async for piece in stream]
        assert first + "".join(rest) == stream.completion.message.content
        assert [piece async for piece in stream] == []


async def test_usage_counts_the_prompt_and_the_answer(runtime: Runtime, talk: Talk) -> None:
    request = asked(max_tokens=5)
    completion = await talk.hear(runtime, request)
    usage = completion.usage
    assert usage.prompt_tokens == await runtime.count_tokens(request.prompt) > 0
    assert usage.completion_tokens == 5
    assert usage.passes >= 1
    assert 0 <= usage.cached_tokens < usage.prompt_tokens


async def test_the_token_limit_is_told_as_such(runtime: Runtime, talk: Talk) -> None:
    completion = await talk.hear(runtime, asked(max_tokens=3))
    assert completion.finish_reason is FinishReason.LENGTH
    assert completion.usage.completion_tokens == 3


async def test_timing_is_in_order(runtime: Runtime, talk: Talk) -> None:
    timing = (await talk.hear(runtime, asked())).timing
    assert 0 <= timing.queued_s <= timing.first_token_s <= timing.total_s


async def test_a_stream_left_early_makes_way_for_the_next(runtime: Runtime, talk: Talk) -> None:
    for _ in range(3):
        async with runtime.stream(asked(max_tokens=400)) as stream:
            async for _ in stream:
                break
    with anyio.fail_after(20):
        completion = await talk.hear(runtime, asked(max_tokens=2))
    assert completion.usage.completion_tokens == 2


async def test_a_stream_nobody_listens_to_makes_way_too(runtime: Runtime, talk: Talk) -> None:
    async with runtime.stream(asked(max_tokens=400)):
        pass
    with anyio.fail_after(20):
        await talk.hear(runtime, asked(max_tokens=2))


async def test_a_prompt_that_does_not_fit_is_refused_with_its_numbers(
    runtime: Runtime, talk: Talk
) -> None:
    request = asked("word " * 3000)
    with pytest.raises(ContextOverflowError) as caught:
        await talk.hear(runtime, request)
    assert caught.value.limit_tokens == runtime.limits.context_tokens == 1024
    assert caught.value.prompt_tokens == await runtime.count_tokens(request.prompt) >= 3000
    await talk.hear(runtime, asked(max_tokens=1))


async def test_scores_come_in_the_order_of_the_choices(runtime: Runtime) -> None:
    choices = ("a clock", "a boat", "nothing")
    request = ScoreRequest(prompt=asked("What is sold?").prompt, choices=choices)
    scores = await runtime.score(request)
    assert len(scores.log_probs) == len(scores.token_counts) == 3
    assert all(score <= 0 for score in scores.log_probs)
    assert all(count >= 1 for count in scores.token_counts)
    assert scores.baseline_log_probs is None
    assert scores.usage.prompt_tokens > 0


async def test_a_baseline_is_scored_beside_the_prompt(runtime: Runtime) -> None:
    request = ScoreRequest(
        prompt=asked("What is sold?").prompt, choices=("a", "b"), baseline=asked("N/A").prompt
    )
    scores = await runtime.score(request)
    assert scores.baseline_log_probs is not None
    assert len(scores.baseline_log_probs) == 2


@pytest.mark.parametrize("choices", [(), ("a", "")], ids=["none", "an empty one"])
async def test_choices_that_are_none_are_refused(
    runtime: Runtime, choices: tuple[str, ...]
) -> None:
    with pytest.raises(ConfigError):
        await runtime.score(ScoreRequest(prompt=asked().prompt, choices=choices))


def about(text: str, *, pooling: Pooling = Pooling.LAST) -> EmbedRequest:
    return EmbedRequest(prompt=asked(text).prompt, pooling=pooling)


@pytest.mark.parametrize("pooling", Pooling)
async def test_an_embedding_has_a_direction_and_length_one(
    runtime: Runtime, pooling: Pooling
) -> None:
    assert isinstance(runtime, Embedder)
    embedding = await runtime.embed(about("Where is my parcel?", pooling=pooling))
    assert math.hypot(*embedding.vector) == pytest.approx(1.0)
    assert embedding.usage.prompt_tokens > embedding.usage.completion_tokens == 0
    assert embedding.usage.passes >= 1


@pytest.mark.parametrize("pooling", Pooling)
async def test_texts_that_mean_the_same_are_closer_than_others(
    runtime: Runtime, pooling: Pooling
) -> None:
    assert isinstance(runtime, Embedder)
    first, alike, other = [
        await runtime.embed(about(text, pooling=pooling))
        for text in (
            "Where is my parcel from yesterday?",
            "Where is my parcel from last week?",
            "Play some jazz.",
        )
    ]
    assert first.similarity(alike) > first.similarity(other)


async def test_embeddings_of_a_prompt_are_the_same_each_time(runtime: Runtime) -> None:
    assert isinstance(runtime, Embedder)
    first, second = [await runtime.embed(about("Where is it?")) for _ in range(2)]
    assert first.similarity(second) == pytest.approx(1.0, abs=1e-3)


async def test_a_prompt_that_does_not_fit_is_not_embedded(runtime: Runtime) -> None:
    assert isinstance(runtime, Embedder)
    with pytest.raises(ContextOverflowError):
        await runtime.embed(about("word " * 3000))


async def test_an_adapter_that_was_not_loaded_is_refused_whatever_is_asked(
    runtime: Runtime, talk: Talk
) -> None:
    assert isinstance(runtime, Embedder)
    prompt = replace(asked().prompt, adapter="pirate")
    with pytest.raises(UnknownAdapterError) as caught:
        await talk.hear(runtime, GenerationRequest(prompt=prompt))
    assert caught.value.adapter == "pirate"
    with pytest.raises(UnknownAdapterError):
        await runtime.score(ScoreRequest(prompt=prompt, choices=("a", "b")))
    with pytest.raises(UnknownAdapterError):
        await runtime.embed(EmbedRequest(prompt=prompt))


async def test_a_longer_prompt_has_more_tokens(runtime: Runtime) -> None:
    short = await runtime.count_tokens(asked("One.").prompt)
    long = await runtime.count_tokens(asked("One. Two and three. Four.").prompt)
    assert 0 < short < long


async def test_a_runtime_that_was_closed_serves_again(runtime: Runtime, talk: Talk) -> None:
    await talk.hear(runtime, asked(max_tokens=1))
    await runtime.aclose()
    await runtime.aclose()
    completion = await talk.hear(runtime, asked(max_tokens=2))
    assert completion.usage.completion_tokens == 2


async def test_a_runtime_says_what_it_can_do_without_being_asked_for_text(
    runtime: Runtime,
) -> None:
    assert runtime.name
    assert {
        Capability.SCORING, Capability.CONTINUATION, Capability.EMBEDDING
    } <= runtime.limits.capabilities  # fmt: skip


async def test_requests_at_the_same_time_each_get_their_own_answer(
    runtime: Runtime, talk: Talk
) -> None:
    lengths: dict[int, int] = {}

    async def one(max_tokens: int) -> None:
        completion = await talk.hear(runtime, asked(max_tokens=max_tokens))
        lengths[max_tokens] = completion.usage.completion_tokens

    async with anyio.create_task_group() as group:
        for max_tokens in range(1, 6):
            group.start_soon(one, max_tokens)
    assert lengths == {number: number for number in range(1, 6)}


async def test_threads_with_loops_of_their_own_may_share_a_runtime(
    runtime: Runtime, talk: Talk
) -> None:
    lengths: dict[int, int] = {}

    def one(max_tokens: int) -> None:
        completion = anyio.run(talk.hear, runtime, asked(max_tokens=max_tokens))
        lengths[max_tokens] = completion.usage.completion_tokens

    threads = [threading.Thread(target=one, args=(number,)) for number in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        await anyio.to_thread.run_sync(thread.join)
    assert lengths == {number: number for number in range(1, 5)}
