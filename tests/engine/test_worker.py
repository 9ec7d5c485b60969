from __future__ import annotations

import resource
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from smallhold.engine.config import ModelConfig
from smallhold.engine.frames import read_frame
from smallhold.engine.memory_limit import MEMORY_EXIT_STATUS
from smallhold.engine.wire import (
    LENGTH,
    Alive,
    Canary,
    Count,
    Counted,
    Describe,
    Described,
    Failed,
    Finished,
    Load,
    Reply,
    TextDelta,
    WireMessage,
    WirePrompt,
    decode_reply,
    encode_frame,
    to_generate,
    to_wire_prompt,
)
from smallhold.generation import GenerationRequest

if TYPE_CHECKING:
    from tests.engine.conftest import Asking


def config_of(path: Path) -> ModelConfig:
    return ModelConfig(path=path, name="smol", context_tokens=512, threads=1)


class Peer:
    """A worker process as its parent sees it, without our own client in between."""

    def __init__(self, stack: ExitStack) -> None:
        self.control, theirs = socket.socketpair()
        stack.enter_context(self.control)
        self._stack = stack
        with theirs:
            self.process = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-m", "smallhold.engine.worker", str(theirs.fileno())],
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
        stack.callback(self.process.kill)

    def load(self, path: Path, *, memory_limit_bytes: int | None = None) -> Peer:
        config = replace(config_of(path), memory_limit_bytes=memory_limit_bytes)
        self.control.sendall(encode_frame(Load(config=config)))
        return self

    def connect(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        ours.settimeout(30)
        self._stack.enter_context(ours)
        with theirs:
            socket.send_fds(self.control, [b"r"], [theirs.fileno()])
        return ours

    def ask(self, command: msgspec.Struct) -> socket.socket:
        connection = self.connect()
        connection.sendall(encode_frame(command))
        return connection

    def leave(self) -> tuple[int, str]:
        """Close the control socket; give the exit status and what was written to stderr."""
        self.control.close()
        _, errors = self.process.communicate(timeout=20)
        return self.process.returncode, errors


def reply_on(connection: socket.socket) -> Reply:
    return decode_reply(read_frame(connection))


def last_reply(connection: socket.socket) -> Reply:
    while isinstance(reply := reply_on(connection), TextDelta):
        pass
    return reply


@pytest.fixture
def peer() -> Iterator[Peer]:
    with ExitStack() as stack:
        yield Peer(stack)


def test_a_worker_says_what_it_has_loaded(peer: Peer, smollm2_path: Path) -> None:
    described = reply_on(peer.load(smollm2_path).ask(Describe()))
    assert isinstance(described, Described)
    assert described.pid == peer.process.pid
    assert described.description.startswith("llama")
    assert peer.leave() == (0, "")


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\0",
        LENGTH.pack(3) + b"\xc1\xc1\xc1",
        LENGTH.pack(2**32 - 1),
        LENGTH.pack(100_013) + b"\x82\xa4type\xa5count" + b"\x91" * 100_001,
        LENGTH.pack(8) + b"\x81\xa4type\xa1\xff",
    ],
    ids=["nothing", "half a length", "garbage", "absurd length", "too deep", "no utf-8"],
)
def test_a_broken_command_is_dropped_and_the_next_one_served(
    peer: Peer, smollm2_path: Path, ask: Asking, sent: bytes
) -> None:
    peer.load(smollm2_path)
    broken = peer.connect()
    broken.sendall(sent)
    broken.shutdown(socket.SHUT_WR)
    good = peer.ask(Count(prompt=to_wire_prompt(ask("Hello!"))))
    assert broken.recv(1) == b""
    assert reply_on(good) == Counted(tokens=32)


def test_a_client_that_stalls_delays_nobody(peer: Peer, smollm2_path: Path, ask: Asking) -> None:
    stalled = peer.load(smollm2_path).connect()
    stalled.sendall(b"\0\0")
    assert reply_on(peer.ask(Count(prompt=to_wire_prompt(ask("Hello!"))))) == Counted(tokens=32)


def test_a_client_that_does_not_read_delays_nobody(
    peer: Peer, smollm2_path: Path, ask: Asking
) -> None:
    peer.load(smollm2_path)
    deaf = peer.ask(to_generate(GenerationRequest(prompt=ask("Hello!"), max_tokens=300)))
    end = last_reply(peer.ask(to_generate(GenerationRequest(prompt=ask("Hello!"), max_tokens=5))))
    assert isinstance(end, Finished)
    # All of it was kept for the one that read nothing meanwhile.
    assert isinstance(last_reply(deaf), Finished)


def test_requests_run_together(peer: Peer, smollm2_path: Path, ask: Asking) -> None:
    peer.load(smollm2_path)
    long = peer.ask(to_generate(GenerationRequest(prompt=ask("Hello!"), max_tokens=60)))
    assert isinstance(reply_on(long), TextDelta)
    short = peer.ask(to_generate(GenerationRequest(prompt=ask("Hello!"), max_tokens=1)))
    assert isinstance(last_reply(short), Finished)
    assert isinstance(reply_on(long), TextDelta)


