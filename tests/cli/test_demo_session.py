"""Promises of `smallhold.cli.demo_session`: this file holds tests of judged conversations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from customer_service import TASKS, Task
from smallhold.agents import Agent
from smallhold.cli.demo_report import TaskReport
from smallhold.cli.demo_session import (
    hold_conversation,
    hold_conversations,
    is_valid_call,
    open_shop,
    shop_agent,
)
from smallhold.cli.transcript import Transcript
from smallhold.exceptions import ConfigError, DeadlineExceededError, WorkerDiedError
from smallhold.messages import ToolCall, ToolResultEvent
from smallhold.testing import ScriptedRuntime, call
from smallhold.testing.scripted import Call, Entry, Fault

if TYPE_CHECKING:
    from tests.cli.conftest import Screen

pytestmark = pytest.mark.anyio

BY_ID = {task.id: task for task in TASKS}


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return open_shop(tmp_path)


def agent(database: Path, *script: Entry) -> Agent:
    return shop_agent(database, model=None, runtime=ScriptedRuntime(script))


async def report_of(task_id: str, *script: Entry, database: Path, screen: Screen) -> TaskReport:
    return await hold_conversation(
        agent(database, *script),
        BY_ID[task_id],
        database=database,
        transcript=Transcript(answer=screen.console, notes=screen.console),
    )


async def test_a_right_call_completes_the_task(database: Path, screen: Screen) -> None:
    script = (call("order_status", order_id="1042"), "It arrives tomorrow.")
    report = await report_of("order-shipped", *script, database=database, screen=screen)
    assert report.completed
    assert [(item.call.name, item.is_valid) for item in report.calls] == [("order_status", True)]
    assert report.answer == "It arrives tomorrow."
    assert report.usage.passes > 0
    assert report.first_token_s is not None
    assert report.first_token_s <= report.total_s


async def test_an_answer_that_only_claims_completes_nothing(database: Path, screen: Screen) -> None:
    report = await report_of(
        "order-shipped", "It arrives tomorrow.", database=database, screen=screen
    )
    assert not report.completed
    assert report.calls == ()


async def test_a_call_that_was_cut_off_counts_as_not_valid(database: Path, screen: Screen) -> None:
    cut = Call(name="order_status", arguments={"order_id": "1042"}, is_cut=True)
    report = await report_of("order-shipped", cut, "Sorry.", database=database, screen=screen)
    assert [item.is_valid for item in report.calls] == [False]
    assert not report.completed


async def test_a_run_out_of_time_fails_its_task_alone(database: Path, screen: Screen) -> None:
    fault = Fault(error=DeadlineExceededError(limit_s=1.0))
    report = await report_of("opening-hours", fault, database=database, screen=screen)
    assert not report.completed
    assert "1 s" in report.reason
    assert report.answer == ""


async def test_an_engine_that_dies_ends_the_demo(database: Path, screen: Screen) -> None:
    fault = Fault(error=WorkerDiedError(model="m", cause="killed"))
    with pytest.raises(WorkerDiedError):
        await report_of("opening-hours", fault, database=database, screen=screen)


async def test_every_customer_writes_once_in_a_conversation_of_its_own(
    database: Path, screen: Screen
) -> None:
    runtime = ScriptedRuntime(["I do not know."] * len(TASKS))
    begun: list[Task] = []
    ended: list[TaskReport] = []
    reports = await hold_conversations(
        shop_agent(database, model=None, runtime=runtime),
        database=database,
        transcript=Transcript(answer=screen.console, notes=screen.console),
        on_start=begun.append,
        on_end=ended.append,
    )
    assert tuple(begun) == TASKS
    assert tuple(ended) == reports
    assert [request.prompt.messages[-1].content for request in runtime.requests] == [
        task.message for task in TASKS
    ]
    assert {len(request.prompt.messages) for request in runtime.requests} == {2}


def test_the_shop_has_six_tools_and_an_example_for_each(database: Path) -> None:
    clerk = agent(database)
    shown = {example.tool for example in clerk.config.examples}
    assert len(clerk.tools) == 6
    assert shown == {*clerk.tools.names, None}


@pytest.mark.parametrize(
    ("name", "arguments", "is_valid"),
    [
        ("order_status", {"order_id": "1042"}, True),
        ("order_status", {}, False),
        ("order_status", {"order_id": "1042", "invented": 1}, False),
        ("no_such_tool", {"order_id": "1042"}, False),
    ],
)
def test_a_valid_call_names_a_tool_with_arguments_that_it_takes(
    name: str,
    arguments: dict[str, str],
    is_valid: bool,  # noqa: FBT001 - a parameter of pytest
    database: Path,
) -> None:
    wish = ToolCall(id="1", name=name, arguments=dict(arguments))
    event = ToolResultEvent(call=wish, content="", is_error=False)
    assert is_valid_call(agent(database).tools, event) is is_valid


def test_a_shop_that_is_there_is_not_overwritten(database: Path) -> None:
    with pytest.raises(ConfigError, match="--keep"):
        open_shop(database.parent)


def test_a_folder_is_made_for_the_shop(tmp_path: Path) -> None:
    assert open_shop(tmp_path / "a" / "b").is_file()
