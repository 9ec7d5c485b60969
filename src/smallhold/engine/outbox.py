"""Replies on their way out: this file holds buffers that never make the worker wait.

Text of the same pass goes out as one frame. What a client does not read stays here; its request is
left out of passes until it has read.
"""

from __future__ import annotations

import select
import socket
import time
from typing import Final

from smallhold.engine.frames import is_closed
from smallhold.engine.wire import Reply, TextDelta, encode_frame, to_failed
from smallhold.exceptions import SmallholdError

MAX_UNSENT_BYTES: Final = 256 * 1024
"""More text than any answer has; a client that leaves this unread has stopped reading."""


class Outbox:
    """The replies to one request; what the scheduler calls a client."""

    def __init__(self, connection: socket.socket) -> None:
        connection.settimeout(0.0)
        self._connection = connection
        self._texts: list[str] = []
        self._unsent = bytearray()
        self._is_broken = False
        self._is_closed = False

    def emit(self, reply: Reply) -> None:
        """Take a reply. It is sent by `flush`."""
        if isinstance(reply, TextDelta):
            self._texts.append(reply.text)
            return
        self._encode_texts()
        self._unsent += encode_frame(reply)

    def is_gone(self) -> bool:
        """Whether the other side has closed."""
        return self._is_broken or is_closed(self._connection)

    def is_ready(self) -> bool:
        """Whether more output can be taken."""
        return len(self._unsent) <= MAX_UNSENT_BYTES

    def fail(self, error: SmallholdError) -> None:
        """Report an error; nothing follows it."""
        self.emit(to_failed(error))

    def close(self) -> None:
        """Take no more. The socket closes once everything has been sent."""
        self._is_closed = True

    def flush(self) -> bool:
        """Send what the socket takes now; true once nothing is left to do for ever."""
        self._encode_texts()
        try:
            while self._unsent and not self._is_broken:
                del self._unsent[: self._connection.send(self._unsent)]
        except BlockingIOError:
            pass
        except OSError:
            self._is_broken = True
        if not self._is_closed or (self._unsent and not self._is_broken):
            return False
        self._connection.close()
        return True

    @property
    def is_blocked(self) -> bool:
        """Whether something waits until the other side reads."""
        return bool(self._unsent) and not self._is_broken

    def fileno(self) -> int:
        """Descriptor to wait on."""
        return self._connection.fileno()

    def _encode_texts(self) -> None:
        if self._texts:
            self._unsent += encode_frame(TextDelta(text="".join(self._texts)))
            self._texts.clear()


class Outboxes:
    """All replies of the worker."""

    def __init__(self) -> None:
        self._open: list[Outbox] = []

    def open(self, connection: socket.socket) -> Outbox:
        """Begin to answer on a socket."""
        outbox = Outbox(connection)
        self._open.append(outbox)
        return outbox

    def flush(self) -> None:
        """Send what can be sent without waiting, and close what is done."""
        self._open = [outbox for outbox in self._open if not outbox.flush()]

    def wait(self, bell: socket.socket | None = None, *, limit_s: float | None = None) -> None:
        """Sleep until a client reads on, the bell rings, or the time is up."""
        poll = select.poll()
        if bell is not None:
            poll.register(bell, select.POLLIN)
        for outbox in self._open:
            if outbox.is_blocked:
                poll.register(outbox, select.POLLOUT)
        poll.poll(None if limit_s is None else limit_s * 1000)

    def drain(self, *, limit_s: float) -> None:
        """Send the rest before the process ends, waiting for slow readers only for a moment."""
        deadline_s = time.monotonic() + limit_s
        self.flush()
        while any(outbox.is_blocked for outbox in self._open) and time.monotonic() < deadline_s:
            self.wait(limit_s=max(0.0, deadline_s - time.monotonic()))
            self.flush()
