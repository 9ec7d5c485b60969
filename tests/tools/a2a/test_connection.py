"""Promises of `smallhold.tools.a2a.connection`: this file holds tests of hostile agents."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
import pytest
from anyio.abc import SocketStream
from tests.tools.mcp.test_http_transport import response, serving

from smallhold.exceptions import (
    PeerError,
    PeerFaultError,
    PeerRefusalError,
    PeerTimeoutError,
    UnknownOutcomeError,
)
from smallhold.messages import JsonObject
from smallhold.tools.a2a import A2ALimits, RemoteAgent

pytestmark = pytest.mark.anyio
QUICK = A2ALimits(connect_s=5, answer_s=5, silence_s=1, answer_bytes=100_000)
EVENTS = "content-type: text/event-stream\r\n"


def card(url: str, *, changes: JsonObject | None = None) -> bytes:
    interface = {"url": url, "protocolBinding": "JSONRPC", "protocolVersion": "1.0"}
    described = {
        "name": "a", "description": "d", "version": "1", "supportedInterfaces": [interface],
        "capabilities": {"streaming": True}, "skills": [],
    }  # fmt: skip
    return response(json.dumps(described | (changes or {})).encode())


def event(result: JsonObject) -> bytes:
    text = json.dumps({"jsonrpc": "2.0", "id": "1", "result": result})
    return f"data: {text}\n\n".encode()


@asynccontextmanager
async def agent_with(
    answer: bytes, *, raw_card: bytes | None = None, hangs: bool = False
) -> AsyncGenerator[str]:
    """An agent that gives its card, and one raw answer to whatever it is sent."""

    async def handle(client: SocketStream) -> None:
        async with client:
            request = b""
            while b"\r\n\r\n" not in request:
                request += await client.receive()
            try:
                is_card = request.startswith(b"GET")
                await client.send((raw_card or card(url)) if is_card else answer)
                if hangs and not is_card:
                    await anyio.sleep(60)
            except anyio.BrokenResourceError:
                return

    async with serving(handle) as port:
        url = f"http://127.0.0.1:{port}"
        yield url


async def outcome(url: str) -> PeerError:
    with pytest.raises(PeerError) as caught:
        await RemoteAgent(url, limits=QUICK).chat_async("hello")
    return caught.value


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (response(b"not json"), PeerFaultError),
        (response(b"5"), PeerFaultError),
        (response(b"{}"), PeerFaultError),
        (response(b"data: {\n\n", headers=EVENTS), PeerFaultError),
        (response(b"data: []\n\n", headers=EVENTS), PeerFaultError),
        (response(b"", headers=EVENTS), PeerFaultError),
        (response(b"x" * 200_000), PeerFaultError),
        (response(b"data: " + b"x" * 200_000, headers=EVENTS), PeerFaultError),
        (response(b"", headers=EVENTS + "content-encoding: gzip\r\n"), PeerFaultError),
        (response(b"", status="500 Oops"), PeerRefusalError),
        (response(b"", status="307 Moved", headers="location: http://evil/\r\n"), PeerRefusalError),
        (b"HTTP/1.1 200 OK\r\ncontent-le", UnknownOutcomeError),
        (
            response(json.dumps({
                "jsonrpc": "2.0", "id": "1", "error": {"code": -32603, "message": "no"},
            }).encode()),
            PeerRefusalError,
        ),
    ],
)  # fmt: skip
async def test_whatever_comes_back_ends_in_a_clear_error(
    answer: bytes, kind: type[PeerError]
) -> None:
    async with agent_with(answer) as url:
        found = await outcome(url)
    assert isinstance(found, kind), repr(found)


async def test_an_answer_that_breaks_off_is_told_apart_from_a_refusal() -> None:
    status: JsonObject = {"state": "TASK_STATE_WORKING"}
    begun = event({"task": {"id": "t", "contextId": "c", "status": status}})
    head = f"HTTP/1.1 200 OK\r\n{EVENTS}content-length: 9999\r\n\r\n".encode()
    async with agent_with(head + begun) as url:
        assert isinstance(await outcome(url), UnknownOutcomeError)


async def test_an_agent_that_falls_silent_is_given_up() -> None:
    head = f"HTTP/1.1 200 OK\r\n{EVENTS}transfer-encoding: chunked\r\n\r\n".encode()
    async with agent_with(head, hangs=True) as url:
        assert isinstance(await outcome(url), PeerTimeoutError)


@pytest.mark.parametrize(
    ("raw_card", "problem"),
    [
        (card("http://evil.example/"), "another address"),
        (card("http://127.0.0.1:1/"), "another address"),
        (card("http://[::"), "another address"),
        (card("", changes={"supportedInterfaces": []}), "another address"),
        (response(b"[]"), "card cannot be read"),
        (response(b"x" * 200_000), "longer than"),
        (response(b'{"skills": 5}'), "cannot be read"),
    ],
)
async def test_a_card_that_cannot_be_trusted_is_refused(raw_card: bytes, problem: str) -> None:
    async with agent_with(b"", raw_card=raw_card) as url:
        found = await outcome(url)
    assert problem in str(found)
