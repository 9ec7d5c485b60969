"""The door for synchronous code: this file holds the one background event loop.

One loop in one thread serves all agents of the process, so that a model stays loaded between calls.
It works in notebooks too, whose own loop is busy while a cell runs.
"""

from __future__ import annotations

import atexit
import threading
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from anyio.from_thread import BlockingPortal, start_blocking_portal

Params = ParamSpec("Params")
Value = TypeVar("Value")


class _Door:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stack = ExitStack()
        self._portal: BlockingPortal | None = None

    def portal(self) -> BlockingPortal:
        with self._lock:
            if self._portal is None:
                self._portal = self._stack.enter_context(start_blocking_portal())
                atexit.register(self._stack.close)
            return self._portal


_door = _Door()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Escape:
    """What a tool raised to end the program; inside the loop it would end all agents' chats."""

    error: KeyboardInterrupt | SystemExit


def call(
    function: Callable[Params, Awaitable[Value]], *args: Params.args, **kwargs: Params.kwargs
) -> Value:
    """Run an async function to its end; Ctrl-C cancels it."""
    ended = threading.Event()

    async def run() -> Value | _Escape:
        try:
            return await function(*args, **kwargs)
        except (KeyboardInterrupt, SystemExit) as error:
            return _Escape(error=error)
        finally:
            ended.set()

    future = _door.portal().start_task_soon(run)
    try:
        outcome = future.result()
    except BaseException:
        if future.cancel():
            # A cancelled future is done at once, while its task still holds what it held.
            ended.wait()
        raise
    if isinstance(outcome, _Escape):
        raise outcome.error
    return outcome
