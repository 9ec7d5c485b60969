"""Promises of `smallhold.tools.mcp.connection`: this file holds tests of the adapter of the SDK."""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
import pytest
from tests.tools.mcp.conftest import HOSTILE, REFERENCE, free_port

from smallhold.exceptions import PeerFaultError, PeerRefusalError, PeerUnavailableError
from smallhold.tools.mcp.addresses import ProcessAddress, ServerAddress, WebAddress
from smallhold.tools.mcp.connection import open_session
from smallhold.tools.mcp.session import Lost, Method, Session
from smallhold.tools.mcp.settings import MCPLimits

pytestmark = pytest.mark.anyio


def process(script: str, *arguments: str) -> ProcessAddress:
    return ProcessAddress(command=sys.executable, arguments=(script, *arguments))


@asynccontextmanager
async def session_with(
    address: ServerAddress, bell: anyio.Event | None = None
) -> AsyncGenerator[Session]:
    """An open session; conforms to our own protocol."""
    ring = (bell or anyio.Event()).set
    with anyio.fail_after(30):
        async with open_session(
            address, server="peer", limits=MCPLimits(), on_changed=ring
        ) as session:
            yield session


async def test_the_sdks_own_server_is_spoken_to_in_the_newest_version() -> None:
    bell = anyio.Event()
    async with session_with(process(REFERENCE, "stdio"), bell) as session:
        assert session.methods == frozenset(Method)
        assert session.instructions == "A small shop."
        listed = await session.ask(Method.LIST_TOOLS, {})
        assert not isinstance(listed, Lost)
        assert "add" in str(listed)
        await session.ask(Method.CALL_TOOL, {"name": "grow", "arguments": {}})
        await bell.wait()
        with pytest.raises(PeerRefusalError):
            await session.ask(Method.GET_PROMPT, {"name": "none"})
    assert session.closed.is_set()
    assert await session.ask(Method.LIST_TOOLS, {}) == Lost(
        problem="the connection was closed", was_sent=False
    )


async def test_a_server_over_http_is_spoken_to_as_well(reference_url: str) -> None:
    async with session_with(WebAddress(url=reference_url)) as session:
        answer = await session.ask(
            Method.CALL_TOOL, {"name": "add", "arguments": {"first": 2, "second": 3}}
        )
    assert "5" in str(answer)


async def test_an_older_server_is_spoken_to_in_its_own_version() -> None:
    bell = anyio.Event()
    async with session_with(process(HOSTILE, "changes"), bell) as session:
        assert session.methods == {Method.LIST_TOOLS, Method.CALL_TOOL}
        await session.ask(Method.CALL_TOOL, {"name": "kept", "arguments": {}})
        await bell.wait()


@pytest.mark.parametrize(
    ("mode", "problem"),
    [("exits", "exit code 7"), ("prints", "no messages"), ("endless_line", "more than 4,194,304")],
)
async def test_why_a_server_cannot_be_used_is_told(mode: str, problem: str) -> None:
    with pytest.raises(PeerUnavailableError, match=problem):
        async with session_with(process(HOSTILE, mode)):
            pass


async def test_the_last_words_of_a_server_are_kept_apart_from_the_message() -> None:
    with pytest.raises(PeerUnavailableError) as caught:
        async with session_with(process(HOSTILE, "exits")):
            pass
    assert caught.value.stderr_tail == "the database is missing\n"
    assert "database" not in str(caught.value)


async def test_a_server_that_is_not_there_is_told() -> None:
    address = WebAddress(url=f"http://127.0.0.1:{free_port()}/mcp")
    with pytest.raises(PeerUnavailableError, match="cannot be reached"):
        async with session_with(address):
            pass


async def test_a_page_that_is_no_mcp_server_is_told(reference_url: str) -> None:
    with pytest.raises(PeerUnavailableError):
        async with session_with(WebAddress(url=reference_url.replace("/mcp", "/other"))):
            pass


async def test_a_server_that_dies_in_a_call_leaves_it_open_whether_it_was_done() -> None:
    async with session_with(process(HOSTILE, "dies_in_call")) as session:
        answer = await session.ask(Method.CALL_TOOL, {"name": "work", "arguments": {}})
    assert answer == Lost(problem="its process ended with exit code 9", was_sent=True)


@pytest.mark.parametrize(
    ("mode", "problem"),
    [("breaks_protocol", "does not fit the protocol"), ("big", "may have been done")],
)
async def test_an_answer_that_breaks_a_rule_is_the_servers_fault(mode: str, problem: str) -> None:
    async with session_with(process(HOSTILE, mode)) as session:
        with pytest.raises(PeerFaultError, match=problem):
            await session.ask(Method.CALL_TOOL, {"name": "work", "arguments": {}})


async def test_a_server_that_wants_to_use_our_model_is_told_no_and_can_go_on() -> None:
    async with session_with(process(HOSTILE, "asks_back")) as session:
        answer = await session.ask(Method.CALL_TOOL, {"name": "work", "arguments": {}})
    assert "done" in str(answer)


async def test_giving_up_on_a_call_takes_no_longer_than_that() -> None:
    async with session_with(process(HOSTILE, "never_answers")) as session:
        started_s = time.monotonic()
        with anyio.move_on_after(0.2):
            await session.ask(Method.CALL_TOOL, {"name": "work", "arguments": {}})
        assert time.monotonic() - started_s < 2
        listed = await session.ask(Method.LIST_TOOLS, {})
    assert "work" in str(listed)
