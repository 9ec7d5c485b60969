"""Frames over a blocking socket: this file holds the worker's reading and writing."""

from __future__ import annotations

import socket

import msgspec

from smallhold.engine.wire import LENGTH, MAX_FRAME_BYTES, encode_frame


class PeerGoneError(Exception):
    """The other side closed the socket: nobody waits for the request any more."""


def read_frame(connection: socket.socket) -> bytes:
    """Read one frame's body.

    Raises:
        PeerGoneError: the stream ended, or the length is absurd.
    """
    (size,) = LENGTH.unpack(_read_exactly(connection, LENGTH.size))
    if size > MAX_FRAME_BYTES:
        raise PeerGoneError
    return _read_exactly(connection, size)


def write_frame(connection: socket.socket, message: msgspec.Struct) -> None:
    """Write one message. Raises `OSError` when the other side is gone."""
    connection.sendall(encode_frame(message))


def is_closed(connection: socket.socket) -> bool:
    """Whether the other side has closed, without waiting and without reading anything."""
    try:
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def _read_exactly(connection: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise PeerGoneError
        data += part
    return bytes(data)
