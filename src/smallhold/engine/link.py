"""One request's socket as its sender sees it: this file holds sending and receiving on it."""

from __future__ import annotations

import socket
from typing import Final

import anyio
from anyio.lowlevel import checkpoint

from smallhold.engine.wire import LENGTH, MAX_FRAME_BYTES

_READ_BYTES: Final = 64 * 1024


class LinkLostError(Exception):
    """The worker closed the socket."""

    def __init__(self, *, was_read: bool) -> None:
        self.was_read = was_read
        """Whether it had read the request before."""
        super().__init__(f"the request had {'' if was_read else 'not '}been read")


class BrokenFrameError(Exception):
    """What arrived is no frame."""

    def __init__(self, *, size_bytes: int) -> None:
        self.size_bytes = size_bytes
        super().__init__(f"a length of {size_bytes:,} bytes")


class Link:
    """A socket whose other end is handed over to the worker; make it with `open_link`.

    Cancelling any of its waits loses nothing: the same call goes on where it was left.
    """

    def __init__(self, connection: socket.socket, *, unsent: memoryview) -> None:
        self._socket = connection
        self._unsent = unsent
        self._received = bytearray()

    async def finish_sending(self) -> None:
        """Send what did not fit into the socket's buffer. Raises `LinkLostError`."""
        while self._unsent:
            try:
                self._unsent = self._unsent[self._socket.send(self._unsent) :]
            except BlockingIOError:
                await anyio.wait_writable(self._socket)
            except OSError as error:
                raise LinkLostError(was_read=False) from error

    async def receive(self) -> bytes:
        """Wait for the next frame's body.

        Raises:
            LinkLostError: the socket closed.
            BrokenFrameError: the length is absurd.
        """
        await checkpoint()
        while (body := self._complete()) is None:
            try:
                piece = self._socket.recv(_READ_BYTES)
            except BlockingIOError:
                await anyio.wait_readable(self._socket)
                continue
            except OSError as error:
                # The kernel resets a connection whose other end is closed with bytes left in it.
                raise LinkLostError(was_read=bool(self._received)) from error
            if not piece:
                raise LinkLostError(was_read=True)
            self._received += piece
        return body

    def close(self) -> None:
        """Close the socket, which cancels the request if it was not finished."""
        self._socket.close()

    def _complete(self) -> bytes | None:
        if len(self._received) < LENGTH.size:
            return None
        (size_bytes,) = LENGTH.unpack(self._received[: LENGTH.size])
        if size_bytes > MAX_FRAME_BYTES:
            raise BrokenFrameError(size_bytes=size_bytes)
        end = LENGTH.size + size_bytes
        if len(self._received) < end:
            return None
        body = bytes(self._received[LENGTH.size : end])
        del self._received[:end]
        return body


def open_link(frame: bytes) -> tuple[Link, socket.socket]:
    """Make a socket pair and put a request into it, as far as the socket's buffer takes it.

    Returns:
        The link, and the end that is to be handed over.
    """
    ours, theirs = socket.socketpair()
    ours.settimeout(0.0)
    # The request is there as soon as the worker has its end.
    sent_bytes = ours.send(frame)
    return Link(ours, unsent=memoryview(frame)[sent_bytes:]), theirs
