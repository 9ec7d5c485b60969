from __future__ import annotations

import gc
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import anyio
import psutil
import pytest

from smallhold.engine.client import SPIN_COUNT, Connection, Engine, worker_environment
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
from smallhold.exceptions import (
    ContextOverflowError,
    ModelLoadError,
    UnsupportedFeatureError,
    WorkerDiedError,
)
from smallhold.generation import GenerationRequest

if TYPE_CHECKING:
    from tests.engine.conftest import Asking

STORY = "Tell me a very long story about the sea."

PARENT = """
import os
import sys
import time
from pathlib import Path
import anyio
from smallhold.engine.client import Engine
from smallhold.engine.config import ModelConfig
from smallhold.engine.wire import to_generate
from smallhold.generation import GenerationRequest, Prompt
from smallhold.messages import Message, Role

async def main():
    fork_after = len(sys.argv) > 2
    engine = Engine(ModelConfig(path=Path(sys.argv[1]), name="smol", threads=1))
    message = Message(role=Role.USER, content="Tell me a very long story about the sea.")
    request = GenerationRequest(prompt=Prompt(messages=(message,)), max_tokens=3000)
    async with engine.request(to_generate(request)) as connection:
        while True:
            await connection.receive()
            if fork_after and os.fork() == 0:
                time.sleep(15)  # holds copies of all that its parent had open
                os._exit(0)
            fork_after = False
            print(engine.pid, flush=True)

anyio.run(main)
"""


@pytest.fixture
async def engine(small_config: ModelConfig) -> AsyncIterator[Engine]:
    engine = Engine(small_config)
    yield engine
    engine.close()


def nothing() -> None: ...


async def listen(
    engine: Engine, command: Command, *, after_first: Callable[[], None] = nothing
) -> list[Reply]:
    """Take all replies; something may happen after the first one."""
    replies: list[Reply] = []
    async with engine.request(command) as connection:
        while not replies or isinstance(replies[-1], TextDelta):
            replies.append(await connection.receive())
            if len(replies) == 1:
                after_first()
    return replies


async def finish(engine: Engine, request: GenerationRequest) -> tuple[str, Finished]:
    *deltas, end = await listen(engine, to_generate(request))
    assert isinstance(end, Finished)
    return "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)), end


def worker_of(engine: Engine) -> int:
    pid = engine.pid
    assert pid is not None
    return pid


def kill_worker(engine: Engine) -> None:
    os.kill(worker_of(engine), signal.SIGKILL)


