"""Promises of `smallhold.tools.mcp.http_transport`: this file holds tests with real sockets."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from anyio.abc import SocketStream
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCError, JSONRPCRequest, JSONRPCResponse
from tests.tools.mcp.conftest import free_port

from smallhold.tools.mcp.addresses import WebAddress
from smallhold.tools.mcp.http_transport import TROUBLE, TroubleMarks, web_transport
from smallhold.tools.mcp.wire import Wire

pytestmark = pytest.mark.anyio
CALL = SessionMessage(JSONRPCRequest(jsonrpc="2.0", id=7, method="tools/call"))
RESULT = json.dumps({"jsonrpc": "2.0", "id": 7, "result": {"ok": 1}}).encode()
JSON_TYPE = "content-type: application/json\r\n"


def response(body: bytes, *, status: str = "200 OK", headers: str = JSON_TYPE) -> bytes:
    head = f"HTTP/1.1 {status}\r\n{headers}content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    return head.encode() + body


@asynccontextmanager
async def answering(raw: bytes, heard: list[bytes] | None = None) -> AsyncGenerator[str]:
    """A server that gives every request one raw answer."""

    async def handle(client: SocketStream) -> None:
        async with client:
            request = b""
            while b"\r\n\r\n" not in request:
                request += await client.receive()
            if heard is not None:
                heard.append(request)
            try:
                await client.send(raw)
            except anyio.BrokenResourceError:
                return

    async with serving(handle) as port:
        yield f"http://127.0.0.1:{port}/mcp"


@asynccontextmanager
async def serving(handle: Callable[[SocketStream], Awaitable[None]]) -> AsyncGenerator[int]:
    """Listen on a port of the loopback."""
    port = free_port()
    async with (
        await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=port) as listener,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(listener.serve, handle)
        yield port
        tasks.cancel_scope.cancel()


async def asked(url: str, *, marks: TroubleMarks | None = None) -> Any:
    address = WebAddress(url=url, headers={"authorization": "Bearer abc"})
    async with web_transport(
        address, wire=Wire(), message_bytes=10_000, marks=marks or TroubleMarks()
    ) as (incoming, outgoing):
        await outgoing.send(CALL)
        with anyio.fail_after(10):
            item = await incoming.receive()
    assert isinstance(item, SessionMessage)
    return item.message


async def test_an_answer_comes_back_and_the_headers_were_sent() -> None:
    heard: list[bytes] = []
    async with answering(response(RESULT), heard) as url:
        assert isinstance(await asked(url), JSONRPCResponse)
    assert b"authorization: Bearer abc" in heard[0]
    assert b"accept-encoding: identity" in heard[0]


async def test_a_server_that_is_not_there_has_not_seen_the_request() -> None:
    marks = TroubleMarks()
    error = await asked(f"http://127.0.0.1:{free_port()}/mcp", marks=marks)
    assert isinstance(error, JSONRPCError)
    assert (error.id, error.error.code, error.error.data) == (7, TROUBLE, marks.not_sent)


async def test_a_connection_that_breaks_may_have_carried_the_request() -> None:
    marks = TroubleMarks()
    async with answering(b"HTTP/1.1 200 OK\r\ncontent-le") as url:
        error = await asked(url, marks=marks)
    assert error.error.data == marks.lost


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden", "500 Oops", "503 Busy"])
async def test_a_refusal_is_told_by_its_status(status: str) -> None:
    async with answering(response(b"<html>", status=status)) as url:
        error = await asked(url)
    assert error.error.message == f"HTTP {status}"
    assert error.error.data == ""


async def test_an_answer_that_is_too_long_is_not_read_to_its_end() -> None:
    async with answering(response(b"x" * 5_000_000)) as url:
        error = await asked(url)
    assert "10,000 bytes" in error.error.message


async def test_a_compressed_answer_is_refused_unread() -> None:
    bomb = gzip.compress(b"x" * 5_000_000)
    headers = f"{JSON_TYPE}content-encoding: gzip\r\n"
    async with answering(response(bomb, headers=headers)) as url:
        error = await asked(url)
    assert "compressed" in error.error.message


async def test_an_event_that_is_too_long_is_refused() -> None:
    events = b"data: " + b"x" * 50_000 + b"\n\n"
    async with answering(response(events, headers="content-type: text/event-stream\r\n")) as url:
        error = await asked(url)
    assert isinstance(error, JSONRPCError)


async def test_no_other_address_is_opened_than_the_one_that_was_given() -> None:
    heard: list[bytes] = []
    async with answering(response(RESULT), heard) as other:
        moved = response(b"", status="307 Moved", headers=f"location: {other}\r\n")
        async with answering(moved) as url:
            assert isinstance(await asked(url), JSONRPCError)
    assert not heard


async def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[bytes] = []
    async with answering(response(RESULT), heard) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy)
        monkeypatch.setenv("ALL_PROXY", proxy)
        async with answering(response(RESULT)) as url:
            assert isinstance(await asked(url), JSONRPCResponse)
    assert not heard
