from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from smallhold.engine.config import ModelConfig
from smallhold.engine.frames import read_frame, write_frame
from smallhold.engine.wire import (
    LENGTH,
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
    to_generate,
    to_wire_prompt,
)
from smallhold.engine.worker import to_config
from smallhold.generation import GenerationRequest

if TYPE_CHECKING:
    from tests.engine.conftest import Asking


def load_of(path: Path) -> Load:
    return Load(
        path=str(path),
        name="smol",
        context_tokens=512,
        cache_tokens=0,
        batch_tokens=256,
        threads=1,
        gpu_layers=0,
        use_mmap=True,
        snapshot_folder=None,
        snapshot_bytes=0,
    )


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
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
        stack.callback(self.process.kill)

    def load(self, path: Path) -> Peer:
        write_frame(self.control, load_of(path))
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
        write_frame(connection, command)
        return connection

    def leave(self) -> tuple[int, str]:
        """Close the control socket; give the exit status and what was written to stderr."""
        self.control.close()
        _, errors = self.process.communicate(timeout=20)
        return self.process.returncode, errors


def reply_on(connection: socket.socket) -> Reply:
    return decode_reply(read_frame(connection))


@pytest.fixture
def peer() -> Iterator[Peer]:
    with ExitStack() as stack:
        yield Peer(stack)


def test_settings_arrive_in_the_worker_as_they_were_sent(tmp_path: Path) -> None:
    load = load_of(tmp_path / "m.gguf")
    load.snapshot_folder = str(tmp_path)
    assert to_config(load) == ModelConfig(
        path=tmp_path / "m.gguf",
        name="smol",
        context_tokens=512,
        cache_tokens=0,
        batch_tokens=256,
        threads=1,
        snapshot_folder=tmp_path,
        snapshot_bytes=0,
    )


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


def test_requests_are_served_in_the_order_of_their_arrival(
    peer: Peer, smollm2_path: Path, ask: Asking
) -> None:
    peer.load(smollm2_path)
    first = peer.ask(to_generate(GenerationRequest(prompt=ask("Hello!"), max_tokens=3)))
    second = peer.ask(to_generate(GenerationRequest(prompt=ask("Hello!"), max_tokens=1)))
    ends: list[Finished] = []
    for connection in (second, first):
        while not isinstance(reply := reply_on(connection), Finished):
            assert isinstance(reply, TextDelta)
        ends.append(reply)
    # The later one found the prompt in memory that the earlier one had left there.
    assert ends[0].usage.cached_tokens > ends[1].usage.cached_tokens == 0
    assert ends[0].queued_s > ends[1].queued_s


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


def test_a_message_that_no_client_of_ours_sends_ends_the_worker_and_not_its_parent(
    peer: Peer, smollm2_path: Path
) -> None:
    prompt = WirePrompt(
        messages=[WireMessage(role="emperor", content="x")], tools=[], continuation=""
    )
    connection = peer.load(smollm2_path).ask(Count(prompt=prompt))
    assert connection.recv(1) == b""
    assert peer.process.wait(timeout=20) == 1
