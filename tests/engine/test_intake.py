from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smallhold.engine.frames import read_frame
from smallhold.engine.intake import Intake, IntakeLimits, Job
from smallhold.engine.wire import (
    LENGTH,
    Canary,
    Count,
    Describe,
    Failed,
    WirePrompt,
    decode_reply,
    encode_frame,
)

LIMITS = IntakeLimits(command_timeout_s=0.4, pending=4, pending_bytes=2_000_000, jobs=3)


class Door:
    """The parent's side of an intake that runs in a thread."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self.control, theirs = socket.socketpair()
        stack.enter_context(theirs)
        self.intake = Intake(theirs, LIMITS)
        stack.enter_context(self.intake.bell)
        self.thread = threading.Thread(target=self.intake.serve)
        self.thread.start()
        stack.callback(self.thread.join, 5)
        stack.callback(self.control.close)
        stack.callback(self.empty)

    def connect(self, sent: bytes = b"") -> socket.socket:
        """Hand over a socket that something has been written to."""
        ours, theirs = socket.socketpair()
        self._stack.enter_context(ours)
        ours.settimeout(5)
        ours.send(sent)
        with theirs:
            socket.send_fds(self.control, [b"r"], [theirs.fileno()])
        return ours

    def ask(self, command: msgspec.Struct) -> socket.socket:
        return self.connect(encode_frame(command))

    def wait(self, *, limit_s: float = 5.0) -> Job:
        """Sleep as the main thread does, and take one request."""
        deadline_s = time.monotonic() + limit_s
        while (job := self.intake.take()) is None:
            ready, _, _ = select.select([self.intake.bell], [], [], limit_s)
            assert ready, "the bell stayed silent"
            assert time.monotonic() < deadline_s
            self.intake.hush()
        self._stack.enter_context(job.connection)
        return job

    def empty(self) -> None:
        while (job := self.intake.take()) is not None:
            job.connection.close()


@pytest.fixture
def door() -> Iterator[Door]:
    with ExitStack() as stack:
        yield Door(stack)


def is_dropped(ours: socket.socket) -> bool:
    try:
        return ours.recv(1) == b""
    except ConnectionResetError:
        # It had sent more than was worth reading.
        return True


def count_of(text: str) -> Count:
    return Count(prompt=WirePrompt(messages=[], tools=[], continuation=text))


def test_a_request_rings_the_bell_and_is_taken_once(door: Door) -> None:
    ours = door.ask(Describe())
    job = door.wait()
    assert job.command == Describe()
    assert door.intake.take() is None
    job.connection.sendall(b"here")
    assert ours.recv(4) == b"here"


def test_requests_are_taken_in_the_order_of_their_arrival(door: Door) -> None:
    for text in "abc":
        door.ask(count_of(text))
    commands = [door.wait().command for _ in range(3)]
    assert commands == [count_of(text) for text in "abc"]


def test_a_client_that_stalls_delays_nobody(door: Door) -> None:
    frame = encode_frame(count_of("slow"))
    stalled = door.connect(frame[:6])
    door.ask(Describe())
    assert door.wait(limit_s=LIMITS.command_timeout_s).command == Describe()
    stalled.sendall(frame[6:])
    assert door.wait().command == count_of("slow")


def test_a_command_larger_than_any_buffer_arrives(door: Door) -> None:
    command = count_of("x" * 1_500_000)
    frame = encode_frame(command)
    ours = door.connect()
    ours.sendall(frame)
    assert door.wait().command == command


def test_a_client_that_never_finishes_is_dropped(door: Door) -> None:
    stalled = door.connect(b"\0\0")
    begun_s = time.monotonic()
    assert stalled.recv(1) == b""
    assert time.monotonic() - begun_s < 10 * LIMITS.command_timeout_s
    door.ask(Describe())
    assert door.wait().command == Describe()


@pytest.mark.parametrize(
    "sent",
    [
        LENGTH.pack(3) + b"\xc1\xc1\xc1",
        LENGTH.pack(2**32 - 1),
        LENGTH.pack(0),
        LENGTH.pack(8) + b"\x81\xa4type\xa1\xff",
        b"GET / HTTP/1.1\r\n\r\n",
    ],
    ids=["garbage", "absurd length", "empty", "no utf-8", "another protocol"],
)
def test_what_is_no_command_is_dropped_at_once(door: Door, sent: bytes) -> None:
    assert is_dropped(door.connect(sent))
    door.ask(Describe())
    assert door.wait().command == Describe()


@given(st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=30))
@settings(max_examples=20)
def test_no_bytes_whatever_keep_a_good_request_from_being_taken(payloads: list[bytes]) -> None:
    with ExitStack() as stack:
        door = Door(stack)
        for payload in payloads:
            door.connect(payload).close()
            door.connect(LENGTH.pack(len(payload)) + payload).close()
        door.ask(Describe())
        assert door.wait().command == Describe()


def test_of_too_many_stalled_clients_the_oldest_are_dropped(door: Door) -> None:
    stalled = [door.connect(b"\0") for _ in range(LIMITS.pending + 2)]
    begun_s = time.monotonic()
    assert [ours.recv(1) for ours in stalled[:2]] == [b"", b""]
    assert time.monotonic() - begun_s < LIMITS.command_timeout_s / 2
    for ours in stalled[2:]:
        ours.sendall(encode_frame(Describe())[1:])
        assert door.wait().command == Describe()


def test_of_stalled_clients_with_too_much_text_the_largest_is_dropped(door: Door) -> None:
    small = door.connect(LENGTH.pack(1_000_000) + bytes(100_000))
    large = door.connect(LENGTH.pack(3_000_000))
    with suppress(BrokenPipeError, ConnectionResetError):
        large.sendall(bytes(2_900_000))
    assert is_dropped(large)
    small.sendall(bytes(800_000))
    door.ask(Describe())
    assert door.wait().command == Describe()


def test_a_request_too_many_is_told_so_but_a_canary_always_fits(door: Door) -> None:
    for _ in range(LIMITS.jobs):
        door.ask(Describe())
    reply = decode_reply(read_frame(door.ask(Describe())))
    assert isinstance(reply, Failed)
    assert (reply.kind, reply.fields["limit"]) == ("QueueFullError", LIMITS.jobs)
    door.ask(Canary())
    commands = [door.wait().command for _ in range(LIMITS.jobs + 1)]
    assert commands == [Describe()] * LIMITS.jobs + [Canary()]


def test_it_ends_when_the_parent_closes_and_leaves_nothing_open(door: Door) -> None:
    stalled = door.connect(b"\0")
    door.control.close()
    door.thread.join(5)
    assert not door.thread.is_alive()
    assert stalled.recv(1) == b""
