"""Promises of `smallhold.tools.mcp.background`: this file holds tests of its loop."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import anyio
import pytest

from smallhold.tools.mcp.background import in_background, keep_running

pytestmark = pytest.mark.anyio


async def thread_name() -> str:
    return threading.current_thread().name


async def test_work_is_done_in_a_thread_of_its_own() -> None:
    assert await in_background(thread_name) == "smallhold-mcp"


def test_several_loops_share_it_in_turn() -> None:
    names = {anyio.run(in_background, thread_name) for _ in range(3)}
    assert names == {"smallhold-mcp"}


async def test_an_error_reaches_the_caller() -> None:
    async def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await in_background(fail)


async def test_a_caller_that_is_cancelled_goes_on_at_once_and_the_work_is_cancelled() -> None:
    ended = threading.Event()

    async def wait() -> None:
        try:
            await anyio.sleep(60)
        finally:
            ended.set()

    started_s = time.monotonic()
    with anyio.move_on_after(0.1):
        await in_background(wait)
    assert time.monotonic() - started_s < 5
    assert await anyio.to_thread.run_sync(lambda: ended.wait(5))


async def test_a_task_that_fails_ends_only_itself() -> None:
    happened: list[str] = []

    async def fail() -> None:
        raise ValueError("no")

    async def go_on() -> None:
        await anyio.sleep(0.05)
        happened.append("went on")

    async def start() -> None:
        keep_running(go_on, name="good")
        keep_running(fail, name="bad")

    await in_background(start)
    await anyio.sleep(0.3)
    assert happened == ["went on"]
    assert await in_background(thread_name)


def test_a_program_ends_while_a_task_goes_on() -> None:
    program = """
import anyio
from smallhold.tools.mcp.background import in_background, keep_running
async def start():
    keep_running(lambda: anyio.sleep(600), name="long")
anyio.run(in_background, start)
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        timeout=30, check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
