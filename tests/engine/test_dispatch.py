from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest
from tests.tiny_models import write_llama

from smallhold.engine.config import ModelConfig
from smallhold.engine.dispatch import begin, internal_error
from smallhold.engine.frames import read_frame
from smallhold.engine.intake import Job
from smallhold.engine.loaded import LoadedModel
from smallhold.engine.outbox import Outbox
from smallhold.engine.wire import (
    Alive,
    Canary,
    Command,
    Count,
    Counted,
    Describe,
    Described,
    Embed,
    Embedded,
    Failed,
    Finished,
    Generate,
    Reply,
    Score,
    Scored,
    SetThreads,
    TextDelta,
    ThreadsSet,
    WireMessage,
    WirePrompt,
    decode_reply,
)
from smallhold.generation import Pooling, Sampling, Scheduling

HELLO = WirePrompt(messages=[WireMessage(role="user", content="Hello!")], tools=[], continuation="")
NOBODY = WirePrompt(messages=[WireMessage(role="emperor", content="x")], tools=[], continuation="")


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoadedModel]:
    path: Path = write_llama(tmp_path_factory.mktemp("model") / "tiny.gguf")
    with ExitStack() as stack:
        config = ModelConfig(path=path, name="tiny", context_tokens=256, threads=1)
        yield LoadedModel(config, stack=stack)


def generate_from(prompt: WirePrompt, *, timeout_s: float | None = None) -> Generate:
    return Generate(
        prompt=prompt, constraint=None, sampling=Sampling(), max_tokens=2, stop=[],
        scheduling=Scheduling(timeout_s=timeout_s),
    )  # fmt: skip


def ask(loaded: LoadedModel, *commands: Command) -> list[Reply]:
    """Begin requests, compute until all are answered, and give each one's last reply."""
    with ExitStack() as stack:
        clients: list[tuple[socket.socket, Outbox]] = []
        for command in commands:
            ours, theirs = socket.socketpair()
            stack.enter_context(ours)
            outbox = Outbox(theirs)
            clients.append((ours, outbox))
            job = Job(connection=theirs, command=command, arrived_s=time.monotonic())
            begin(loaded, job, outbox)
        while not loaded.scheduler.is_idle:
            assert loaded.scheduler.run_pass() or loaded.scheduler.is_idle
        for _, outbox in clients:
            assert outbox.flush()
        return [last_reply(ours) for ours, _ in clients]


def last_reply(ours: socket.socket) -> Reply:
    while isinstance(reply := decode_reply(read_frame(ours)), TextDelta):
        pass
    assert ours.recv(1) == b""
    return reply


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        (generate_from(HELLO), Finished),
        (Score(prompt=HELLO, choices=["a", "b"], baseline=None, scheduling=Scheduling()), Scored),
        (Embed(prompt=HELLO, pooling=Pooling.LAST, scheduling=Scheduling()), Embedded),
        (Count(prompt=HELLO), Counted),
        (Describe(), Described),
        (SetThreads(threads=None), ThreadsSet),
        (Canary(), Alive),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, msgspec.Struct) else "",
)
def test_every_command_has_its_answer(
    loaded: LoadedModel, command: Command, kind: type[Reply]
) -> None:
    assert isinstance(ask(loaded, command)[0], kind)


def test_threads_are_limited_by_what_the_settings_give_and_come_back(
    loaded: LoadedModel,
) -> None:
    (usual,) = ask(loaded, SetThreads(threads=None))
    (fewest,) = ask(loaded, SetThreads(threads=1))
    (many,) = ask(loaded, SetThreads(threads=1000))
    assert fewest == ThreadsSet(threads=1, batch_threads=1)
    assert many == usual


def test_a_description_names_the_process(loaded: LoadedModel) -> None:
    (described,) = ask(loaded, Describe())
    assert isinstance(described, Described)
    assert described.pid == os.getpid()


@pytest.mark.parametrize(
    "command",
    [
        generate_from(NOBODY),
        Score(prompt=NOBODY, choices=["a"], baseline=None, scheduling=Scheduling()),
        Embed(prompt=NOBODY, pooling=Pooling.LAST, scheduling=Scheduling()),
        Count(prompt=NOBODY),
    ],
    ids=lambda command: type(command).__name__,
)
def test_a_fault_in_one_request_is_its_own_and_ends_no_other(
    loaded: LoadedModel, command: Command
) -> None:
    finished, failed, counted = ask(loaded, generate_from(HELLO), command, Count(prompt=HELLO))
    assert isinstance(finished, Finished)
    assert isinstance(counted, Counted)
    assert isinstance(failed, Failed)
    assert failed.kind == "DecodeError"
    assert failed.fields == {"problem": "internal: ValueError"}


def test_an_error_of_our_tree_is_reported_as_it_is(loaded: LoadedModel) -> None:
    long = WirePrompt(
        messages=[WireMessage(role="user", content="x" * 1000)], tools=[], continuation=""
    )
    (failed,) = ask(loaded, generate_from(long))
    assert isinstance(failed, Failed)
    assert failed.kind == "ContextOverflowError"


def test_a_deadline_counts_from_the_requests_arrival(loaded: LoadedModel) -> None:
    (failed,) = ask(loaded, generate_from(HELLO, timeout_s=1e-9))
    assert isinstance(failed, Failed)
    assert failed.kind == "DeadlineExceededError"


def test_a_fault_is_logged_with_its_place_and_without_its_words(
    caplog: pytest.LogCaptureFixture,
) -> None:
    private = "the customer's words"
    known: dict[str, int] = {}
    with pytest.raises(KeyError) as caught:
        known[private] += 1
    assert internal_error(caught.value).problem == "internal: KeyError"
    (record,) = caplog.records
    assert record.getMessage() == "dispatch.internal_error"
    assert "test_a_fault_is_logged" in str(vars(record)["places"])
    assert private not in str(vars(record))