def is_gone(pid: int) -> bool:
    """Whether a process has ended, even if nobody has asked for its exit status yet."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def resident_bytes() -> int:
    """Memory of this process and its workers."""
    parent = psutil.Process()
    return sum(process.memory_info().rss for process in (parent, *parent.children()))


def are_all_threads_stopped(pid: int) -> bool:
    stats = [file.read_text() for file in Path(f"/proc/{pid}/task").glob("*/stat")]
    return all(stat.rpartition(")")[2].split()[0] == "T" for stat in stats)


def wait_until(condition: Callable[[], bool], *, limit_s: float = 10.0) -> None:
    deadline_s = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def test_a_workers_threads_spin_only_for_a_moment() -> None:
    environment = worker_environment({"PATH": "/bin"})
    assert environment == {"PATH": "/bin", "GOMP_SPINCOUNT": SPIN_COUNT}


@pytest.mark.parametrize("name", ["GOMP_SPINCOUNT", "OMP_WAIT_POLICY"])
def test_what_the_user_has_decided_about_spinning_stays(name: str) -> None:
    assert worker_environment({name: "x"}) == {name: "x"}


async def test_a_worker_is_started_by_the_first_request_and_ended_by_closing(
    engine: Engine, ask: Asking
) -> None:
    assert engine.pid is None
    command = Count(prompt=to_wire_prompt(ask("Hello!")))
    assert await listen(engine, command) == [Counted(tokens=32)]
    pid = worker_of(engine)
    assert await listen(engine, command) == [Counted(tokens=32)]
    assert engine.pid == pid
    engine.close()
    assert engine.pid is None
    assert is_gone(pid)


async def test_requests_leave_no_descriptors_behind(engine: Engine, ask: Asking) -> None:
    command = to_generate(GenerationRequest(prompt=ask(STORY), max_tokens=50))
    descriptors: list[tuple[int, int]] = []
    for _ in range(6):
        async with engine.request(command) as connection:
            await connection.receive()
        await listen(engine, Count(prompt=command.prompt))
        counts = psutil.Process().num_fds(), psutil.Process(worker_of(engine)).num_fds()
        descriptors.append(counts)
    # The worker may not have closed the last request's socket yet.
    for counts in zip(*descriptors[1:], strict=True):
        assert max(counts) - min(counts) <= 1


async def test_a_request_cancelled_before_it_begins_leaves_nothing_behind(
    engine: Engine, ask: Asking
) -> None:
    command = Count(prompt=to_wire_prompt(ask("Hello!")))
    with anyio.CancelScope() as scope:
        scope.cancel()
        await listen(engine, command)
    gc.collect()
    assert await listen(engine, command) == [Counted(tokens=32)]


async def test_a_worker_killed_in_the_middle_of_an_answer_is_told_and_replaced(
    engine: Engine, ask: Asking
) -> None:
    command = to_generate(GenerationRequest(prompt=ask(STORY), max_tokens=400))
    await listen(engine, Count(prompt=command.prompt))
    pid = worker_of(engine)
    with pytest.raises(WorkerDiedError, match="killed by SIGKILL"):
        await listen(engine, command, after_first=lambda: kill_worker(engine))
    _, finished = await finish(engine, GenerationRequest(prompt=ask(STORY), max_tokens=2))
    assert finished.usage.completion_tokens == 2
    assert worker_of(engine) != pid


async def test_a_worker_that_died_between_two_requests_is_replaced_unnoticed(
    engine: Engine, ask: Asking
) -> None:
    command = Count(prompt=to_wire_prompt(ask("Hello!")))
    for _ in range(2):
        await listen(engine, command)
        kill_worker(engine)
        wait_until(lambda: engine.pid is None)
    assert await listen(engine, command) == [Counted(tokens=32)]


@pytest.mark.skipif(sys.platform != "linux", reason="reads the state of threads from /proc")
async def test_a_request_to_a_worker_that_is_already_dying_is_sent_again_unnoticed(
    engine: Engine, ask: Asking
) -> None:
    command = Count(prompt=to_wire_prompt(ask("Hello!")))
    await listen(engine, command)
    pid = worker_of(engine)
    # Its end is on the way, and nobody has noticed yet.
    os.kill(pid, signal.SIGSTOP)
    wait_until(lambda: are_all_threads_stopped(pid))
    async with engine.request(command) as unread:
        os.kill(pid, signal.SIGKILL)
        assert await unread.receive() == Counted(tokens=32)
    assert worker_of(engine) != pid


async def test_a_request_is_sent_again_only_once(engine: Engine, ask: Asking) -> None:
    command = Count(prompt=to_wire_prompt(ask("Hello!")))
    await listen(engine, command)
    async with engine.request(command) as connection, anyio.create_task_group() as killers:
        killers.start_soon(kill_every_worker, engine)
        with pytest.raises(WorkerDiedError, match="SIGKILL"):
            await receive_for_ever(connection)
        killers.cancel_scope.cancel()


async def receive_for_ever(connection: Connection) -> NoReturn:
    while True:
        await connection.receive()


async def kill_every_worker(engine: Engine) -> None:
    while True:
        if (pid := engine.pid) is not None:
            os.kill(pid, signal.SIGKILL)
        await anyio.sleep(0.005)


async def test_closing_tells_the_requests_under_way_and_leaves_nothing(
    engine: Engine, ask: Asking
) -> None:
    command = to_generate(GenerationRequest(prompt=ask(STORY), max_tokens=400))
    before, others = psutil.Process().num_fds(), set(psutil.Process().children())
    told: list[WorkerDiedError] = []

    async def ask_and_be_told() -> None:
        with pytest.raises(WorkerDiedError, match="the engine was closed") as caught:
            await listen(engine, command)
        told.append(caught.value)

    async with anyio.create_task_group() as requests:
        for _ in range(3):
            requests.start_soon(ask_and_be_told)
        await listen(engine, Count(prompt=command.prompt))
        pid = worker_of(engine)
        engine.close()
        assert not psutil.pid_exists(pid)
    assert len(told) == 3
    assert not set(psutil.Process().children()) - others
    assert psutil.Process().num_fds() == before


async def test_closing_gives_the_memory_back(engine: Engine, ask: Asking) -> None:
    before = resident_bytes()
    await finish(engine, GenerationRequest(prompt=ask(STORY), max_tokens=2))
    loaded = resident_bytes()
    engine.close()
    assert loaded > before + 100 * 2**20
    assert resident_bytes() < before + 10 * 2**20


async def test_what_cannot_be_sent_is_refused_before_any_worker_starts(
    engine: Engine, ask: Asking
) -> None:
    for text in ("half a pair: \ud800", "x" * 68_000_000):
        with pytest.raises(UnsupportedFeatureError):
            await listen(engine, Count(prompt=to_wire_prompt(ask(text))))
    assert engine.pid is None


async def test_a_very_long_text_reaches_the_worker_whole(engine: Engine, ask: Asking) -> None:
    with pytest.raises(ContextOverflowError) as caught:
        await finish(engine, GenerationRequest(prompt=ask("word " * 200_000)))
    assert caught.value.prompt_tokens > 200_000


async def test_everybody_who_waits_is_told_why_a_model_cannot_be_loaded(
    small_config: ModelConfig, tmp_path: Path, ask: Asking
) -> None:
    path = tmp_path / "broken.gguf"
    path.write_bytes(b"GGUF" + bytes(100))
    engine = Engine(replace(small_config, path=path))
    command = Count(prompt=to_wire_prompt(ask("Hello!")))
    told: list[str] = []

    async def ask_and_be_told() -> None:
        with pytest.raises(ModelLoadError) as caught:
            await listen(engine, command)
        told.append(caught.value.path)

    async with anyio.create_task_group() as requests:
        for _ in range(8):
            requests.start_soon(ask_and_be_told)
    assert told == [str(path)] * 8
    shutil.copy(small_config.path, path)
    assert await listen(engine, command) == [Counted(tokens=32)]
    engine.close()


async def test_a_deadline_stops_a_prompt_between_two_of_its_passes(
    engine: Engine, ask: Asking
) -> None:
    prompt = ask("All the ships of the sea, one by one. " * 38)
    count = Count(prompt=to_wire_prompt(prompt))
    await listen(engine, count)
    request = GenerationRequest(prompt=prompt, max_tokens=1)
    with anyio.move_on_after(0.3) as scope:
        await finish(engine, request)
    assert scope.cancelled_caught
    _, finished = await finish(engine, request)
    usage = finished.usage
    # What the first request had computed is there, and it is not the whole prompt.
    assert usage.cached_tokens < usage.prompt_tokens - 1
    assert usage.cached_tokens % 64 == 0


@pytest.mark.slow
async def test_an_answer_nobody_waits_for_any_more_is_not_gone_on_with(
    engine: Engine, ask: Asking
) -> None:
    whole = GenerationRequest(prompt=ask(STORY), max_tokens=150)
    text, finished = await finish(engine, whole)
    assert finished.usage.completion_tokens == 150
    engine.close()
    with anyio.CancelScope() as scope:
        await listen(engine, to_generate(whole), after_first=scope.cancel)
    known = GenerationRequest(prompt=replace(whole.prompt, continuation=text), max_tokens=1)
    _, after = await finish(engine, known)
    computed = after.usage.cached_tokens - finished.usage.prompt_tokens
    assert 0 <= computed < 75


async def test_a_file_that_is_not_there_starts_no_worker(
    small_config: ModelConfig, tmp_path: Path, ask: Asking
) -> None:
    engine = Engine(replace(small_config, path=tmp_path / "nowhere.gguf"))
    with pytest.raises(ModelLoadError, match="no such file"):
        await listen(engine, Count(prompt=to_wire_prompt(ask("Hello!"))))
    gc.collect()
    assert engine.pid is None


def started_parent(path: Path, *options: str) -> tuple[subprocess.Popen[str], int]:
    """A process in the middle of an answer, and the worker that gives it."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(path), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    return parent, int(parent.stdout.readline())


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_worker_goes_with_its_parent(smollm2_path: Path, ending: signal.Signals) -> None:
    parent, worker = started_parent(smollm2_path)
    assert not is_gone(worker)
    parent.send_signal(ending)
    # The worker shares the parent's stderr: this returns once both have closed it.
    _, errors = parent.communicate(timeout=20)
    wait_until(lambda: is_gone(worker))
    assert parent.returncode in {-ending, 128 + ending, 1}
    assert ("KeyboardInterrupt" in errors) == (ending is signal.SIGINT)
    assert "smallhold.engine.worker" not in errors


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of any process's end")
def test_a_worker_goes_with_its_parent_even_if_a_fork_of_it_lives_on(smollm2_path: Path) -> None:
    parent, worker = started_parent(smollm2_path, "fork")
    (fork,) = (p for p in psutil.Process(parent.pid).children() if p.pid != worker)
    parent.kill()
    parent.wait(timeout=5)
    wait_until(lambda: is_gone(worker), limit_s=2)
    assert fork.is_running()
    fork.kill()
    parent.communicate(timeout=5)
