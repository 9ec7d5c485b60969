"""Twelve customers write to the shop: this file holds their conversations with the agent.

The shop is an application beside the package: `applications.make_importable` comes first.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from customer_service import (
    AGENT_NAME,
    INSTRUCTIONS,
    TASKS,
    Task,
    create_database,
    shop_tools,
    take_snapshot,
)
from customer_service.worked_examples import EXAMPLES
from smallhold.agents import Agent
from smallhold.cli.agent_setup import config_for
from smallhold.cli.demo_report import OfferedCall, TaskReport
from smallhold.cli.transcript import Transcript, answer_aloud
from smallhold.exceptions import (
    ConfigError,
    ContextOverflowError,
    RunError,
    SmallholdError,
    UnsupportedSchemaError,
)
from smallhold.messages import DoneEvent, Event, ToolResultEvent, Usage
from smallhold.runtimes.protocol import Runtime
from smallhold.tools import InvalidArguments, ToolSet, UnknownTool

DATABASE_NAME: Final = "shop.sqlite"
TASK_ERRORS: Final = (RunError, ContextOverflowError, UnsupportedSchemaError)
"""Errors that say something about one conversation, whose task then is not done. Any other would
come back in each of them, so it ends the demo."""


def open_shop(folder: Path) -> Path:
    """Create the shop's database in a folder.

    Raises:
        ConfigError: the folder cannot be written, or holds a shop already.
    """
    database = folder / DATABASE_NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        create_database(database)
    except OSError as error:
        problem = error.strerror or str(error)
        raise ConfigError(
            field="--keep", value=str(folder), remedy=f"name another folder ({problem})"
        ) from error
    return database


def shop_agent(database: Path, *, model: str | None, runtime: Runtime | None = None) -> Agent:
    """Make the shop's support agent with its six tools.

    Args:
        database: The shop, from `open_shop`.
        model: Alias or file, as `--model`.
        runtime: What runs the model; by default made from `model`.

    Raises:
        SmallholdError: as `Agent`.
    """
    config = replace(
        config_for(model), name=AGENT_NAME, role=INSTRUCTIONS, examples=EXAMPLES, max_calls=1
    )
    return Agent(config, runtime=runtime, tools=shop_tools(database))


async def hold_conversations(
    agent: Agent,
    *,
    database: Path,
    transcript: Transcript,
    on_start: Callable[[Task], None],
    on_end: Callable[[TaskReport], None],
) -> tuple[TaskReport, ...]:
    """Let every customer write once, each in a conversation of its own, and judge each.

    Raises:
        SmallholdError: an error that is not of one conversation alone.
    """
    reports: list[TaskReport] = []
    for task in TASKS:
        on_start(task)
        report = await hold_conversation(agent, task, database=database, transcript=transcript)
        on_end(report)
        reports.append(report)
    return tuple(reports)


async def hold_conversation(
    agent: Agent, task: Task, *, database: Path, transcript: Transcript
) -> TaskReport:
    """Let one customer write, and judge the shop's end state."""
    before = take_snapshot(database)
    record = _Record(transcript=transcript, tools=agent.tools)
    started_s = time.monotonic()
    done: DoneEvent | None = None
    failure: SmallholdError | None = None
    try:
        done = await answer_aloud(agent, task.message, listener=record)
    except TASK_ERRORS as error:
        failure = error
    total_s = time.monotonic() - started_s
    verdict = task.judge(before, take_snapshot(database))
    reason = verdict.reason if failure is None else str(failure)
    return TaskReport(
        task_id=task.id,
        message=task.message,
        completed=verdict.completed and failure is None,
        reason=reason,
        calls=tuple(record.calls),
        answer="" if done is None else done.text,
        usage=Usage() if done is None else done.usage,
        first_token_s=None if done is None else done.timing.first_token_s,
        total_s=total_s,
    )


def is_valid_call(tools: ToolSet, event: ToolResultEvent) -> bool:
    """Tell whether a call names one of the tools, with arguments that the tool takes."""
    tool = tools.find(event.call.name)
    if isinstance(tool, UnknownTool):
        return False
    return not isinstance(tool.validate(event.call.arguments), InvalidArguments)


@dataclass(slots=True)
class _Record:
    """Shows events and remembers the calls."""

    transcript: Transcript
    tools: ToolSet
    calls: list[OfferedCall] = field(default_factory=list[OfferedCall])

    def show(self, event: Event) -> None:
        if isinstance(event, ToolResultEvent):
            self.calls.append(
                OfferedCall(
                    call=event.call,
                    is_valid=is_valid_call(self.tools, event),
                    content=event.content,
                    is_error=event.is_error,
                )
            )
        self.transcript.show(event)

    def finish_line(self) -> None:
        self.transcript.finish_line()
