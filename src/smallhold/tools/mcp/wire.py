"""What comes over a connection: this file holds the watch over messages from a server.

The SDK spawns a task for every message and keeps no count, so what a server may send unasked is
bounded before it gets there.
"""

from __future__ import annotations

from types import TracebackType
from typing import Final, Protocol, Self, TypeAlias

import anyio
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCNotification, JSONRPCRequest

from smallhold.tools.mcp.pacing import FloodGauge

Item: TypeAlias = SessionMessage | Exception
STDERR_TAIL_BYTES: Final = 2_000
"""How much of a process's last words is kept, for its developer."""


class ItemStream(Protocol):
    """The part of a transport's stream that is used here."""

    async def receive(self) -> Item:
        """Hand out the next message. Raises `anyio.EndOfStream` at the end."""
        ...

    async def aclose(self) -> None:
        """Close the stream."""
        ...


class MessageSink(Protocol):
    """Where messages for a server go."""

    async def send(self, item: SessionMessage, /) -> None:
        """Send one message."""
        ...

    async def aclose(self) -> None:
        """Send no more."""
        ...

    async def __aenter__(self) -> Self:
        """Use the stream."""
        ...

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> bool | None:
        """Close the stream."""
        ...


class Wire:
    """What is known of one connection, from its transport to whoever uses it."""

    def __init__(self) -> None:
        self.closed = anyio.Event()
        """Set when nothing more will come."""
        self.problem: str | None = None
        """Why it ended, where that is known."""
        self.is_fault = False
        """Whether it ended because the server broke a rule."""
        self.stderr_tail = b""

    def end(self, problem: str, *, is_fault: bool = False) -> None:
        """Note the reason for the end; the first one counts."""
        if self.problem is None:
            self.problem = problem
            self.is_fault = is_fault

    def hear_stderr(self, chunk: bytes) -> None:
        """Keep the end of what a process says beside the protocol."""
        self.stderr_tail = (self.stderr_tail + chunk)[-STDERR_TAIL_BYTES:]


class Incoming:
    """A transport's stream of messages, ended when the server floods it."""

    def __init__(self, stream: ItemStream, *, wire: Wire) -> None:
        """Watch a stream.

        Args:
            stream: What the transport hands out.
            wire: Told of the end.
        """
        self._stream = stream
        self._wire = wire
        self._gauge = FloodGauge(at_s=anyio.current_time())

    async def receive(self) -> Item:
        """Hand out the next message. Raises `anyio.EndOfStream` at the end."""
        try:
            item = await self._stream.receive()
        except (anyio.EndOfStream, anyio.ClosedResourceError, anyio.BrokenResourceError):
            self._wire.closed.set()
            raise
        if _is_unasked(item) and self._gauge.is_flood(now_s=anyio.current_time()):
            self._wire.end("it sends messages without end", is_fault=True)
            self._wire.closed.set()
            raise anyio.EndOfStream
        return item

    async def aclose(self) -> None:
        """Close the stream."""
        self._wire.closed.set()
        await self._stream.aclose()

    def __aiter__(self) -> Self:
        """Go through the messages."""
        return self

    async def __anext__(self) -> Item:
        """Hand out the next message, and end the loop at the end."""
        try:
            return await self.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None

    async def __aenter__(self) -> Self:
        """Use the stream."""
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        """Close the stream."""
        await self.aclose()


def _is_unasked(item: Item) -> bool:
    return isinstance(item, Exception) or isinstance(
        item.message, JSONRPCNotification | JSONRPCRequest
    )
