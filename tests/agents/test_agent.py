from __future__ import annotations

import logging
import time
from contextlib import aclosing
from typing import TYPE_CHECKING

import anyio
import pytest

from smallhold.agents import Agent, Config, Ending
from smallhold.agents.agent import MAX_MESSAGE_CHARS, check_message
from smallhold.exceptions import (
    ConfigError,
    DeadlineExceededError,
    DecodeError,
    InvalidMessageError,
    SessionBusyError,
    ToolDefinitionError,
)
from smallhold.messages import (
    DoneEvent,
    ErrorEvent,
    Message,
    Role,
    TokenEvent,
    ToolCallEvent,
    ToolResultEvent,
    text_of,
)
from smallhold.runtimes import Capability
from smallhold.testing import Delay, Fault, ScriptedRuntime, call
from smallhold.tools import ToolSet

if TYPE_CHECKING:
    from tests.agents.conftest import Desk, Listening

FAULT = DecodeError(problem="the cable is out")


def plain_agent(*script: str | Delay | Fault) -> tuple[Agent, ScriptedRuntime]:
    runtime = ScriptedRuntime(script)
    return Agent(Config(name="plain"), runtime=runtime), runtime


def texts(messages: tuple[Message, ...], role: Role) -> list[str]:
    return [message.content for message in messages if message.role is role]


# Four ways to ask


def test_chat_gives_the_answer(desk: Desk, kind: frozenset[Capability]) -> None:
    script = [call("order_status", order_id="1042"), "It is on its way."]
    agent = desk.agent(ScriptedRuntime(script, capabilities=kind))
    assert agent.chat("Where is order 1042?") == "It is on its way."
    assert desk.runs == ["order_status(1042)"]


async def test_chat_async_gives_the_answer(desk: Desk, kind: frozenset[Capability]) -> None:
    script = [call("order_status", order_id="1042"), "It is on its way."]
    agent = desk.agent(ScriptedRuntime(script, capabilities=kind))
    assert await agent.chat_async("Where is order 1042?") == "It is on its way."


async def test_run_tells_everything(desk: Desk, kind: frozenset[Capability]) -> None:
    script = [call("order_status", order_id="1042"), "It is on its way."]
    agent = desk.agent(ScriptedRuntime(script, capabilities=kind))
    result = await agent.run("Where is order 1042?")
    assert (result.text, result.ending) == ("It is on its way.", Ending.ANSWERED)
    (step,) = result.steps
    assert (step.call.name, step.call.arguments) == ("order_status", {"order_id": "1042"})
    assert (step.content, step.ran) == ("Order 1042 is on its way.", True)
    assert not step.is_error
    assert result.usage.passes > 0
    assert 0 < result.timing.first_token_s <= result.timing.total_s
    assert not result.degraded
    assert not result.escalated


async def test_a_stream_hands_out_the_call_its_result_the_words_and_the_end(
    desk: Desk, listening: Listening, kind: frozenset[Capability]
) -> None:
    script = [call("order_status", order_id="1042"), "It is here."]
    agent = desk.agent(ScriptedRuntime(script, capabilities=kind))
    events = await listening.events(agent.stream("Where is order 1042?"))
    kinds = [type(event) for event in events]
    assert kinds == [ToolCallEvent, ToolResultEvent, *[TokenEvent] * 3, DoneEvent]
    started, ended = events[0], events[1]
    assert isinstance(started, ToolCallEvent)
    assert isinstance(ended, ToolResultEvent)
    assert started.call == ended.call
    assert ended.content == "Order 1042 is on its way."


@pytest.mark.parametrize("answer", ["It is here.", "", "\n", "  late  words \n"])
async def test_the_words_of_a_stream_join_to_the_text_of_its_end(
    desk: Desk, listening: Listening, kind: frozenset[Capability], answer: str
) -> None:
    for agent in (
        desk.agent(ScriptedRuntime([answer], capabilities=kind)),
        Agent(Config(name="plain"), runtime=ScriptedRuntime([answer], capabilities=kind)),
    ):
        events = await listening.events(agent.stream("Hello"))
        done = events[-1]
        assert isinstance(done, DoneEvent)
        assert text_of(events) == done.text
        assert done.text.strip()


