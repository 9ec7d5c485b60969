from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from smallhold.agents import Agent, Config
from smallhold.engine.config import ModelConfig
from smallhold.runtimes.residency import ModelSpec, Residency, ResourceConfig
from smallhold.testing import NATIVE, ScriptedRuntime, call

pytestmark = pytest.mark.anyio


def add_tool(agent: Agent) -> None:
    @agent.tool
    def order_status(order_id: str) -> str:
        """Look up an order.

        Args:
            order_id: The number printed on the receipt.
        """
        return order_id


async def test_the_model_reads_decision_and_answer_beforehand() -> None:
    runtime = ScriptedRuntime(lambda prompt: call("order_status") if prompt.tools else "Hello")
    agent = Agent(Config(name="desk"), runtime=runtime)
    add_tool(agent)
    usage = await agent.prewarm()
    assert usage.passes == 2
    (request,) = runtime.requests
    assert request.max_tokens == 1


async def test_without_tools_only_the_answers_beginning_is_read() -> None:
    runtime = ScriptedRuntime(lambda _: "Hello")
    assert (await Agent(Config(name="desk"), runtime=runtime).prewarm()).passes == 1


async def test_tools_that_depend_on_the_message_are_not_read() -> None:
    runtime = ScriptedRuntime(lambda _: "Hello")
    agent = Agent(Config(name="desk", tool_limit=1), runtime=runtime)
    for number in range(2):
        agent.tools.add(_tool(number))
    assert (await agent.prewarm()).passes == 1


async def test_a_server_of_its_own_decisions_is_asked_for_a_word() -> None:
    runtime = ScriptedRuntime(lambda _: "Hello", capabilities=NATIVE)
    agent = Agent(Config(name="desk"), runtime=runtime)
    add_tool(agent)
    assert (await agent.prewarm()).completion_tokens == 1


async def test_a_real_model_finds_its_prefix_computed(smollm2_path: Path, tmp_path: Path) -> None:
    residency = Residency(ResourceConfig(power_management=False))
    spec = ModelSpec(
        config=ModelConfig(
            path=smollm2_path, name="smol", context_tokens=2048, snapshot_folder=tmp_path
        )
    )
    role = "You serve a shop for lamps. " * 20
    config = Config(name="desk", role=role, max_tokens=4)
    agent = Agent(config, runtime=residency.runtime(spec))
    try:
        await agent.prewarm()
        warm = await agent.run("Which lamps do you have?")
        assert warm.usage.cached_tokens > warm.usage.prompt_tokens // 2
        # The snapshots outlive the worker.
        await residency.aclose()
        again = await agent.run("And which chairs?")
        assert again.usage.cached_tokens > again.usage.prompt_tokens // 2
    finally:
        await residency.aclose()


def _tool(number: int) -> Callable[[str], str]:
    def look(text: str) -> str:
        """Look something up.

        Args:
            text: What to look for.
        """
        return text

    look.__name__ = f"look_{number}"
    return look
