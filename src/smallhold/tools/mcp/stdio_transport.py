"""A server as a process of ours: this file holds its start, its pipes and its end.

Not the SDK's own transport: that one keeps a line of any length in memory, and hands the server's
stderr to ours.
"""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Final

import anyio
from anyio.abc import ByteReceiveStream, ByteSendStream, Process
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.client.stdio import get_default_environment
from mcp.shared.message import SessionMessage
from mcp_types import jsonrpc_message_adapter

from smallhold.exceptions import PeerUnavailableError
from smallhold.tools.mcp.addresses import ProcessAddress
from smallhold.tools.mcp.wire import Incoming, Item, MessageSink, Wire

GRACE_S: Final = 2.0
"""How long a server may take to end by itself when its stdin closes, and again after SIGTERM.
Source: MCP specification, "Lifecycle", shutdown over stdio; the length is the SDK's."""
_POLL_S: Final = 0.02
_WRITE_S: Final = 10.0
"""A server that has not read its stdin for so long never will."""
_CHUNK_BYTES: Final = 64 * 1024
_MOST_JUNK_LINES: Final = 200
"""Lines that are no messages, such as a server's prints; more of them are a fault."""


@asynccontextmanager
async def process_transport(
    address: ProcessAddress, *, server: str, wire: Wire, message_bytes: int
) -> AsyncGenerator[tuple[Incoming, MessageSink]]:
    """Start a server, hand out its streams of messages, and end it with all that it has started.

    Args:
        address: What to start.
        server: Its name, for errors.
        wire: Told of how it ends and what it says on stderr.
        message_bytes: Longest message.

    Raises:
        PeerUnavailableError: It cannot be started.
    """
    process = await _started(address, server=server)
    to_us, incoming = anyio.create_memory_object_stream[Item](0)
    outgoing, to_server = anyio.create_memory_object_stream[SessionMessage](0)
    if process.stdin is None or process.stdout is None or process.stderr is None:
        raise PeerUnavailableError(peer=server, problem="it was started without pipes")
    reader = _Reader(process=process, wire=wire, message_bytes=message_bytes)
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(reader.read, process.stdout, to_us)
            tasks.start_soon(_write, process.stdin, to_server, to_us)
            tasks.start_soon(_listen, process.stderr, wire)
            try:
                yield Incoming(incoming, wire=wire), outgoing
            finally:
                with anyio.CancelScope(shield=True):
                    for stream in (incoming, outgoing):
                        stream.close()
                    await _stop(process, is_patient=not wire.is_fault)
                tasks.cancel_scope.cancel()
    finally:
        for stream in (to_us, incoming, outgoing, to_server):
            stream.close()
        with anyio.CancelScope(shield=True):
            await process.aclose()


async def _started(address: ProcessAddress, *, server: str) -> Process:
    try:
        return await anyio.open_process(
            [address.command, *address.arguments],
            env=get_default_environment() | dict(address.environment),
            cwd=address.folder,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        problem = f"the program {address.command!r} could not be started ({reason})"
        raise PeerUnavailableError(peer=server, problem=problem) from error


class _Reader:
    """Turns lines of a process into messages, as long as they are short enough."""

    def __init__(self, *, process: Process, wire: Wire, message_bytes: int) -> None:
        self._process = process
        self._wire = wire
        self._message_bytes = message_bytes
        self._junk_lines = 0

    async def read(self, stdout: ByteReceiveStream, to_us: MemoryObjectSendStream[Item]) -> None:
        rest = bytearray()
        async with to_us:
            with suppress(
                anyio.EndOfStream, anyio.ClosedResourceError, anyio.BrokenResourceError, OSError
            ):
                while True:
                    chunk = await stdout.receive(_CHUNK_BYTES)
                    *lines, tail = chunk.split(b"\n")
                    for line in lines:
                        if not await self._deliver(bytes(rest) + line, to_us):
                            return
                        rest.clear()
                    rest += tail
                    if len(rest) > self._message_bytes:
                        self._too_long()
                        return
            await self._note_end()

    async def _deliver(self, line: bytes, to_us: MemoryObjectSendStream[Item]) -> bool:
        """Hand on one line; `False` ends the reading."""
        if len(line) > self._message_bytes:
            self._too_long()
            return False
        if not line.strip():
            return True
        try:
            message = jsonrpc_message_adapter.validate_json(line, by_name=False)
        except ValueError:
            self._junk_lines += 1
            if self._junk_lines <= _MOST_JUNK_LINES:
                return True
            self._wire.end("it writes lines to stdout that are no messages", is_fault=True)
            return False
        await to_us.send(SessionMessage(message))
        return True

    def _too_long(self) -> None:
        limit = f"{self._message_bytes:,} bytes"
        self._wire.end(f"it sent a message of more than {limit}", is_fault=True)

    async def _note_end(self) -> None:
        """Say how the process ended; its pipe may close a moment before."""
        with anyio.move_on_after(GRACE_S):
            await _exited(self._process)
        code = self._process.returncode
        if code is None:
            self._wire.end("it closed its stdout")
        elif code < 0:
            self._wire.end(f"its process was ended by signal {-code}")
        else:
            self._wire.end(f"its process ended with exit code {code}")


async def _write(
    stdin: ByteSendStream,
    to_server: MemoryObjectReceiveStream[SessionMessage],
    to_us: MemoryObjectSendStream[Item],
) -> None:
    async with to_server:
        try:
            async for each in to_server:
                line = each.message.model_dump_json(by_alias=True, exclude_unset=True)
                with anyio.fail_after(_WRITE_S):
                    await stdin.send(line.encode() + b"\n")
        except (OSError, anyio.BrokenResourceError, anyio.ClosedResourceError):
            # Whoever waits for an answer learns that there will be none. A timeout is an `OSError`.
            to_us.close()


async def _listen(stderr: ByteReceiveStream, wire: Wire) -> None:
    with suppress(anyio.EndOfStream, anyio.ClosedResourceError, anyio.BrokenResourceError, OSError):
        while True:
            wire.hear_stderr(await stderr.receive(_CHUNK_BYTES))


async def _stop(process: Process, *, is_patient: bool) -> None:
    """End a process: close its stdin, then SIGTERM, then SIGKILL, to its group.

    Args:
        process: The server.
        is_patient: Whether it is given time to end by itself.
    """
    if process.stdin is not None:
        with suppress(OSError, anyio.BrokenResourceError, anyio.ClosedResourceError):
            await process.stdin.aclose()
    if is_patient:
        with anyio.move_on_after(GRACE_S):
            await _exited(process)
    for wish in (signal.SIGTERM, signal.SIGKILL):
        if process.returncode is not None:
            break
        _signal_group(process, wish)
        with anyio.move_on_after(GRACE_S):
            await _exited(process)
    # What the server has started itself must not stay behind, also if the server is gone.
    _signal_group(process, signal.SIGKILL)


def _signal_group(process: Process, wish: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, wish)


async def _exited(process: Process) -> None:
    # Not `process.wait()`: that also waits for the pipes, which a grandchild may hold open.
    while process.returncode is None:  # noqa: ASYNC110 - nothing tells of it alone
        await anyio.sleep(_POLL_S)