async def test_run_and_stream_come_to_the_same(
    desk: Desk, listening: Listening, kind: frozenset[Capability]
) -> None:
    script = [call("stock", product="lamp"), "Three lamps."]
    result = await desk.agent(ScriptedRuntime(script, capabilities=kind)).run("Any lamps?")
    agent = desk.agent(ScriptedRuntime(script, capabilities=kind))
    done = (await listening.events(agent.stream("Any lamps?")))[-1]
    assert isinstance(done, DoneEvent)
    assert (done.text, done.usage) == (result.text, result.usage)


# Failure


async def test_a_failed_stream_ends_with_the_error(listening: Listening) -> None:
    agent, _ = plain_agent(Fault(error=FAULT, after_text="half an"))
    events = await listening.events(agent.stream("Hello"))
    assert text_of(events) == "half an"
    assert [type(event) for event in events].count(ErrorEvent) == 1
    last = events[-1]
    assert isinstance(last, ErrorEvent)
    assert last.error is FAULT


async def test_a_failed_run_raises_what_the_runtime_raised() -> None:
    agent, _ = plain_agent(Fault(error=FAULT))
    with pytest.raises(DecodeError) as caught:
        await agent.run("Hello")
    assert caught.value is FAULT


async def test_a_failed_decision_ends_the_stream_with_the_error(
    desk: Desk, listening: Listening
) -> None:
    agent = desk.agent(ScriptedRuntime([]))
    (event,) = await listening.events(agent.stream("Hello"))
    assert isinstance(event, ErrorEvent)


async def test_a_failure_is_logged_without_a_word_of_the_conversation(
    listening: Listening, caplog: pytest.LogCaptureFixture
) -> None:
    agent, _ = plain_agent(Fault(error=FAULT))
    with caplog.at_level(logging.DEBUG):
        await listening.events(agent.stream("My secret is plum"))
    (record,) = [record for record in caplog.records if record.msg == "agent.run_failed"]
    assert record.__dict__["error"] == "DecodeError"
    assert "plum" not in caplog.text


# Sessions


async def test_a_later_message_of_a_session_sees_the_earlier_ones(
    desk: Desk, kind: frozenset[Capability]
) -> None:
    script = [call("order_status", order_id="1042"), "It is on its way.", "On Monday."]
    runtime = ScriptedRuntime(script, capabilities=kind)
    agent = desk.agent(runtime)
    await agent.chat_async("Where is order 1042?", session="kiosk")
    await agent.chat_async("When will it come?", session="kiosk")
    seen = runtime.requests[-1].prompt.messages
    assert texts(seen, Role.USER) == ["Where is order 1042?", "When will it come?"]
    assert texts(seen, Role.TOOL) == ["Order 1042 is on its way."]
    assert "It is on its way." in texts(seen, Role.ASSISTANT)


async def test_a_message_without_a_session_stands_alone() -> None:
    agent, runtime = plain_agent("one", "two", "three")
    await agent.chat_async("first", session="kiosk")
    await agent.chat_async("second")
    await agent.chat_async("third")
    for request, text in zip(runtime.requests[1:], ["second", "third"], strict=True):
        assert texts(request.prompt.messages, Role.USER) == [text]
        assert texts(request.prompt.messages, Role.ASSISTANT) == []


async def test_a_failed_message_leaves_its_session_as_it_was(listening: Listening) -> None:
    agent, runtime = plain_agent("one", Fault(error=FAULT), Fault(error=FAULT), "four")
    await agent.chat_async("first", session="kiosk")
    with pytest.raises(DecodeError):
        await agent.chat_async("second", session="kiosk")
    await listening.events(agent.stream("third", session="kiosk"))
    await agent.chat_async("fourth", session="kiosk")
    assert texts(runtime.requests[-1].prompt.messages, Role.USER) == ["first", "fourth"]
    assert texts(runtime.requests[-1].prompt.messages, Role.ASSISTANT) == ["one"]


