"""Promises of `smallhold.tools.mcp.wire`: this file holds tests of the watch over messages."""

from __future__ import annotations

import anyio
import pytest
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCNotification, JSONRPCResponse

from smallhold.tools.mcp.pacing import FLOOD_BURST
from smallhold.tools.mcp.wire import STDERR_TAIL_BYTES, Incoming, Item, Wire

pytestmark = pytest.mark.anyio
UNASKED = SessionMessage(JSONRPCNotification(jsonrpc="2.0", method="notifications/message"))
ANSWER = SessionMessage(JSONRPCResponse(jsonrpc="2.0", id=1, result={}))


async def read(item: Item, *, times: int) -> tuple[int, Wire]:
    """Send so many messages and count how many arrive."""
    wire, count = Wire(), 0
    send, receive = anyio.create_memory_object_stream[Item](times)
    async with send:
        for _ in range(times):
            send.send_nowait(item)
    async with Incoming(receive, wire=wire) as incoming:
        async for _ in incoming:
            count += 1
    return count, wire


async def test_a_flood_ends_the_connection_as_the_servers_fault() -> None:
    count, wire = await read(UNASKED, times=FLOOD_BURST + 500)
    assert FLOOD_BURST <= count < FLOOD_BURST + 500
    assert wire.is_fault
    assert wire.closed.is_set()


async def test_answers_are_no_flood() -> None:
    count, wire = await read(ANSWER, times=FLOOD_BURST + 500)
    assert count == FLOOD_BURST + 500
    assert not wire.is_fault
    assert wire.closed.is_set()


async def test_only_the_end_of_what_a_process_says_is_kept() -> None:
    wire = Wire()
    for number in range(10_000):
        wire.hear_stderr(f"line {number}\n".encode())
    assert len(wire.stderr_tail) == STDERR_TAIL_BYTES
    assert wire.stderr_tail.endswith(b"line 9999\n")


async def test_the_first_reason_for_the_end_counts() -> None:
    wire = Wire()
    wire.end("first", is_fault=True)
    wire.end("second")
    assert (wire.problem, wire.is_fault) == ("first", True)
