"""Frames over sockets: this file holds how one is put together from the pieces that arrive."""

from __future__ import annotations

import socket
from typing import Final

from smallhold.engine.wire import LENGTH, MAX_FRAME_BYTES

_READ_BYTES: Final = 256 * 1024
"""Room is set aside for each piece before it arrives."""


class PeerGoneError(Exception):
    """The other side closed the socket: nobody waits for the request any more."""


class FrameAssembly:
    """One frame that is arriving in pieces.

    It never asks for a byte beyond the frame, so what follows stays in the socket.
    """

    __slots__ = ("_data", "_size_bytes")

    def __init__(self) -> None:
        self._data = bytearray()
        self._size_bytes: int | None = None

    @property
    def missing_bytes(self) -> int:
        """How many bytes can be fed now; 0 once the frame is complete."""
        if self._size_bytes is None:
            return LENGTH.size - len(self._data)
        return self._size_bytes - len(self._data)

    @property
    def held_bytes(self) -> int:
        """Memory taken so far."""
        return len(self._data)

    @property
    def body(self) -> bytes | None:
        """The frame without its length, `None` while it is not complete."""
        if self._size_bytes is None or self.missing_bytes:
            return None
        return bytes(self._data)

    def feed(self, piece: bytes) -> None:
        """Add what has arrived, at most `missing_bytes`.

        Raises:
            PeerGoneError: the length is absurd, so this is no peer of ours.
        """
        self._data += piece
        if self._size_bytes is None and len(self._data) == LENGTH.size:
            (size_bytes,) = LENGTH.unpack(self._data)
            if size_bytes > MAX_FRAME_BYTES:
                raise PeerGoneError
            self._size_bytes = size_bytes
            self._data.clear()


def read_frame(connection: socket.socket, assembly: FrameAssembly | None = None) -> bytes:
    """Read one frame's body.

    Args:
        connection: Where from. Its timeout bounds each wait for a further piece.
        assembly: Keeps what has arrived where the frame is not complete in time, for another call
            to go on with.

    Raises:
        PeerGoneError: the stream ended, or the length is absurd.
        BlockingIOError: the socket does not block, and the rest has not arrived yet.
    """
    assembly = assembly or FrameAssembly()
    while (body := assembly.body) is None:
        piece = connection.recv(min(assembly.missing_bytes, _READ_BYTES))
        if not piece:
            raise PeerGoneError
        assembly.feed(piece)
    return body


def is_closed(connection: socket.socket) -> bool:
    """Whether the other side has closed, without waiting and without reading anything."""
    try:
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