async def test_a_message_that_ran_out_of_time_leaves_its_session_as_it_was() -> None:
    runtime = ScriptedRuntime([Delay(seconds=60), "late"])
    agent = Agent(Config(name="plain", timeout=0.05), runtime=runtime)
    with pytest.raises(DeadlineExceededError):
        await agent.chat_async("first", session="kiosk")
    await agent.chat_async("second", session="kiosk")
    assert texts(runtime.requests[-1].prompt.messages, Role.USER) == ["second"]


async def test_a_stream_that_was_left_early_leaves_its_session_as_it_was() -> None:
    agent, runtime = plain_agent("one long answer", "two")
    async with aclosing(agent.stream("first", session="kiosk")) as events:
        await anext(events)
    await agent.chat_async("second", session="kiosk")
    assert texts(runtime.requests[-1].prompt.messages, Role.USER) == ["second"]


async def test_a_session_takes_one_message_at_a_time() -> None:
    agent, _ = plain_agent("one long answer", "two", "three")
    async with aclosing(agent.stream("first", session="kiosk")) as events:
        await anext(events)
        with pytest.raises(SessionBusyError, match="kiosk"):
            await agent.run("second", session="kiosk")
        with pytest.raises(SessionBusyError, match="kiosk"):
            await anext(agent.stream("second", session="kiosk"))
        assert await agent.chat_async("elsewhere", session="counter") == "two"
        assert [event async for event in events]
    assert await agent.chat_async("third", session="kiosk") == "three"


async def test_a_cancelled_message_frees_its_session() -> None:
    agent, _ = plain_agent(Delay(seconds=60), "two")
    with anyio.move_on_after(0.02) as scope:
        await agent.chat_async("first", session="kiosk")
    assert scope.cancelled_caught
    assert await agent.chat_async("second", session="kiosk") == "two"


async def test_two_sessions_talk_at_the_same_time_and_stay_apart() -> None:
    delay = Delay(seconds=0.02)
    agent, runtime = plain_agent(delay, "hello", delay, "hello", delay, "bye", delay, "bye")

    async def talk(session: str) -> None:
        assert await agent.chat_async(f"{session} comes", session=session) == "hello"
        assert await agent.chat_async(f"{session} goes", session=session) == "bye"

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(talk, "Ada")
        tasks.start_soon(talk, "Bob")
    seen = [texts(request.prompt.messages, Role.USER) for request in runtime.requests]
    for name in ("Ada", "Bob"):
        assert [f"{name} comes"] in seen
        assert [f"{name} comes", f"{name} goes"] in seen


async def test_messages_without_a_session_never_wait_for_each_other() -> None:
    agent, _ = plain_agent(*[Delay(seconds=0.3)] * 20, *["hello"] * 20)
    started_s = time.monotonic()
    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(agent.chat_async, "Hello")
    assert time.monotonic() - started_s < 4


# Messages


@pytest.mark.parametrize("text", ["", " ", "\n\t \r\n", "\u2003\u00a0"])
async def test_a_blank_message_is_refused_before_the_model_is_asked(text: str) -> None:
    agent, runtime = plain_agent("answer")
    with pytest.raises(InvalidMessageError, match="is empty"):
        await agent.run(text)
    with pytest.raises(InvalidMessageError, match="is empty"):
        await anext(agent.stream(text, session="kiosk"))
    assert runtime.requests == []


@pytest.mark.parametrize("letter", ["x", " ", "é", "\U0001f600"])
def test_a_message_of_a_million_letters_is_refused_at_once(letter: str) -> None:
    agent, runtime = plain_agent("answer")
    started_s = time.monotonic()
    with pytest.raises(InvalidMessageError) as caught:
        agent.chat(letter * 1_000_000)
    assert time.monotonic() - started_s < 1.0
    assert caught.value.length_chars == 1_000_000
    assert "1,000,000" in str(caught.value)
    assert len(str(caught.value)) < 300
    assert runtime.requests == []


