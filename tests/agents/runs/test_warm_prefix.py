"""Sessions and the engine's cache: this file holds the promise that a reopened one is warm."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from tests.agents.conftest import ListenedRuntime

from smallhold.agents import Agent, Config
from smallhold.agents.context import ContextBudget
from smallhold.engine.config import ModelConfig
from smallhold.runtimes.embedded import EmbeddedRuntime
from smallhold.state import State

SESSION = "kiosk"
SMALL = ContextBudget(history=96, summarises=False)
"""Some turns fill it, so that the next one leaves something out."""


def seller(runtime: EmbeddedRuntime | ListenedRuntime, state: State) -> Agent:
    config = Config(
        name="kiosk",
        max_tokens=8,
        role="You sell lamps. Answer in one sentence.",
        context_budget=SMALL,
        guardrails=(),
    )
    return Agent(config, runtime=runtime, state=state)


@pytest.fixture
async def engine(smollm2_path: Path, tmp_path: Path) -> AsyncGenerator[EmbeddedRuntime]:
    runtime = EmbeddedRuntime(
        ModelConfig(
            path=smollm2_path,
            name="smollm2-135m",
            snapshot_folder=tmp_path / "prefixes",
            context_tokens=512,
        )
    )
    yield runtime
    await runtime.aclose()


async def test_a_session_opened_elsewhere_meets_a_warm_prefix_also_after_a_compaction(
    engine: EmbeddedRuntime, tmp_path: Path
) -> None:
    state = State(tmp_path / "state.db")
    here = seller(engine, state)
    for number in range(8):
        text = f"Do you have lamps number {number} for my desk?"
        if (await here.run(text, session=SESSION)).dropped:
            break
    else:
        pytest.fail("the history was never full")
    kept = await state.sessions.conversation(SESSION)
    await state.sessions.branch(SESSION, to="again")
    await state.aclose()

    reopened = State(tmp_path / "state.db")
    prompts = ListenedRuntime(engine)
    first = await seller(prompts, reopened).run("And red ones?", session=SESSION)
    assert prompts.generations[-1].messages[1:-1] == kept
    assert first.usage.cached_tokens > 0

    second = await seller(prompts, reopened).run("And red ones?", session="again")
    assert prompts.generations[0] == prompts.generations[1], "not the same prompt to the token"
    assert second.usage.cached_tokens >= second.usage.prompt_tokens - 2
    await reopened.aclose()
