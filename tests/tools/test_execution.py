"""Behaviour of a tool's run."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from enum import Enum
from functools import wraps
from typing import Annotated

import anyio
import pytest
from anyio import lowlevel, to_thread
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AfterValidator

from smallhold.messages import JsonValue, ToolCall
from smallhold.tools import (
    MESSAGE_LIMIT_CHARS,
    RESULT_LIMIT_CHARS,
    AnyTool,
    OutcomeKind,
    ToolOutcome,
    run_tool,
    tool_from_function,
)
from smallhold.tools.execution import TOOL_THREADS, describe_error

pytestmark = pytest.mark.anyio


class Unit(Enum):
    CELSIUS = "c"


def as_tool(function: Callable[..., object], *, timeout_s: float = 5.0) -> AnyTool:
    return tool_from_function(
        function, name="the_tool", description="Do something.", timeout_s=timeout_s
    )


async def run(
    function: Callable[..., object], *, timeout_s: float = 5.0, **arguments: JsonValue
) -> ToolOutcome:
    call = ToolCall(id="1", name="the_tool", arguments=arguments)
    return await run_tool(as_tool(function, timeout_s=timeout_s), call)


async def test_a_synchronous_function_runs_off_the_event_loop() -> None:
    def where() -> str:
        return str(threading.get_ident())

    outcome = await run(where)
    assert outcome.kind is OutcomeKind.OK
    assert outcome.content != str(threading.get_ident())


async def test_a_coroutine_function_runs_in_the_event_loop() -> None:
    async def where() -> str:
        await lowlevel.checkpoint()
        return str(threading.get_ident())

    assert (await run(where)).content == str(threading.get_ident())


async def test_a_plain_wrapper_around_a_coroutine_function_is_awaited() -> None:
    def traced(
        function: Callable[[int], Coroutine[object, object, int]],
    ) -> Callable[[int], Coroutine[object, object, int]]:
        @wraps(function)
        def wrapper(number: int) -> Coroutine[object, object, int]:
            return function(number)

        return wrapper

    @traced
    async def double(number: int) -> int:
        await lowlevel.checkpoint()
        return number * 2

    assert (await run(double, number=4)).content == "8"


async def test_the_function_gets_python_values_and_its_own_defaults() -> None:
    def weather(unit: Unit, days: int = 3) -> str:
        return f"{unit!r} {days}"

    assert (await run(weather, unit="c")).content == "<Unit.CELSIUS: 'c'> 3"


async def test_context_variables_reach_a_synchronous_tool() -> None:
    tenant: ContextVar[str] = ContextVar("tenant")
    tenant.set("north")

    def who() -> str:
        return tenant.get()

    assert (await run(who)).content == "north"


async def test_invalid_arguments_are_answered_and_the_function_is_not_called() -> None:
    calls: list[int] = []

    def wait(days: int) -> None:
        calls.append(days)

    outcome = await run(wait, days="many")
    assert outcome.kind is OutcomeKind.INVALID_ARGUMENTS
    assert outcome.is_error
    assert outcome.content == 'argument `days`: must be a whole number, got "many"'
    assert calls == []


async def test_an_exception_becomes_one_line_and_is_kept_for_the_trace() -> None:
    prices: dict[str, int] = {}

    def price(item: str) -> int:
        return prices[item]

    outcome = await run(price, item="x")
    assert (outcome.kind, outcome.content) == (OutcomeKind.RAISED, "KeyError: 'x'")
    assert isinstance(outcome.error, KeyError)
    assert outcome.error.__traceback__ is not None


async def test_an_exception_of_a_coroutine_becomes_an_outcome() -> None:
    async def fail() -> None:
        await lowlevel.checkpoint()
        raise ConnectionError

    assert (await run(fail)).content == "ConnectionError"


async def test_an_error_in_a_task_group_is_told_by_its_cause() -> None:
    async def fail() -> None:
        raise BlockingIOError

    async def spread() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(fail)

    assert (await run(spread)).content == "BlockingIOError"


async def test_a_tool_that_exits_does_not_end_the_program() -> None:
    def leave() -> None:
        sys.exit("usage: ...")

    outcome = await run(leave)
    assert (outcome.kind, outcome.content) == (OutcomeKind.RAISED, "SystemExit: usage: ...")


def stumble(value: int) -> int:
    return {7: value}[value]


async def test_a_validator_that_fails_by_itself_becomes_an_outcome() -> None:
    def wait(days: Annotated[int, AfterValidator(stumble)]) -> int:
        return days

    outcome = await run(wait, days=1)
    assert (outcome.kind, outcome.content) == (OutcomeKind.RAISED, "KeyError: 1")


async def test_a_result_without_words_becomes_an_outcome() -> None:
    def thing() -> object:
        return {"a": object()}

    outcome = await run(thing)
    assert outcome.kind is OutcomeKind.RAISED
    assert outcome.content.startswith("the tool's result cannot be written as text: ")
    assert outcome.error is not None


async def test_a_circular_result_becomes_an_outcome() -> None:
    def ring() -> object:
        items: list[object] = []
        items.append(items)
        return items

    assert (await run(ring)).kind is OutcomeKind.RAISED


async def test_a_huge_result_is_cut() -> None:
    def flood() -> list[str]:
        return ["x" * 1_000] * 5_000

    outcome = await run(flood)
    assert outcome.kind is OutcomeKind.OK
    assert len(outcome.content) == RESULT_LIMIT_CHARS
    assert outcome.content.endswith("more characters were left out]")


async def test_a_huge_text_is_cut() -> None:
    def flood() -> str:
        return "x" * 5_000_000

    outcome = await run(flood)
    assert outcome.kind is OutcomeKind.OK
    assert len(outcome.content) == RESULT_LIMIT_CHARS
    assert outcome.content.endswith("more characters were left out]")


async def test_a_text_that_is_no_unicode_can_still_be_sent_to_a_model() -> None:
    def broken() -> str:
        return "half \ud800"

    assert (await run(broken)).content == "half ?"


async def test_nothing_returned_reads_as_ok() -> None:
    def nothing() -> None: ...

    assert (await run(nothing)).content == "ok"


async def test_a_coroutine_that_takes_too_long_is_stopped() -> None:
    stopped = anyio.Event()

    async def sleep() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            stopped.set()

    outcome = await run(sleep, timeout_s=0.05)
    assert outcome.kind is OutcomeKind.TIMED_OUT
    assert outcome.content == "the tool did not finish within 0.05 s"
    assert isinstance(outcome.error, TimeoutError)
    assert stopped.is_set()


async def test_a_synchronous_function_that_takes_too_long_is_left_behind() -> None:
    release = threading.Event()

    def hang() -> None:
        release.wait(timeout=10)

    try:
        outcome = await run(hang, timeout_s=0.05)
    finally:
        release.set()
    assert outcome.kind is OutcomeKind.TIMED_OUT
    assert 0.04 < outcome.duration_s < 5


async def test_hanging_tools_do_not_keep_others_from_running() -> None:
    release = threading.Event()

    def hang() -> None:
        release.wait(timeout=10)

    def quick() -> str:
        return "done"

    try:
        async with anyio.create_task_group() as group:
            for _ in range(TOOL_THREADS):
                group.start_soon(run_tool, as_tool(hang, timeout_s=0.1), CALL)
        assert (await run(quick)).content == "done"
    finally:
        release.set()


async def test_tools_run_though_all_other_threads_are_taken() -> None:
    def quick() -> str:
        return "done"

    others = to_thread.current_default_thread_limiter()
    total = others.total_tokens
    others.total_tokens = 1
    try:
        async with others:
            assert (await run(quick, timeout_s=2.0)).content == "done"
    finally:
        others.total_tokens = total


CALL = ToolCall(id="1", name="the_tool", arguments={})


async def test_a_cancellation_turned_into_an_error_still_reads_as_timed_out() -> None:
    async def stubborn() -> None:
        try:
            await anyio.sleep_forever()
        except BaseException as error:
            raise RuntimeError("interrupted") from error

    outcome = await run(stubborn, timeout_s=0.05)
    assert outcome.kind is OutcomeKind.TIMED_OUT


async def test_a_timeout_error_of_the_function_itself_reads_as_raised() -> None:
    def fetch() -> None:
        raise TimeoutError("database")

    assert (await run(fetch)).content == "TimeoutError: database"


async def test_cancellation_from_outside_passes_through() -> None:
    outcomes: list[ToolOutcome] = []

    async def sleep() -> None:
        await anyio.sleep_forever()

    with anyio.move_on_after(0.05) as scope:
        outcomes.append(await run(sleep))
    assert scope.cancelled_caught
    assert outcomes == []


async def test_other_tasks_go_on_while_a_synchronous_tool_runs() -> None:
    release = threading.Event()
    outcomes: list[ToolOutcome] = []

    def wait() -> bool:
        return release.wait(timeout=10)

    async def tool_run() -> None:
        outcomes.append(await run(wait))

    async with anyio.create_task_group() as group:
        group.start_soon(tool_run)
        await anyio.sleep(0.01)
        release.set()
    assert [outcome.content for outcome in outcomes] == ["true"]


async def test_a_failure_is_logged_without_arguments_or_texts(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(word: str) -> None:
        raise ValueError(word)

    with caplog.at_level(logging.DEBUG, logger="smallhold"):
        await run(fail, word="swordfish")
    [record] = caplog.records
    assert (record.getMessage(), record.__dict__["error_type"]) == ("tool.failed", "ValueError")
    assert "swordfish" not in str(record.__dict__)


class Mute(Exception):  # noqa: N818 - foreign exceptions have any name
    def __str__(self) -> str:
        raise RuntimeError


def test_an_exception_that_cannot_be_written_is_told_by_its_type() -> None:
    assert describe_error(Mute()) == "Mute"


def test_a_group_of_several_errors_is_told_as_a_group() -> None:
    group = ExceptionGroup("two", [ValueError("a"), KeyError("b")])
    assert describe_error(group) == "ExceptionGroup: two (2 sub-exceptions)"


@given(st.text())
def test_every_error_is_one_line_within_the_limit(text: str) -> None:
    said = describe_error(ValueError(text * 100))
    assert len(said) <= MESSAGE_LIMIT_CHARS
    assert len(said.splitlines()) == 1
