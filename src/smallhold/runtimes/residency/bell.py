"""Waking a task from any thread: this file holds a bell that belongs to no event loop."""

from __future__ import annotations

import socket
from contextlib import suppress

import anyio


class Bell:
    """Wakes the one task that waits for it, whatever loop or thread rings.

    A socket pair, since an event belongs to one event loop, and a loop must not wait for another.
    """

    def __init__(self) -> None:
        self._ours, self._rope = socket.socketpair()
        self._ours.settimeout(0.0)
        self._rope.settimeout(0.0)

    def ring(self) -> None:
        """Wake the task; never waits. Ringing a bell that is closed does nothing."""
        with suppress(OSError):
            self._rope.send(b"r")

    async def wait(self) -> None:
        """Wait until it was rung."""
        await anyio.wait_readable(self._ours)

    def close(self) -> None:
        """Put it away; not while the same task waits for it."""
        self._ours.close()
        self._rope.close()
