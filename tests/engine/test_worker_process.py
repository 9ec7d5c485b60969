from __future__ import annotations

import os
import signal
import socket
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from smallhold.engine.config import ModelConfig
from smallhold.engine.frames import read_frame
from smallhold.engine.memory_limit import MEMORY_EXIT_STATUS
from smallhold.engine.wire import Describe, Described, decode_reply, encode_frame
from smallhold.engine.worker_process import (
    BusyWorkerError,
    Ending,
    WorkerProcess,
    exit_cause,
    start_worker,
    worker_death,
)
from smallhold.exceptions import (
    ModelLoadError,
    WorkerDiedError,
    WorkerHungError,
    WorkerMemoryError,
)

CONFIG = ModelConfig(path=Path("m.gguf"), name="m", hang_timeout_s=7)


@pytest.fixture
def worker(small_config: ModelConfig) -> Iterator[WorkerProcess]:
    worker = start_worker(small_config, environ=os.environ)
    yield worker
    worker.end(Ending.CLOSED)


def ask(worker: WorkerProcess, stack: ExitStack) -> socket.socket:
    ours, theirs = socket.socketpair()
    stack.enter_context(ours)
    ours.sendall(encode_frame(Describe()))
    ours.settimeout(30)
    with theirs:
        worker.hand_over(theirs)
    return ours


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (None, "it closed the connection"),
        (0, "exit status 0"),
        (3, "exit status 3"),
        (-9, "killed by SIGKILL (the system does this when memory runs out)"),
        (-11, "killed by SIGSEGV"),
        (-99, "killed by signal 99"),
    ],
)
def test_the_end_of_a_process_is_told_in_words(status: int | None, words: str) -> None:
    assert exit_cause(status) == words


@pytest.mark.parametrize(
    ("status", "ending", "kind", "words"),
    [
        (-9, Ending.HUNG, WorkerHungError, "did not compute one token within 7 s"),
        (-9, Ending.CLOSED, WorkerDiedError, "the engine was closed"),
        (-9, None, WorkerDiedError, "SIGKILL"),
        (-6, None, WorkerDiedError, "SIGABRT"),
        (MEMORY_EXIT_STATUS, None, WorkerMemoryError, "memory"),
        (1, None, WorkerDiedError, "exit status 1"),
    ],
)
def test_each_end_has_its_error(
    status: int, ending: Ending | None, kind: type[WorkerDiedError], words: str
) -> None:
    error = worker_death(CONFIG, status=status, ending=ending)
    assert type(error) is kind
    assert words in str(error)


def test_a_file_that_is_not_there_starts_no_process() -> None:
    with pytest.raises(ModelLoadError, match="no such file"):
        start_worker(CONFIG, environ=os.environ)


def test_a_worker_says_when_its_model_is_loaded(worker: WorkerProcess) -> None:
    with ExitStack() as stack:
        reply = decode_reply(read_frame(ask(worker, stack)))
    assert isinstance(reply, Described)
    assert worker.is_loaded
    assert worker.is_loaded


def test_a_stopped_worker_takes_only_so_many_requests(worker: WorkerProcess) -> None:
    worker.process.send_signal(signal.SIGSTOP)
    with ExitStack() as stack, pytest.raises(BusyWorkerError):
        deque((ask(worker, stack) for _ in range(10_000)), maxlen=0)


def test_an_ended_worker_leaves_no_process_and_no_descriptor(small_config: ModelConfig) -> None:
    before = psutil.Process().num_fds()
    worker = start_worker(small_config, environ=os.environ)
    worker.end(Ending.CLOSED)
    assert not psutil.pid_exists(worker.process.pid)
    assert psutil.Process().num_fds() == before


def test_what_was_told_first_about_an_end_stays(worker: WorkerProcess) -> None:
    worker.end(Ending.HUNG)
    worker.end(Ending.CLOSED)
    assert worker.ending is Ending.HUNG


async def test_a_worker_that_could_not_load_its_model_is_remembered_for_that(
    worker: WorkerProcess,
) -> None:
    assert not worker.is_given_up
    worker.refusal = ModelLoadError(path="m.gguf", problem="it is broken")
    assert worker.is_given_up
    death = await worker.death()
    assert isinstance(death, ModelLoadError)
    assert str(death) == str(worker.refusal)