def test_a_message_of_the_longest_length_is_taken_and_one_letter_more_is_not() -> None:
    agent, _ = plain_agent("answer")
    assert agent.chat("x" * MAX_MESSAGE_CHARS) == "answer"
    with pytest.raises(InvalidMessageError, match="100,001"):
        check_message("x" * (MAX_MESSAGE_CHARS + 1))


def test_a_message_that_no_model_can_be_sent_is_refused() -> None:
    agent, runtime = plain_agent("answer")
    with pytest.raises(InvalidMessageError, match="surrogate"):
        agent.chat("caf\udce9")
    assert runtime.requests == []


def test_a_refused_message_leaves_its_session_free() -> None:
    agent, _ = plain_agent("answer")
    with pytest.raises(InvalidMessageError):
        agent.chat("", session="kiosk")
    assert agent.chat("Hello", session="kiosk") == "answer"


# Tools


def test_a_decorated_function_becomes_a_tool_and_stays_callable() -> None:
    agent, _ = plain_agent()

    @agent.tool
    def lamps(room: str) -> int:
        """Count lamps."""
        return len(room)

    assert agent.tools.names == ("lamps",)
    assert lamps("hall") == 4


def test_a_decorated_function_can_have_another_name_and_time_limit() -> None:
    agent, _ = plain_agent()

    @agent.tool(name="count_lamps", timeout_s=2.5)
    def lamps(room: str) -> int:
        """Count lamps."""
        return len(room)

    assert agent.tools.names == ("count_lamps",)
    assert lamps.timeout_s == 2.5


def test_a_decorated_function_takes_every_setting_of_a_tool() -> None:
    agent, _ = plain_agent()

    @agent.tool(
        description="Write to somebody.",
        max_calls_per_run=1,
        composed=("body",),
        examples=("Write to Ada",),
    )
    def write(to: str, body: str) -> str:
        """Write."""
        return f"{to}: {body}"

    assert write.schema.description == "Write to somebody."
    assert write.schema.composed == ("body",)
    assert (write.max_calls_per_run, write.examples) == (1, ("Write to Ada",))
    with pytest.raises(TypeError, match="timeout"):
        agent.tool(timeout=5)(print)  # pyright: ignore[reportCallIssue, reportUnknownMemberType] - a setting that there is not


def test_the_agent_s_tool_set_is_changed_and_not_exchanged() -> None:
    agent, _ = plain_agent()
    with pytest.raises(AttributeError):
        agent.tools = ToolSet()  # pyright: ignore[reportAttributeAccessIssue] - what the test is about


def test_two_tools_of_one_name_are_refused() -> None:
    agent, _ = plain_agent()

    def lamps() -> int:
        """Count lamps."""
        return 1

    agent.tool(lamps)
    with pytest.raises(ToolDefinitionError, match="lamps"):
        agent.tool(lamps)


async def test_a_tool_given_later_is_there_for_the_next_message() -> None:
    runtime = ScriptedRuntime(["one", call("lamps"), "two"])
    agent = Agent(Config(name="plain"), runtime=runtime)
    await agent.run("Hello", session="kiosk")

    @agent.tool
    def lamps() -> int:
        """Count lamps."""
        return 3

    assert callable(lamps)
    result = await agent.run("Count the lamps", session="kiosk")
    assert [step.content for step in result.steps] == ["3"]


# The model's server and memory


@pytest.mark.parametrize(
    ("endpoint", "key", "field"),
    [("http://127.0.0.1:1", None, "model_endpoint"), (None, "s3cret", "api_key")],
)
def test_a_server_s_address_or_key_is_refused_where_there_is_no_server(
    endpoint: str | None, key: str | None, field: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        Agent(Config(name="desk"), endpoint, key)
    assert caught.value.field == field
    assert "s3cret" not in str(caught.value)


def test_a_closed_agent_answers_again() -> None:
    agent, _ = plain_agent("one", "two")
    assert agent.chat("Hello") == "one"
    agent.close()
    assert agent.chat("Hello") == "two"


def test_a_servers_address_beside_a_runtime_is_refused() -> None:
    with pytest.raises(ConfigError, match="model_endpoint"):
        Agent(Config(name="x"), "http://127.0.0.1:1", runtime=ScriptedRuntime())
