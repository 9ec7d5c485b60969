"""Promises of `smallhold.tools.mcp.stdio_transport`: this file holds tests with real processes."""

from __future__ import annotations

import sys

import anyio
import pytest
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCRequest, JSONRPCResponse
from tests.tools.mcp.conftest import HOSTILE, is_running

from smallhold.exceptions import PeerUnavailableError
from smallhold.tools.mcp.addresses import ProcessAddress
from smallhold.tools.mcp.stdio_transport import process_transport
from smallhold.tools.mcp.wire import Wire

pytestmark = pytest.mark.anyio
HELLO = SessionMessage(JSONRPCRequest(jsonrpc="2.0", id=1, method="initialize"))


def python(program: str) -> ProcessAddress:
    return ProcessAddress(command=sys.executable, arguments=("-c", program))


async def test_a_message_goes_there_and_its_answer_comes_back() -> None:
    wire = Wire()
    address = ProcessAddress(command=sys.executable, arguments=(HOSTILE, "chatty"))
    async with process_transport(address, server="a", wire=wire, message_bytes=10_000) as (
        incoming,
        outgoing,
    ):
        await outgoing.send(HELLO)
        with anyio.fail_after(10):
            answer = await incoming.receive()
    assert isinstance(answer, SessionMessage)
    assert isinstance(answer.message, JSONRPCResponse)


@pytest.mark.parametrize(
    ("program", "problem"),
    [
        ("raise SystemExit(7)", "exit code 7"),
        ("import os; os.kill(os.getpid(), 9)", "signal 9"),
        ("print('x' * 20_000, flush=True); input()", "a message of more than 10,000 bytes"),
        ("print('x' * 20_000, end='', flush=True); input()", "a message of more than"),
        ("while True: print('loading')", "that are no messages"),
    ],
)  # fmt: skip
async def test_the_end_of_a_server_is_explained(program: str, problem: str) -> None:
    wire = Wire()
    async with process_transport(python(program), server="a", wire=wire, message_bytes=10_000) as (
        incoming,
        _,
    ):
        with anyio.fail_after(10), pytest.raises(anyio.EndOfStream):
            await incoming.receive()
    assert problem in (wire.problem or "")
    assert wire.is_fault == ("message" in problem)


async def test_a_program_that_is_not_there_is_told_by_name() -> None:
    address = ProcessAddress(command="no-such-program-here")
    with pytest.raises(PeerUnavailableError, match="no-such-program-here"):
        async with process_transport(address, server="a", wire=Wire(), message_bytes=10):
            pass


@pytest.mark.slow
async def test_a_server_that_does_not_want_to_end_is_ended_with_what_it_has_started() -> None:
    wire = Wire()
    address = ProcessAddress(command=sys.executable, arguments=(HOSTILE, "stubborn"))
    async with process_transport(address, server="a", wire=wire, message_bytes=10_000):
        with anyio.fail_after(10):
            while b"\n" not in wire.stderr_tail:  # noqa: ASYNC110 - another process writes it
                await anyio.sleep(0.05)
        processes = [int(word) for word in wire.stderr_tail.split()]
        assert all(map(is_running, processes))
    assert len(processes) == 2
    assert not any(map(is_running, processes))


async def test_only_a_few_variables_are_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BANK_PASSWORD", "secret")
    wire = Wire()
    program = "import os, sys; sys.stderr.write(repr(sorted(os.environ)))"
    address = ProcessAddress(
        command=sys.executable, arguments=("-c", program), environment={"SHOP": "1"}
    )
    async with process_transport(address, server="a", wire=wire, message_bytes=10_000) as (
        incoming,
        _,
    ):
        with pytest.raises(anyio.EndOfStream):
            await incoming.receive()
    said = wire.stderr_tail.decode()
    assert "'SHOP'" in said
    assert "'PATH'" in said
    assert "BANK_PASSWORD" not in said
