"""The door for synchronous code: this file holds the one background event loop.

One loop in one thread serves all agents of the process, so that a model stays loaded between calls.
It works in notebooks too, whose own loop is busy while a cell runs.
"""

from __future__ import annotations

import atexit
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import CancelledError
from contextlib import ExitStack
from functools import partial
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


def call(
    function: Callable[Params, Awaitable[Value]], *args: Params.args, **kwargs: Params.kwargs
) -> Value:
    """Run an async function to its end; Ctrl-C cancels it."""
    future = _door.portal().start_task_soon(partial(function, *args, **kwargs))
    try:
        return future.result()
    except BaseException:
        if not future.done():
            future.cancel()
            _await_cancelled(future.exception)
        raise


def _await_cancelled(wait: Callable[[], object]) -> None:
    """Wait until the task has let go of what it held."""
    try:
        wait()
    except CancelledError:
        return
