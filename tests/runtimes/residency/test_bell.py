from __future__ import annotations

import threading

import anyio
import pytest

from smallhold.runtimes.residency.bell import Bell

pytestmark = pytest.mark.anyio


async def test_a_bell_that_another_thread_rings_wakes_the_task() -> None:
    bell = Bell()
    thread = threading.Timer(0.02, bell.ring)
    thread.start()
    with anyio.fail_after(5):
        await bell.wait()
    thread.join()
    bell.close()


async def test_a_bell_that_was_rung_before_wakes_at_once() -> None:
    bell = Bell()
    bell.ring()
    bell.ring()
    with anyio.fail_after(5):
        await bell.wait()
    bell.close()


async def test_ringing_a_closed_bell_does_nothing() -> None:
    bell = Bell()
    bell.close()
    bell.ring()
