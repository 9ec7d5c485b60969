from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import anyio
import pytest
from tests.tiny_models import write_llama

from smallhold.engine.client import Connection, Engine
from smallhold.engine.config import ModelConfig
from smallhold.engine.wire import (
    Command,
    Count,
    Counted,
    Finished,
    Reply,
    TextDelta,
    to_generate,
    to_wire_prompt,
)
from smallhold.exceptions import EngineError, ModelLoadError, WorkerHungError, WorkerMemoryError
from smallhold.generation import GenerationRequest

if TYPE_CHECKING:
    from tests.engine.conftest import Asking

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")

HOLD_ONE_THREAD = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long] * 4
SEIZE, INTERRUPT = 0x4206, 0x4207
pid = int(sys.argv[1])
if libc.ptrace(SEIZE, pid, 0, 0) or libc.ptrace(INTERRUPT, pid, 0, 0):
    sys.exit("refused")
os.waitpid(pid, 0x40000000)
print("held", flush=True)
os.waitpid(pid, 0x40000000)
"""
"""Stops the main thread of another process, and no other thread, until the process ends."""

MakeEngine = Callable[[ModelConfig], Engine]


@pytest.fixture
def make_engine() -> Iterator[MakeEngine]:
    engines: list[Engine] = []

    def make(config: ModelConfig) -> Engine:
        engines.append(Engine(config))
        return engines[-1]

    yield make
    for engine in engines:
        engine.close()


@pytest.fixture
def engine(make_engine: MakeEngine, small_config: ModelConfig) -> Engine:
    """An engine that is quick to suspect its worker."""
    return make_engine(replace(small_config, hang_timeout_s=0.5, concurrent_requests=1))


async def last_reply(engine: Engine, command: Command) -> Reply:
    async with engine.request(command) as connection:
        return await last_of(connection)


async def last_of(connection: Connection) -> Reply:
    while isinstance(reply := await connection.receive(), TextDelta):
        pass
    return reply


def worker_of(engine: Engine) -> int:
    pid = engine.pid
    assert pid is not None
    return pid


async def all_are_told_of_the_hang(engine: Engine, command: Command, *, count: int) -> None:
    async def ask_and_be_told() -> None:
        with pytest.raises(WorkerHungError, match=r"one token within 0\.5 s"):
            await last_reply(engine, command)

    with anyio.fail_after(20):
        async with anyio.create_task_group() as requests:
            for _ in range(count):
                requests.start_soon(ask_and_be_told)


@contextmanager
def main_thread_held(pid: int) -> Generator[None]:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD_ONE_THREAD, str(pid)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as tracer:
        try:
            assert tracer.stdout is not None
            if tracer.stdout.readline() != "held\n":
                pytest.skip("this system lets no process hold another one's thread")
            yield
        finally:
            tracer.kill()


async def test_a_stopped_worker_is_ended_and_all_who_wait_are_told(
    engine: Engine, ask: Asking
) -> None:
    command = Count(prompt=to_wire_prompt(ask("Hello!")))
    assert await last_reply(engine, command) == Counted(tokens=32)
    pid = worker_of(engine)
    os.kill(pid, signal.SIGSTOP)
    await all_are_told_of_the_hang(engine, command, count=4)
    assert await last_reply(engine, command) == Counted(tokens=32)
    assert worker_of(engine) != pid


async def receive_for_ever(connection: Connection) -> NoReturn:
    while True:
        await connection.receive()


@linux_only
async def test_a_worker_whose_main_thread_hangs_in_a_pass_is_ended_although_others_live(
    engine: Engine, ask: Asking
) -> None:
    story = to_generate(GenerationRequest(prompt=ask("Tell me a story."), max_tokens=400))
    async with engine.request(story) as connection:
        assert isinstance(await connection.receive(), TextDelta)
        with main_thread_held(worker_of(engine)):
            await all_are_told_of_the_hang(engine, story, count=2)
            with pytest.raises(WorkerHungError):
                await receive_for_ever(connection)
    assert isinstance(await last_reply(engine, Count(prompt=story.prompt)), Counted)


@pytest.mark.slow
async def test_waiting_for_ones_turn_is_no_hang(engine: Engine, ask: Asking) -> None:
    story = to_generate(GenerationRequest(prompt=ask("Tell me a story."), max_tokens=150))
    await last_reply(engine, Count(prompt=story.prompt))
    pid = worker_of(engine)
    waits_s: list[float] = []

    async def finish() -> None:
        begun_s = time.monotonic()
        assert isinstance(await last_reply(engine, story), Finished)
        waits_s.append(time.monotonic() - begun_s)

    async with anyio.create_task_group() as requests:
        for _ in range(3):
            requests.start_soon(finish)
    # Long enough for canaries to have flown.
    assert max(waits_s) > 2 * engine.config.hang_timeout_s
    assert worker_of(engine) == pid


async def test_an_event_loop_that_was_blocked_takes_no_worker_for_hung(
    engine: Engine, ask: Asking
) -> None:
    story = to_generate(GenerationRequest(prompt=ask("Tell me a story."), max_tokens=60))
    await last_reply(engine, Count(prompt=story.prompt))
    pid = worker_of(engine)
    async with engine.request(story) as connection, anyio.create_task_group() as tasks:

        async def block() -> None:
            for _ in range(3):
                time.sleep(0.7)  # noqa: ASYNC251 - blocking the loop is the point
                await anyio.sleep(0.01)

        tasks.start_soon(block)
        assert isinstance(await last_of(connection), Finished)
    assert worker_of(engine) == pid


@linux_only
@pytest.mark.parametrize("limit_mb", [1, 150])
async def test_a_model_too_large_for_its_memory_limit_is_refused_in_words(
    make_engine: MakeEngine, small_config: ModelConfig, ask: Asking, limit_mb: int
) -> None:
    engine = make_engine(replace(small_config, memory_limit_bytes=limit_mb * 2**20))
    for _ in range(2):
        with pytest.raises((ModelLoadError, WorkerMemoryError), match="memory"):
            await last_reply(engine, Count(prompt=to_wire_prompt(ask("Hello!"))))


def damage(path: Path, *, seed: int) -> None:
    """Cut a model's tensors off, or fill them with noise; the header stays valid."""
    rng = random.Random(seed)  # noqa: S311 - damage, not a secret
    data = bytearray(path.read_bytes())
    start = len(data) // 2
    if seed % 2:
        del data[rng.randrange(start, len(data)) :]
    else:
        data[start:] = rng.randbytes(len(data) - start)
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("seed", range(6))
async def test_a_damaged_model_file_harms_nobody_but_its_own_requests(
    make_engine: MakeEngine, small_config: ModelConfig, tmp_path: Path, ask: Asking, seed: int
) -> None:
    path = write_llama(tmp_path / "tiny.gguf")
    good = path.read_bytes()
    damage(path, seed=seed)
    engine = make_engine(replace(small_config, path=path))
    command = to_generate(GenerationRequest(prompt=ask("Hello!"), max_tokens=5))
    # Noise may well load, and then the answer is noise.
    with suppress(EngineError):
        await last_reply(engine, command)
    engine.close()
    path.write_bytes(good)
    assert isinstance(await last_reply(engine, command), Finished)
