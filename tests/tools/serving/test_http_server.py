"""Promises of `smallhold.tools.serving.http_server`: this file holds tests over a real socket."""

from __future__ import annotations

import socket

import anyio
import httpx2
import pytest

from smallhold.exceptions import ConfigError
from smallhold.tools.serving.access import Access
from smallhold.tools.serving.gate import Receive, Scope, Send
from smallhold.tools.serving.http_server import listening_socket, serve_on, url_of

pytestmark = pytest.mark.anyio


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        for answer in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{answer}.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})


async def test_an_application_is_served_until_the_task_is_cancelled() -> None:
    access = Access()
    taken = listening_socket(access)
    url, is_ready = url_of(taken, path="/"), anyio.Event()
    async with anyio.create_task_group() as tasks, httpx2.AsyncClient(trust_env=False) as client:
        tasks.start_soon(lambda: serve_on(taken, hello, access=access, on_ready=is_ready.set))
        with anyio.fail_after(10):
            await is_ready.wait()
            assert (await client.get(url)).text == "hello"
            named = await client.get(url, headers={"host": "evil.example"})
            assert named.status_code == 421
        tasks.cancel_scope.cancel()
    assert taken.fileno() == -1


def test_an_address_that_is_in_use_is_refused_with_what_to_do() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(ConfigError, match="another port"):
            listening_socket(Access(port=other.getsockname()[1]))


def test_the_address_of_an_ipv6_socket_is_written_in_brackets() -> None:
    try:
        taken = listening_socket(Access(host="::1"))
    except ConfigError:
        pytest.skip("this machine has no IPv6 loopback")
    with taken:
        assert url_of(taken, path="/mcp").startswith("http://[::1]:")
