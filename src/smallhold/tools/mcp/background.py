"""Where connections live: this file holds the one event loop, in a thread of its own.

A connection outlives the call that opened it, and may be used from several event loops in turn: the
one of `agent.chat`, the one of a notebook, the one of a service. So it belongs to none of them.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import ParamSpec, TypeVar

import anyio
from anyio.abc import TaskGroup
from anyio.from_thread import BlockingPortal

Params = ParamSpec("Params")
Value = TypeVar("Value")

_log = logging.getLogger(__name__)


class _Loop:
    """A running loop: a way in from other loops, and a group for tasks that go on."""

    def __init__(self, *, portal: BlockingPortal, tasks: TaskGroup) -> None:
        self.portal = portal
        self.tasks = tasks


class _Background:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: _Loop | None = None
        self._thread: threading.Thread | None = None
        self._process = 0

    def loop(self) -> _Loop:
        """Hand out the loop, started at first use; a forked process starts its own."""
        with self._lock:
            if self._loop is None or self._process != os.getpid():
                started: Future[_Loop] = Future()
                self._thread = threading.Thread(
                    target=anyio.run, args=(_live, started), name="smallhold-mcp", daemon=True
                )
                self._thread.start()
                self._loop = started.result()
                self._process = os.getpid()
                atexit.register(self._end)
            return self._loop

    def running(self) -> _Loop:
        """Hand out the loop to a task that runs in it."""
        if self._loop is None:
            msg = "no task can run in a loop that was never started"
            raise RuntimeError(msg)
        return self._loop

    def _end(self) -> None:
        """End what still runs, so that no server's process stays behind."""
        with self._lock:
            loop, self._loop = self._loop, None
        if loop is not None and self._process == os.getpid():
            loop.portal.call(loop.tasks.cancel_scope.cancel)
            if self._thread is not None:
                self._thread.join(timeout=10)


_background = _Background()


async def _live(started: Future[_Loop]) -> None:
    async with anyio.create_task_group() as tasks, BlockingPortal() as portal:
        started.set_result(_Loop(portal=portal, tasks=tasks))
        await portal.sleep_until_stopped()


async def in_background(function: Callable[[], Awaitable[Value]]) -> Value:
    """Run a function in the background's loop and wait for it from another one.

    A caller that is cancelled goes on at once; the function is cancelled too and ends by itself.
    """
    portal = _background.loop().portal
    return await portal.call_async(function, abandon_on_cancel=True)


def keep_running(task: Callable[[], Awaitable[None]], *, name: str) -> None:
    """Let a task go on in the background's loop; only to be called from inside it.

    Whatever it raises ends only itself.
    """

    async def guarded() -> None:
        try:
            await task()
        # A group would otherwise end all tasks with the one that failed.
        except Exception as error:  # noqa: BLE001 - its task has told those who wait for it
            _log.warning("mcp.task_failed", extra={"task": name, "error": type(error).__name__})

    _background.running().tasks.start_soon(guarded, name=name)