def test_an_error_of_our_tree_is_an_answer_like_any_other(
    peer: Peer, smollm2_path: Path, ask: Asking
) -> None:
    peer.load(smollm2_path)
    failed = reply_on(peer.ask(to_generate(GenerationRequest(prompt=ask("word " * 600)))))
    assert isinstance(failed, Failed)
    assert failed.kind == "ContextOverflowError"
    assert reply_on(peer.ask(Count(prompt=to_wire_prompt(ask("Hello!"))))) == Counted(tokens=32)


def test_a_request_given_up_while_it_waits_is_not_begun(
    peer: Peer, smollm2_path: Path, ask: Asking
) -> None:
    peer.load(smollm2_path)
    peer.ask(to_generate(GenerationRequest(prompt=ask("word " * 300), max_tokens=100))).close()
    connection = peer.ask(to_generate(GenerationRequest(prompt=ask("word " * 300), max_tokens=1)))
    while not isinstance(reply := reply_on(connection), Finished):
        assert isinstance(reply, TextDelta)
    assert reply.usage.cached_tokens == 0


def test_a_worker_in_the_middle_of_a_pass_ends_with_its_parent(
    peer: Peer, smollm2_path: Path, ask: Asking
) -> None:
    peer.load(smollm2_path)
    assert isinstance(reply_on(peer.ask(Describe())), Described)
    peer.ask(to_generate(GenerationRequest(prompt=ask("word " * 480), max_tokens=20)))
    assert peer.leave() == (0, "")


def test_a_worker_that_is_loading_ends_with_its_parent(peer: Peer, smollm2_path: Path) -> None:
    assert peer.load(smollm2_path).leave() == (0, "")


def test_a_worker_whose_parent_says_nothing_ends_quietly(peer: Peer) -> None:
    assert peer.leave() == (0, "")


def test_everybody_is_told_why_a_model_could_not_be_loaded(
    peer: Peer, tmp_path: Path, ask: Asking
) -> None:
    path = tmp_path / "broken.gguf"
    path.write_bytes(b"GGUF" + bytes(100))
    peer.load(path)
    requests = [peer.ask(Count(prompt=to_wire_prompt(ask("Hello!")))) for _ in range(3)]
    requests.append(peer.ask(Describe()))
    for connection in requests:
        failed = reply_on(connection)
        assert isinstance(failed, Failed)
        assert (failed.kind, failed.fields["path"]) == ("ModelLoadError", str(path))
    assert peer.leave() == (0, "")


def test_a_message_that_no_client_of_ours_sends_ends_its_own_request_only(
    peer: Peer, smollm2_path: Path, ask: Asking
) -> None:
    prompt = WirePrompt(
        messages=[WireMessage(role="emperor", content="x")], tools=[], continuation=""
    )
    failed = reply_on(peer.load(smollm2_path).ask(Count(prompt=prompt)))
    assert isinstance(failed, Failed)
    assert failed.fields["problem"] == "internal: ValueError"
    assert reply_on(peer.ask(Count(prompt=to_wire_prompt(ask("Hello!"))))) == Counted(tokens=32)


def test_a_canary_goes_ahead_of_what_is_being_computed(
    peer: Peer, smollm2_path: Path, ask: Asking
) -> None:
    peer.load(smollm2_path)
    story = peer.ask(to_generate(GenerationRequest(prompt=ask("Hello!"), max_tokens=300)))
    assert isinstance(reply_on(story), TextDelta)
    assert isinstance(reply_on(peer.ask(Canary())), Alive)
    assert isinstance(reply_on(story), TextDelta)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux enforces this limit")
def test_a_model_that_does_not_fit_the_memory_is_refused_in_words(
    peer: Peer, smollm2_path: Path
) -> None:
    peer.load(smollm2_path, memory_limit_bytes=200 * 2**20)
    for _ in range(2):
        failed = reply_on(peer.ask(Describe()))
        assert isinstance(failed, Failed)
        assert failed.kind == "ModelLoadError"
        assert "memory" in failed.message


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux enforces this limit")
def test_memory_that_runs_out_is_told_to_everybody_and_ends_the_worker(
    peer: Peer, smollm2_path: Path, ask: Asking
) -> None:
    peer.load(smollm2_path)
    story = GenerationRequest(prompt=ask("Tell me a very long story."), max_tokens=250)
    # Few enough to run side by side.
    stories = [peer.ask(to_generate(story)) for _ in range(3)]
    assert all(isinstance(reply_on(story), TextDelta) for story in stories)
    resource.prlimit(peer.process.pid, resource.RLIMIT_DATA, (1, resource.RLIM_INFINITY))
    large = peer.connect()
    with suppress(OSError):
        large.sendall(encode_frame(Count(prompt=to_wire_prompt(ask("x" * 60_000_000)))))
    for story in stories:
        failed = last_reply(story)
        assert isinstance(failed, Failed)
        assert failed.kind == "WorkerMemoryError"
    assert peer.process.wait(timeout=20) == MEMORY_EXIT_STATUS
