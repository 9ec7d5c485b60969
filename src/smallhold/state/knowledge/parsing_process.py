"""Foreign files are read elsewhere: this file holds the service's handle on the parsing process."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

import anyio
from anyio.abc import Process

from smallhold.exceptions import ConfigError, DocumentError, DocumentTooLargeError
from smallhold.state.knowledge.document import Document
from smallhold.state.knowledge.formats import DocumentFormat
from smallhold.state.knowledge.parsers.child import MEMORY_EXIT_STATUS, MODULE_EXIT_STATUS
from smallhold.state.knowledge.parsers.frames import (
    REPLY_LENGTH,
    Refusal,
    read_reply,
    reply_max_bytes,
    request_bytes,
)
from smallhold.state.knowledge.parsers.limits import ParsingLimits

DOCUMENTS_OF_ONE_PROCESS: Final = 100
"""Then it is replaced: starting one takes a tenth of a second, and libraries leak."""
_EXIT_WAIT_S: Final = 5.0
_ENVIRONMENT: Final = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "TZ")
"""All that the process is told of the service's environment, where keys and tokens stand."""
_log = logging.getLogger(__name__)


class ParsingProcess:
    """Parses documents one after another in a process that may break.

    Used as an async context manager. The process is started with the first document, and anew after
    one that ended it.
    """

    def __init__(self, limits: ParsingLimits | None = None) -> None:
        """Set the limits of each document."""
        self._limits = limits or ParsingLimits()
        self._process: Process | None = None
        self._parsed = 0
        self._turn: anyio.Lock | None = None

    @property
    def pid(self) -> int | None:
        """Process id, `None` while there is no process."""
        return None if self._process is None else self._process.pid

    async def __aenter__(self) -> Self:
        """Begin; nothing is started yet."""
        self._turn = anyio.Lock()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the process."""
        await self._end()

    async def parse(self, data: bytes, *, file_format: DocumentFormat, source: str) -> Document:
        """Read a document.

        Args:
            data: The file.
            file_format: What it is.
            source: Its path or address, for errors.

        Raises:
            DocumentError: It cannot be read, or has no text.
            DocumentTooLargeError: It exceeds a limit, in size, memory or time.
            ConfigError: The format's library is not installed.
        """
        if self._turn is None:
            remedy = "use the ParsingProcess in `async with`"
            raise ConfigError(field="parsing process", value="(not entered)", remedy=remedy)
        async with self._turn:
            try:
                with anyio.fail_after(self._limits.wall_s):
                    reply = await self._exchange(data, file_format, source=source)
            except TimeoutError as error:
                await self._kill()
                raise _over("wall_s", source=source, limits=self._limits) from error
            except (anyio.BrokenResourceError, anyio.EndOfStream, anyio.ClosedResourceError) as end:
                status = await self._end()
                _log.warning("knowledge.parser_died", extra={"status": status})
                raise death(
                    status, source=source, file_format=file_format, limits=self._limits
                ) from end
            except BaseException:
                # Cancelled in the middle: what it still writes would be taken for another's reply.
                await self._kill()
                raise
        if isinstance(reply, Refusal):
            raise refused(reply, source=source)
        return reply

    async def _exchange(
        self, data: bytes, file_format: DocumentFormat, *, source: str
    ) -> Document | Refusal:
        process = await self._started()
        if process.stdin is None or process.stdout is None:
            raise anyio.ClosedResourceError
        request = request_bytes(data, file_format=file_format, source=source, limits=self._limits)
        await process.stdin.send(request)
        await process.stdin.send(data)
        self._parsed += 1
        received = bytearray()
        length = await _exactly(process, received, REPLY_LENGTH.size)
        (reply_bytes,) = REPLY_LENGTH.unpack(length)
        if reply_bytes > reply_max_bytes(self._limits):
            raise anyio.BrokenResourceError
        try:
            return read_reply(await _exactly(process, received, reply_bytes))
        except ValueError as error:
            raise anyio.BrokenResourceError from error

    async def _started(self) -> Process:
        if self._process is not None and self._parsed >= DOCUMENTS_OF_ONE_PROCESS:
            await self._end()
        if self._process is not None:
            return self._process
        self._process = await _open_process()
        self._parsed = 0
        return self._process

    async def _end(self) -> int | None:
        """Let the process end by itself, or kill it; gives its exit status."""
        process = self._process
        if process is not None and process.stdin is not None:
            with anyio.CancelScope(shield=True), suppress(anyio.BrokenResourceError, OSError):
                await process.stdin.aclose()
            with anyio.move_on_after(_EXIT_WAIT_S, shield=True):
                await process.wait()
        return await self._kill()

    async def _kill(self) -> int | None:
        process, self._process = self._process, None
        if process is None:
            return None
        if process.returncode is None:
            process.kill()
        with anyio.CancelScope(shield=True):
            status = await process.wait()
            await process.aclose()
            return status


async def _open_process() -> Process:
    # Shielded: cancelled in the middle, a process would run that nobody knows of.
    with anyio.CancelScope(shield=True):
        return await anyio.open_process(
            # -P: a module in the current folder may be as foreign as the documents.
            [sys.executable, "-P", "-m", "smallhold.state.knowledge.parsers.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(os.environ),
            # A terminal's Ctrl-C belongs to the parent.
            start_new_session=True,
        )
    raise anyio.ClosedResourceError


async def _exactly(process: Process, received: bytearray, size: int) -> bytes:
    if process.stdout is None:
        raise anyio.ClosedResourceError
    while len(received) < size:
        received += await process.stdout.receive()
    part = bytes(received[:size])
    del received[:size]
    return part


def refused(reply: Refusal, *, source: str) -> DocumentError:
    """Make the error for a reply that is no document."""
    if reply.field is not None:
        return DocumentTooLargeError(
            source=source, field=reply.field, actual=reply.actual, limit=reply.limit
        )
    return DocumentError(source=source, problem=reply.problem, remedy=reply.remedy)


def death(
    status: int | None, *, source: str, file_format: DocumentFormat, limits: ParsingLimits
) -> DocumentError | ConfigError:
    """Say why a process ended in the middle of a document.

    Args:
        status: Exit status; negative is the number of the signal that ended it.
        source: The document.
        file_format: Its format.
        limits: What it was held to.
    """
    if status in {MEMORY_EXIT_STATUS, -signal.SIGKILL}:
        # Nobody but the system's own search for memory sends the signal.
        return _over("memory_bytes", source=source, limits=limits)
    if status == -signal.SIGXCPU:
        return _over("cpu_s", source=source, limits=limits)
    if status == MODULE_EXIT_STATUS:
        remedy = "run `pip install 'smallhold[knowledge]'`, which brings its library"
        return ConfigError(field="document format", value=str(file_format), remedy=remedy)
    return DocumentError(
        source=source,
        problem="its parser crashed over it",
        remedy="Save it anew with another program, or leave it out.",
    )


_OVER: Final = {
    "memory_bytes": ("it takes more memory to read", "bytes"),
    "cpu_s": ("it takes more processor time to read", "s"),
    "wall_s": ("it takes more time to read", "s"),
}


def _over(field: str, *, source: str, limits: ParsingLimits) -> DocumentTooLargeError:
    actual, unit = _OVER[field]
    limit = f"{getattr(limits, field):,} {unit}"
    return DocumentTooLargeError(source=source, field=field, actual=actual, limit=limit)


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: environ[name] for name in _ENVIRONMENT if name in environ}
