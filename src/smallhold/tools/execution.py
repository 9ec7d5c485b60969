"""Running a model's call: this file holds `run_tool`, which turns every end into an outcome."""

from __future__ import annotations

import inspect
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from typing import TypeVar, cast

import anyio
from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar

from smallhold.messages import ToolCall
from smallhold.tools.definition import AnyTool
from smallhold.tools.problems import MESSAGE_LIMIT_CHARS, InvalidArguments, shorten
from smallhold.tools.results import UnreadableResult, result_text
from smallhold.tools.run_context import AnyContext, RunContext, check_context

TOOL_THREADS = 16
"""Synchronous tools that run at once in one event loop, apart from anyio's own threads. They
mostly wait for files, databases and devices, so there are more than a small machine has cores."""

T = TypeVar("T")

_logger = logging.getLogger(__name__)
_limiters: RunVar[CapacityLimiter] = RunVar("smallhold_tool_threads")


class OutcomeKind(StrEnum):
    """How a tool's run ended."""

    OK = "ok"
    INVALID_ARGUMENTS = "invalid_arguments"
    """The function was not called."""
    RAISED = "raised"
    """The function raised, or its result cannot be written as text."""
    TIMED_OUT = "timed_out"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolOutcome:
    """What a model reads of a tool's run, and what a trace keeps of it."""

    kind: OutcomeKind
    content: str
    """For the model: the result, or one line that says what went wrong."""
    error: BaseException | None = field(default=None, compare=False)
    """What was raised; the model sees only `content`."""
    duration_s: float = 0.0
    """Wall time, validation and the wait for a free thread included."""

    @property
    def is_error(self) -> bool:
        """Whether the tool gave no result."""
        return self.kind is not OutcomeKind.OK


async def run_tool(
    tool: AnyTool, call: ToolCall, *, context: AnyContext | None = None
) -> ToolOutcome:
    """Validate a call's arguments and run the tool within its time limit.

    A synchronous function runs in a worker thread, a coroutine function in the event loop.
    Whatever goes wrong becomes an outcome that the model can read; only cancellation from outside
    (and `KeyboardInterrupt`) passes through. A synchronous function cannot be stopped: when its
    time is up it is left to end by itself, and its result is thrown away.

    Args:
        tool: The tool that `call` names.
        call: The model's call, not yet validated.
        context: Whose run this is, for tools that take a `RunContext`; its `deadline_s` is filled
            in here, and its `call_id` where it is empty.

    Raises:
        ConfigError: The tool needs a context of its own kind, and was not given it.
    """
    given = context or RunContext(value=None)
    check_context((tool,), given.value)
    started_s = time.perf_counter()
    outcome = _timed_out(tool)
    with anyio.move_on_after(tool.timeout_s) as scope:
        # Whichever is sooner: the tool's own limit, or that of the run around it.
        remaining_s = anyio.current_effective_deadline() - anyio.current_time()
        own_id = given.call_id or call.id
        given = replace(given, call_id=own_id, deadline_s=time.monotonic() + remaining_s)
        outcome = await _attempt(tool, call, context=given)
    if scope.cancel_called and outcome.kind is OutcomeKind.RAISED:
        # The function turned its own cancellation into some other error.
        outcome = _timed_out(tool)
    outcome = replace(outcome, duration_s=time.perf_counter() - started_s)
    if outcome.is_error:
        details = {
            "tool": tool.name,
            "kind": outcome.kind.value,
            "error_type": type(outcome.error).__name__,
            "duration_s": outcome.duration_s,
        }
        _logger.warning("tool.failed", extra=details)
    return outcome


async def _attempt(tool: AnyTool, call: ToolCall, *, context: AnyContext) -> ToolOutcome:
    # `SystemExit` is caught as well: a tool around a command-line program must not end a service.
    try:
        values = tool.validate(call.arguments)
        if isinstance(values, InvalidArguments):
            return ToolOutcome(kind=OutcomeKind.INVALID_ARGUMENTS, content=values.message)
        if tool.context is not None:
            values = values | {tool.context.name: context}
        result = await _invoke(tool, values)
        # Only a text is written at once; anything else may run its author's code for a while.
        is_text = isinstance(result, str)
        text = result_text(result) if is_text else await _in_thread(partial(result_text, result))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - kept in the outcome
        return ToolOutcome(kind=OutcomeKind.RAISED, content=describe_error(error), error=error)
    if isinstance(text, UnreadableResult):
        content = f"the tool's result cannot be written as text: {describe_error(text.error)}"
        return ToolOutcome(
            kind=OutcomeKind.RAISED,
            content=shorten(content, limit_chars=MESSAGE_LIMIT_CHARS),
            error=text.error,
        )
    return ToolOutcome(kind=OutcomeKind.OK, content=text)


async def _invoke(tool: AnyTool, values: Mapping[str, object]) -> object:
    if inspect.iscoroutinefunction(tool.function):
        result = tool.function(**values)
    else:
        result = await _in_thread(partial(tool.function, **values))
    return await result if inspect.isawaitable(result) else result


async def _in_thread(work: Callable[[], T]) -> T:
    return await to_thread.run_sync(work, abandon_on_cancel=True, limiter=_thread_limiter())


def _thread_limiter() -> CapacityLimiter:
    """Hand out the event loop's limiter; made on first use, since it belongs to one loop."""
    limiter = _limiters.get(None)
    if limiter is None:
        limiter = CapacityLimiter(TOOL_THREADS)
        _limiters.set(limiter)
    return limiter


def describe_error(error: BaseException) -> str:
    """Write an exception as one line for a model, such as `KeyError: 'x'`, without traceback.

    Returns:
        At most `MESSAGE_LIMIT_CHARS` characters.
    """
    only = _only_cause(error)
    name = type(only).__name__
    try:
        text = str(only)
    except Exception:  # noqa: BLE001 - the text of a foreign exception may itself be broken
        text = ""
    return shorten(f"{name}: {text}" if text.strip() else name, limit_chars=MESSAGE_LIMIT_CHARS)


def _only_cause(error: BaseException) -> BaseException:
    """Look into groups of one, which is what a task group makes of any error."""
    if isinstance(error, BaseExceptionGroup):
        group = cast("BaseExceptionGroup[BaseException]", error)
        return _only_cause(group.exceptions[0]) if len(group.exceptions) == 1 else group
    return error


def _timed_out(tool: AnyTool) -> ToolOutcome:
    content = f"the tool did not finish within {tool.timeout_s:g} s"
    return ToolOutcome(
        kind=OutcomeKind.TIMED_OUT, content=content, error=TimeoutError(f"{tool.name}: {content}")
    )
