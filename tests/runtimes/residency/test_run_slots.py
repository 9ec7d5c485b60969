from __future__ import annotations

import threading
from contextlib import AsyncExitStack

import anyio
import pytest
from anyio import to_thread
from anyio.lowlevel import checkpoint

from smallhold.agents import blocking
from smallhold.runtimes.residency.run_slots import RunSlots

pytestmark = pytest.mark.anyio


async def settled() -> None:
    for _ in range(10):
        await anyio.sleep(0.001)


async def test_without_a_limit_nobody_waits() -> None:
    slots = RunSlots(None)
    async with AsyncExitStack() as stack:
        for _ in range(50):
            await stack.enter_async_context(slots.hold())
    assert slots.waiting == 0


async def test_runs_beyond_the_limit_wait_in_their_order() -> None:
    slots = RunSlots(2)
    events: list[str] = []
    ends = [anyio.Event() for _ in range(5)]

    async def run(number: int) -> None:
        async with slots.hold():
            events.append(f"begin {number}")
            await ends[number].wait()

    async with anyio.create_task_group() as tasks:
        for number in range(5):
            tasks.start_soon(run, number)
            await settled()
        assert events == ["begin 0", "begin 1"]
        for number in (1, 0, 2, 3, 4):
            ends[number].set()
            await settled()
    assert events == [f"begin {number}" for number in range(5)]


async def test_one_who_gives_up_waiting_leaves_its_turn_to_the_next() -> None:
    slots = RunSlots(1)
    events: list[str] = []
    end, gave_up = anyio.Event(), anyio.Event()

    async def first() -> None:
        async with slots.hold():
            await end.wait()

    async def impatient() -> None:
        with anyio.move_on_after(0.3):
            async with slots.hold():
                events.append("the impatient one's turn")
        gave_up.set()

    async def last() -> None:
        async with slots.hold():
            events.append("the last one's turn")

    async with anyio.create_task_group() as tasks:
        for run in (first, impatient, last):
            tasks.start_soon(run)
            await settled()
        assert slots.waiting == 2
        await gave_up.wait()
        end.set()
    assert events == ["the last one's turn"]


async def test_a_run_within_a_run_needs_no_place_of_its_own() -> None:
    slots = RunSlots(1)
    async with slots.hold(), slots.hold():
        assert slots.waiting == 0


async def test_a_run_that_a_tool_in_a_thread_starts_needs_no_place_of_its_own() -> None:
    slots = RunSlots(1)

    async def inner() -> str:
        async with slots.hold():
            return "inside"

    async with slots.hold():
        assert await to_thread.run_sync(blocking.call, inner) == "inside"


async def test_a_place_that_was_left_helps_nobody() -> None:
    slots = RunSlots(1)
    async with slots.hold():
        pass
    begun, end = anyio.Event(), anyio.Event()

    async def other() -> None:
        async with slots.hold():
            begun.set()
            await end.wait()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(other)
        await begun.wait()
        with anyio.move_on_after(0.02) as scope:
            async with slots.hold():
                pytest.fail("the place is taken")
        assert scope.cancelled_caught
        end.set()


def test_places_are_handed_on_between_threads_and_loops() -> None:
    slots = RunSlots(1)
    most, now, lock = 0, 0, threading.Lock()

    async def run() -> None:
        nonlocal most, now
        for _ in range(20):
            async with slots.hold():
                with lock:
                    now += 1
                    most = max(most, now)
                await checkpoint()
                with lock:
                    now -= 1

    threads = [threading.Thread(target=anyio.run, args=(run,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert most == 1
    assert not slots.waiting
