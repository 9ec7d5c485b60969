"""Promises of agents on real models: a whole answer, a killed worker, time that is up."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from smallhold.agents import Agent, Config, Ending, Example
from smallhold.exceptions import DeadlineExceededError, WorkerDiedError
from smallhold.messages import DoneEvent, ErrorEvent, Event, TokenEvent, text_of
from smallhold.runtimes import WorkerRuntime

if TYPE_CHECKING:
    from pathlib import Path

LONG = "Write a long story about a lighthouse."
ROLE = "You are the assistant of a small shop. Answer in one sentence."
EXAMPLES = (
    Example(text="What about order 5561?", tool="order_status", arguments={"order_id": "5561"}),
    Example(text="Has 8302 been sent?", tool="order_status", arguments={"order_id": "8302"}),
    Example(text="Do you have kettles?", tool="stock", arguments={"product": "kettles"}),
    Example(text="Are there any chairs left?", tool="stock", arguments={"product": "chairs"}),
    Example(text="Good morning!"),
    Example(text="Who wrote Hamlet?"),
)


def agent_on(path: Path, cache: Path, config: Config) -> Iterator[Agent]:
    with pytest.MonkeyPatch.context() as environ:
        environ.setenv("SMALLHOLD_CACHE", str(cache))
        agent = Agent(config)
    assert config.model_id == str(path)
    try:
        yield agent
    finally:
        agent.close()


@pytest.fixture(scope="module")
def talker(smollm2_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    """An agent without tools; each test uses sessions of its own."""
    config = Config(name="talker", model_id=str(smollm2_path), max_tokens=16)
    yield from agent_on(smollm2_path, tmp_path_factory.mktemp("cache"), config)


@pytest.fixture(scope="module")
def clerk(qwen_coder_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    """An agent with two tools."""
    config = Config(
        name="clerk", model_id=str(qwen_coder_path), max_tokens=60, role=ROLE, examples=EXAMPLES
    )
    for agent in agent_on(qwen_coder_path, tmp_path_factory.mktemp("cache"), config):

        @agent.tool
        def order_status(order_id: str) -> str:
            """Look up an order.

            Args:
                order_id: The number printed on the receipt.
            """
            return f"Order {order_id} was sent on Monday."

        @agent.tool
        def stock(product: str) -> str:
            """Count a product in the shop.

            Args:
                product: Name of the product.
            """
            return f"There are 17 {product} in the shop."

        assert agent.tools.names == (order_status.name, stock.name)
        yield agent


def worker_of(agent: Agent) -> int:
    assert isinstance(agent.runtime, WorkerRuntime)
    pid = agent.runtime.worker_pid
    assert pid is not None
    return pid


async def events_with_a_killed_worker(agent: Agent, text: str, session: str) -> list[Event]:
    seen: list[Event] = []
    async with aclosing(agent.stream(text, session=session)) as events:
        async for event in events:
            if isinstance(event, TokenEvent) and not seen:
                os.kill(worker_of(agent), signal.SIGKILL)
            seen.append(event)
    return seen


def test_a_model_answers_and_says_what_it_cost(talker: Agent) -> None:
    first = talker.chat("What is the capital of France?", session="quiz")
    assert first.strip()
    assert worker_of(talker) != os.getpid()


async def test_words_come_one_after_the_other_and_join_to_the_answer(talker: Agent) -> None:
    events = [event async for event in talker.stream("Say hello.")]
    assert len(events) > 2
    done = events[-1]
    assert isinstance(done, DoneEvent)
    assert done.text == text_of(events)
    assert done.usage.completion_tokens >= len(events) - 1
    assert 0 < done.timing.first_token_s <= done.timing.total_s


async def test_a_second_message_computes_only_what_is_new(talker: Agent) -> None:
    first = await talker.run("My name is Ada.", session="names")
    second = await talker.run("What is my name?", session="names")
    assert second.usage.prompt_tokens > first.usage.prompt_tokens
    assert second.usage.cached_tokens >= first.usage.prompt_tokens - 1


async def test_the_same_message_gives_the_same_answer(talker: Agent) -> None:
    assert await talker.chat_async("Name a colour.") == await talker.chat_async("Name a colour.")


async def test_a_worker_killed_in_the_middle_of_an_answer_is_an_error_and_replaced(
    talker: Agent, smollm2_path: Path
) -> None:
    await talker.run("Hello")
    killed = worker_of(talker)
    writer = Agent(
        Config(name="writer", model_id=str(smollm2_path), max_tokens=2_000),
        runtime=talker.runtime,
    )
    events = await events_with_a_killed_worker(writer, LONG, session="story")
    last = events[-1]
    assert isinstance(last, ErrorEvent)
    assert isinstance(last.error, WorkerDiedError)
    assert "SIGKILL" in str(last.error)
    assert (await talker.chat_async("Hello again")).strip()
    assert worker_of(talker) != killed


async def test_time_that_is_up_stops_the_model_and_the_next_message_is_answered(
    talker: Agent, smollm2_path: Path
) -> None:
    await talker.run("Hello")
    hurried = Agent(
        Config(name="hurried", model_id=str(smollm2_path), timeout=0.2, max_tokens=2_000),
        runtime=talker.runtime,
    )
    started_s = time.monotonic()
    with pytest.raises(DeadlineExceededError, match=r"0\.2 s"):
        await hurried.run(LONG)
    assert time.monotonic() - started_s < 10
    assert (await talker.chat_async("Hello")).strip()


def test_a_closed_agent_frees_its_model_and_loads_it_again_when_asked(talker: Agent) -> None:
    talker.chat("Hello")
    pid = worker_of(talker)
    talker.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert talker.chat("Hello").strip()


@pytest.mark.slow
async def test_a_question_is_answered_with_what_the_right_tool_returned(clerk: Agent) -> None:
    result = await clerk.run("Where is order 1042?", session="kiosk")
    (step,) = result.steps
    assert (step.call.name, step.call.arguments) == ("order_status", {"order_id": "1042"})
    assert step.ran
    assert result.ending is Ending.ANSWERED
    assert "Monday" in result.text


@pytest.mark.slow
async def test_the_other_question_goes_to_the_other_tool(clerk: Agent) -> None:
    result = await clerk.run("Do you have any lamps?")
    assert [step.call.name for step in result.steps] == ["stock"]
    product = result.steps[0].call.arguments["product"]
    assert isinstance(product, str)
    assert "lamp" in product


@pytest.mark.slow
async def test_small_talk_calls_no_tool(clerk: Agent) -> None:
    result = await clerk.run("Good evening!")
    assert result.steps == ()
    assert result.text.strip()


@pytest.mark.slow
async def test_the_second_message_shares_instructions_tools_and_examples(clerk: Agent) -> None:
    await clerk.run("Good evening!")
    result = await clerk.run("Good night!")
    assert result.usage.cached_tokens > result.usage.prompt_tokens / 2


@pytest.mark.slow
async def test_a_clerk_s_killed_worker_is_an_error_and_the_next_question_is_answered(
    clerk: Agent,
) -> None:
    await clerk.run("Good evening!")
    events = await events_with_a_killed_worker(clerk, LONG, session="crash")
    last = events[-1]
    assert isinstance(last, ErrorEvent)
    assert isinstance(last.error, WorkerDiedError)
    result = await clerk.run("Where is order 1042?", session="crash")
    assert [step.call.arguments for step in result.steps] == [{"order_id": "1042"}]
