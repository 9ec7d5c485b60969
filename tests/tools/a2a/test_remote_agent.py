"""Promises of `smallhold.tools.a2a.remote_agent`: this file holds tests with the SDK's server."""

from __future__ import annotations

import time
from contextlib import aclosing

import anyio
import pytest
from tests.tools.a2a.conftest import agent_process
from tests.tools.mcp.conftest import free_port

from smallhold.agents import Agent, Config
from smallhold.exceptions import (
    ConfigError,
    PeerFaultError,
    PeerRefusalError,
    PeerTimeoutError,
    PeerUnavailableError,
    UnknownOutcomeError,
)
from smallhold.messages import DoneEvent, TokenEvent, ToolCall
from smallhold.testing import ScriptedRuntime, call
from smallhold.tools import OutcomeKind, RunContext, run_tool
from smallhold.tools.a2a import A2ALimits, RemoteAgent

pytestmark = pytest.mark.anyio


async def test_an_answer_is_handed_out_as_it_comes(manners_url: str) -> None:
    agent = RemoteAgent(manners_url)
    async with aclosing(agent.stream("stream")) as events:
        found = [event async for event in events]
    tokens = [event.text for event in found if isinstance(event, TokenEvent)]
    assert tokens == [f"piece {number} " for number in range(5)]
    done = found[-1]
    assert isinstance(done, DoneEvent)
    assert done.text == "".join(tokens)
    assert done.timing.total_s > 0


async def test_an_agent_is_described_by_its_card(manners_url: str) -> None:
    description = await RemoteAgent(manners_url).describe()
    assert (description.name, description.skills[0].id) == ("manners", "obey")


async def test_messages_of_a_session_are_a_conversation(manners_url: str) -> None:
    agent = RemoteAgent(manners_url)
    first = await agent.chat_async("a", session="one")
    again = await agent.chat_async("b", session="one")
    other = await agent.chat_async("c", session="two")
    assert first.split()[2] == again.split()[2]
    assert other.split()[2] != first.split()[2]


async def test_a_question_is_an_answer_and_the_next_message_goes_on_with_it(
    manners_url: str,
) -> None:
    agent = RemoteAgent(manners_url)
    assert await agent.chat_async("question", session="q") == "Which order?"
    assert (await agent.chat_async("1042", session="q")).startswith("1042 continued")


async def test_a_plain_message_is_an_answer_too(manners_url: str) -> None:
    assert await RemoteAgent(manners_url).chat_async("message") == "a plain message"


@pytest.mark.parametrize(
    ("text", "reason"),
    [("fail", "failed: no stock"), ("reject", "rejected: not me"), ("login", "wants a login")],
)
async def test_a_failure_is_told_in_the_other_agents_words(
    manners_url: str, text: str, reason: str
) -> None:
    with pytest.raises(PeerRefusalError, match=reason):
        await RemoteAgent(manners_url).chat_async(text)


async def test_an_agent_that_takes_too_long_is_given_up_and_asked_to_stop(
    manners_url: str,
) -> None:
    agent = RemoteAgent(manners_url, limits=A2ALimits(answer_s=1))
    before = int(await RemoteAgent(manners_url).chat_async("cancels"))
    started_s = time.monotonic()
    with pytest.raises(PeerTimeoutError):
        await agent.chat_async("hang")
    assert time.monotonic() - started_s < 5
    assert int(await RemoteAgent(manners_url).chat_async("cancels")) == before + 1


async def test_leaving_a_stream_early_asks_the_other_agent_to_stop(manners_url: str) -> None:
    agent = RemoteAgent(manners_url)
    before = int(await agent.chat_async("cancels"))
    async with aclosing(agent.stream("hang")) as events:
        async for event in events:
            assert isinstance(event, TokenEvent)
            break
    assert int(await agent.chat_async("cancels")) == before + 1


async def test_an_answer_without_end_is_cut_off(manners_url: str) -> None:
    agent = RemoteAgent(manners_url, limits=A2ALimits(answer_bytes=500_000))
    with pytest.raises(PeerFaultError, match="longer than 500,000 bytes"):
        await agent.chat_async("big")


async def test_an_agent_that_is_not_there_has_not_seen_the_message() -> None:
    with pytest.raises(PeerUnavailableError):
        await RemoteAgent(f"http://127.0.0.1:{free_port()}").chat_async("hello")


async def test_an_agent_that_does_not_stream_is_asked_until_it_is_done() -> None:
    with agent_process("polled") as url:
        agent = RemoteAgent(url)
        assert (await agent.chat_async("hello")).startswith("hello in")
        with pytest.raises(UnknownOutcomeError):
            await agent.chat_async("die")


async def test_another_agent_is_a_tool_of_ours(manners_url: str) -> None:
    tool = await RemoteAgent(manners_url).as_tool()
    assert tool.name == "manners"
    assert tool.schema.description == "Ask the agent 'manners': Does what it is told."
    runtime = ScriptedRuntime([call("manners", message="message"), "It said so."])
    agent = Agent(Config(name="desk"), runtime=runtime, tools=[tool])
    result = await agent.run("Please ask manners for a message.")
    assert result.steps[0].content == "a plain message"


async def test_a_tools_calls_of_one_session_are_one_conversation(manners_url: str) -> None:
    tool = await RemoteAgent(manners_url).as_tool(name="other", description="Ask it.")
    made = ToolCall(id="1", name="other", arguments={"message": "hi"})
    texts = [
        (await run_tool(tool, made, context=RunContext(value=None, session=session))).content
        for session in ("a", "a", "b")
    ]
    assert texts[0].split()[2] == texts[1].split()[2] != texts[2].split()[2]
    failing = ToolCall(id="2", name="other", arguments={"message": "fail"})
    outcome = await run_tool(tool, failing)
    assert (outcome.kind, "no stock" in outcome.content) == (OutcomeKind.RAISED, True)


def test_another_machine_is_refused_unless_that_was_said() -> None:
    with pytest.raises(ConfigError, match="offline_mode=False"):
        RemoteAgent("https://agents.example")
    assert RemoteAgent("https://agents.example", offline_mode=False).remote_host


def test_several_event_loops_use_one_agent_in_turn(manners_url: str) -> None:
    agent = RemoteAgent(manners_url)
    for _ in range(2):
        assert anyio.run(agent.chat_async, "message") == "a plain message"
