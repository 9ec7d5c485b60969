"""A long session on a real model: it stays within the window, and its beginning is read once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest
from tests.agents.context.conversations import answer, prompt_of, user

from smallhold.agents.context import ContextBudget, ContextFitter, DropKind
from smallhold.engine.config import ModelConfig
from smallhold.generation import GenerationRequest, Prompt
from smallhold.messages import Message
from smallhold.runtimes.embedded import EmbeddedRuntime

if TYPE_CHECKING:
    from pathlib import Path

WINDOW_TOKENS = 256
ANSWER_TOKENS = 2
TURNS = 9
ORDER = "My order is ORD-1042/7."


@pytest.fixture
async def runtime(
    smollm2_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[EmbeddedRuntime]:
    monkeypatch.setenv("SMALLHOLD_CACHE", str(tmp_path))
    config = ModelConfig(path=smollm2_path, name="smollm2", context_tokens=WINDOW_TOKENS)
    embedded = EmbeddedRuntime(config)
    yield embedded
    await embedded.aclose()


async def test_a_long_session_stays_in_the_window_and_its_beginning_is_read_once(
    runtime: EmbeddedRuntime,
) -> None:
    budget = ContextBudget(summary=8, facts=40)
    fitter = ContextFitter(runtime, budget=budget)
    conversation: tuple[Message, ...] = ()
    before = Prompt(messages=())
    before_tokens = 0
    compactions = 0
    for turn in range(TURNS):
        text = ORDER if turn == 0 else f"Is there news of parcel {turn}? It should come to Graz."
        fitted = await fitter.fit(
            (*conversation, user(text)), prompt_of=prompt_of, max_tokens=ANSWER_TOKENS
        )
        request = GenerationRequest(prompt=fitted.prompt, max_tokens=ANSWER_TOKENS)
        async with runtime.stream(request) as stream:
            reply = "".join([piece async for piece in stream])
        usage = stream.completion.usage
        assert usage.prompt_tokens == fitted.prompt_tokens <= WINDOW_TOKENS - ANSWER_TOKENS
        if fitted.dropped:
            compactions += 1
            assert fitted.usage.cached_tokens > fitted.usage.prompt_tokens / 2
            assert {one.kind for one in fitted.dropped} <= {
                DropKind.TURN_SUMMARISED,
                DropKind.TURN_REDUCED,
                DropKind.FACTS,
            }
        else:
            assert fitted.prompt.messages[: len(before.messages)] == before.messages
            assert usage.cached_tokens >= before_tokens
        before, before_tokens = fitted.prompt, fitted.prompt_tokens
        conversation = (*fitted.conversation, answer(reply or "Yes."))
    assert 1 <= compactions <= 3
    assert "ORD-1042/7" in before.messages[1].content
