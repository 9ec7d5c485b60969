"""Requests on their way in: this file holds the thread that takes them from the parent.

The main thread is inside a forward pass nearly all of the time. Here the requests' sockets are
received meanwhile, and the commands on them read, all at once: a client that stalls delays nobody.
"""

from __future__ import annotations

import logging
import os
import selectors
import socket
import time
from collections import deque
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import Final

import msgspec

from smallhold.engine.frames import FrameAssembly, PeerGoneError, read_frame
from smallhold.engine.wire import (
    MAX_FRAME_BYTES,
    Canary,
    Command,
    decode_command,
    encode_frame,
    to_failed,
)
from smallhold.exceptions import QueueFullError

_RETRY_AFTER_S: Final = 1.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A request, ready to be begun."""

    connection: socket.socket
    command: Command
    arrived_s: float
    """On the monotonic clock."""


@dataclass(slots=True, kw_only=True, eq=False)
class _Pending:
    connection: socket.socket
    arrived_s: float
    assembly: FrameAssembly = field(default_factory=FrameAssembly)


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeLimits:
    """How much may wait here."""

    command_timeout_s: float = 10.0
    """A client sends its command before it hands over the socket, but for what the socket's buffer
    cannot take."""
    pending: int = 128
    """Commands that are arriving. They come within moments; more than this are stalled."""
    pending_bytes: int = 2 * MAX_FRAME_BYTES
    """Memory for them."""
    jobs: int = 512
    """Requests waiting for the main thread, which takes them between two passes, or after
    loading."""


class Intake:
    """Takes requests' sockets and reads the commands on them.

    `serve` runs in a thread of its own; `take` belongs to the main thread, which sleeps on
    `bell`: that socket becomes readable when there is something to take.
    """

    def __init__(
        self,
        control: socket.socket,
        limits: IntakeLimits = IntakeLimits(),
    ) -> None:
        self.bell, self._rope = socket.socketpair()
        self.bell.settimeout(0.0)
        self._rope.settimeout(0.0)
        self._control = control
        self._limits = limits
        self._jobs: deque[Job] = deque()
        self._pending: dict[socket.socket, _Pending] = {}
        self._selector = selectors.DefaultSelector()
        self._is_starved = False

    def take(self) -> Job | None:
        """Give the next request, in the order in which commands were complete.

        Raises:
            MemoryError: there was not enough for one that was arriving; raised once.
        """
        if self._is_starved:
            self._is_starved = False
            raise MemoryError
        try:
            return self._jobs.popleft()
        except IndexError:
            return None

    def hush(self) -> None:
        """Make the bell silent until the next request."""
        with suppress(BlockingIOError):
            while self.bell.recv(4096):
                pass

    def serve(self) -> None:
        """Take requests until the parent closes the control socket, or is gone."""
        self._selector.register(self._control, selectors.EVENT_READ)
        parent = _exit_of_parent()
        if parent is not None:
            self._selector.register(parent, selectors.EVENT_READ)
        with ExitStack() as stack:
            if parent is not None:
                stack.callback(os.close, parent)
            stack.enter_context(self._rope)
            stack.enter_context(self._selector)
            stack.callback(self._drop_all)
            while self._take_in(parent):
                self._drop_stalled()

    def _take_in(self, parent: int | None) -> bool:
        """Wait for something to happen; false once the parent is gone."""
        try:
            for key, _ in self._selector.select(self._patience_s()):
                if key.fileobj is self._control:
                    if not self._accept():
                        return False
                elif key.fileobj == parent:
                    return False
                else:
                    self._read(key.data)
        except MemoryError:
            # The main thread tells everybody, and ends the process.
            self._is_starved = True
            self._drop_all()
            self._ring()
        return True

    def _accept(self) -> bool:
        try:
            data, descriptors, _, _ = socket.recv_fds(self._control, 1, 1)
        except OSError:
            # The parent closed without having read that the model is loaded.
            return False
        for descriptor in descriptors:
            connection = socket.socket(fileno=descriptor)
            connection.settimeout(0.0)
            pending = _Pending(connection=connection, arrived_s=time.monotonic())
            self._pending[connection] = pending
            self._selector.register(connection, selectors.EVENT_READ, pending)
            self._read(pending)
        return bool(data)

    def _read(self, pending: _Pending) -> None:
        """Read what there is; the command may be complete with it."""
        try:
            command = decode_command(read_frame(pending.connection, pending.assembly))
        except BlockingIOError:
            return
        except (OSError, PeerGoneError, msgspec.DecodeError):
            self._drop(pending)
            return
        self._forget(pending)
        self._admit(
            Job(connection=pending.connection, command=command, arrived_s=pending.arrived_s)
        )

    def _admit(self, job: Job) -> None:
        if len(self._jobs) >= self._limits.jobs and not isinstance(job.command, Canary):
            error = QueueFullError(limit=self._limits.jobs, retry_after_s=_RETRY_AFTER_S)
            with job.connection, suppress(OSError):
                job.connection.send(encode_frame(to_failed(error)))
            return
        self._jobs.append(job)
        self._ring()

    def _ring(self) -> None:
        # A bell that is ringing already needs no further pull.
        with suppress(BlockingIOError):
            self._rope.send(b"!")

    def _patience_s(self) -> float | None:
        oldest = next(iter(self._pending.values()), None)
        if oldest is None:
            return None
        return max(0.0, oldest.arrived_s + self._limits.command_timeout_s - time.monotonic())

    def _drop_stalled(self) -> None:
        late_s = time.monotonic() - self._limits.command_timeout_s
        waiting = list(self._pending.values())
        for place, pending in enumerate(waiting):
            if pending.arrived_s <= late_s or place < len(waiting) - self._limits.pending:
                self._drop(pending)
        while (
            sum(p.assembly.held_bytes for p in self._pending.values()) > self._limits.pending_bytes
        ):
            self._drop(max(self._pending.values(), key=lambda p: p.assembly.held_bytes))

    def _drop_all(self) -> None:
        for pending in list(self._pending.values()):
            self._drop(pending)

    def _drop(self, pending: _Pending) -> None:
        _log.warning("intake.bad_command", extra={"held_bytes": pending.assembly.held_bytes})
        self._forget(pending)
        pending.connection.close()

    def _forget(self, pending: _Pending) -> None:
        del self._pending[pending.connection]
        self._selector.unregister(pending.connection)


def _exit_of_parent() -> int | None:
    """Give a descriptor that becomes readable when the parent process ends.

    The control socket closes then too, unless a process that the parent has forked holds a copy.
    """
    if not hasattr(os, "pidfd_open"):
        return None
    try:
        return os.pidfd_open(os.getppid())
    except OSError:
        return None
