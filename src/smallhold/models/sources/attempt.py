"""Finding a file on a server and fetching what is missing of it: this file holds the `Attempt`."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

import anyio
import httpx2
from anyio import TASK_STATUS_IGNORED, to_thread
from anyio.abc import TaskStatus

from smallhold.models.pulling.byte_spans import Span, covered_bytes
from smallhold.models.pulling.partial_file import PartialNotes
from smallhold.models.pulling.span_journal import SpanWriter
from smallhold.models.sources.addresses import is_nearby
from smallhold.models.sources.asking import HttpAsker
from smallhold.models.sources.backoff import Backoff
from smallhold.models.sources.http_protocol import (
    BadAnswerError,
    Body,
    FileChangedError,
    RangeRefusedError,
    RemoteFile,
    goes_on,
    range_header,
    read_body,
    strong_etag,
)
from smallhold.models.sources.origin import Origin
from smallhold.models.sources.pacing import RateMeter, TrickleWatch
from smallhold.models.sources.pieces import (
    first_piece,
    goes_in_pieces,
    next_piece,
    piece_bytes,
)
from smallhold.models.sources.protocol import Arrival, FetchJob
from smallhold.models.sources.transfer_settings import TransferSettings


@dataclass(slots=True, kw_only=True)
class Attempt:
    """One way through: what breaks one connection is mended here, what breaks all ends it."""

    origin: Origin
    job: FetchJob
    asker: HttpAsker
    settings: TransferSettings
    backoff: Backoff
    uses_ranges: bool
    """Whether the server may be asked for pieces at all."""
    _remote: RemoteFile = field(init=False)
    _writer: SpanWriter = field(init=False)
    _total_bytes: int | None = field(init=False, default=None)
    _etag: str | None = field(init=False, default=None)
    _latency_s: float | None = field(init=False, default=None)
    _rate: RateMeter = field(init=False, default_factory=RateMeter)
    _rate_bytes_s: float | None = field(init=False, default=None)
    _is_near: bool = field(init=False, default=False)
    _is_overloaded: bool = field(init=False, default=False)
    _in_pieces: bool = field(init=False, default=False)
    _under_way: set[Span] = field(init=False, default_factory=set[Span])

    async def run(self) -> Arrival:
        """Fetch all that is missing.

        Raises:
            SourceUnavailableError: The server cannot deliver; what arrived stays.
            StoreFullError: The disk has no room for the rest.
            BadAnswerError: Another attempt may do better.
            RangeRefusedError: What arrived is useless; it was not thrown away yet.
            httpx2.TransportError: The network failed before anything could be fetched.
        """
        self._remote = await self.origin.describe(self.asker)
        self._total_bytes = self.job.size_bytes or self._remote.size_bytes
        self._check_promise()
        await to_thread.run_sync(self._go_on_or_begin)
        self._writer = await to_thread.run_sync(self.job.partial.writer)
        try:
            missing_bytes = self._missing_bytes()
            if missing_bytes != 0:
                self.job.require_room(missing_bytes or 0)
                limit_bytes_s = self.settings.pacer.limit_bytes_s
                self._in_pieces = self.uses_ranges and goes_in_pieces(
                    missing_bytes, is_limited=limit_bytes_s is not None
                )
                await self._fetch()
        finally:
            self._writer.close()
        return Arrival(sha256=self._remote.sha256, revision=self._remote.revision)

    def _check_promise(self) -> None:
        job, remote = self.job, self._remote
        if job.sha256 and remote.sha256 and job.sha256 != remote.sha256:
            self.asker.refuse(
                f"offers another file (sha256 {remote.sha256}, the catalog says {job.sha256})"
            )
        if job.size_bytes and remote.size_bytes and job.size_bytes != remote.size_bytes:
            self.asker.refuse(
                f"offers {remote.size_bytes:,} bytes, the catalog says {job.size_bytes:,}"
            )
        if self._total_bytes == 0:
            self.asker.refuse("offers an empty file")

    def _go_on_or_begin(self) -> None:
        partial, source = self.job.partial, self.origin.name
        notes, spans = partial.notes, partial.spans
        if not goes_on(notes, spans, source=source, job=self.job, remote=self._remote):
            partial.restart(PartialNotes(source=source))
        elif notes is not None and notes.source == source and not self._is_pinned:
            self._etag = notes.etag

    async def _fetch(self) -> None:
        try:
            async with anyio.create_task_group() as tasks:
                if await tasks.start(self._lead):
                    for _ in range(self.settings.connections - 1):
                        tasks.start_soon(self._help)
        except BaseExceptionGroup as group:
            raise _first_of(group) from None
        # What helpers left behind when the server had too much of them.
        await self._work()

    async def _lead(self, *, task_status: TaskStatus[bool] = TASK_STATUS_IGNORED) -> None:
        """Fetch the first piece, tell whether the server knows ranges, and go on with others."""
        piece, epoch, is_in_pieces = self._first(), self.backoff.epoch, False
        asked = piece if self._in_pieces or (self.uses_ranges and piece[0] > 0) else None
        try:
            async with self._open(piece, asked=asked) as response:
                body = self._read(response, asked=asked)
                await self._begin_with(body, response)
                is_in_pieces = not body.is_whole
                task_status.started(is_in_pieces)
                await self._receive(response, body)
        except (httpx2.TransportError, BadAnswerError) as error:
            if not is_in_pieces:
                raise
            await self._rest(error, epoch=epoch)
        await self._work()

    async def _begin_with(self, body: Body, response: httpx2.Response) -> None:
        """Learn from the first answer what is not known yet."""
        etag = strong_etag(response.headers)
        if body.is_whole and self._writer.spans:
            await to_thread.run_sync(self._start_over)
        if not (body.is_whole or self._is_pinned or etag):
            # Pieces of two versions of a file would pass for one file.
            msg = "nothing tells whether two of its answers belong to one file"
            raise RangeRefusedError(msg)
        if body.total_bytes is not None and self._total_bytes is None:
            self._total_bytes = body.total_bytes
            self._check_promise()
            self.job.require_room(self._missing_bytes() or 0)
        self._etag = None if self._is_pinned else etag
        notes = PartialNotes(source=self.origin.name, etag=self._remote.version or etag)
        await to_thread.run_sync(self.job.partial.note, notes)

    def _start_over(self) -> None:
        self._writer.close()
        self.job.partial.restart(PartialNotes(source=self.origin.name))
        self._writer = self.job.partial.writer()

    async def _help(self) -> None:
        """Fetch pieces beside the one that leads, until the server has too much of it."""
        try:
            await self._work(gives_way=True)
        except BadAnswerError as error:
            if not error.is_overload:
                raise

    async def _work(self, *, gives_way: bool = False) -> None:
        while (piece := self._next()) is not None:
            epoch = self.backoff.epoch
            try:
                await self._fetch_piece(piece)
            except (httpx2.TransportError, BadAnswerError) as error:
                is_overload = isinstance(error, BadAnswerError) and error.is_overload
                self._is_overloaded |= is_overload
                if isinstance(error, FileChangedError) or (is_overload and gives_way):
                    raise
                await self._rest(error, epoch=epoch)

    async def _fetch_piece(self, piece: Span) -> None:
        async with self._open(piece, asked=piece) as response:
            body = self._read(response, asked=piece)
            if body.is_whole:
                self._require_same(response)
                msg = "the server knew ranges and does no longer"
                raise BadAnswerError(msg)
            await self._receive(response, body)

    @asynccontextmanager
    async def _open(self, piece: Span, *, asked: Span | None) -> AsyncGenerator[httpx2.Response]:
        """Ask for a range, or for all where none is asked; meanwhile nobody else asks for it."""
        headers = dict(self._remote.headers)
        if asked is not None:
            headers["Range"] = range_header(asked, is_open=asked[1] == self._total_bytes)
            if self._etag is not None:
                headers["If-Range"] = self._etag
        began_s = anyio.current_time()
        self._under_way.add(piece)
        try:
            async with self.asker.get(self._remote.url, headers) as response:
                took_s = anyio.current_time() - began_s
                self._latency_s = min(took_s, self._latency_s or took_s)
                self._is_near = is_nearby(response.url)
                yield response
        finally:
            self._under_way.discard(piece)

    def _read(self, response: httpx2.Response, *, asked: Span | None) -> Body:
        body = read_body(
            response.status_code, response.headers, asked=asked, total_bytes=self._total_bytes
        )
        if not body.is_whole:
            self._require_same(response)
        return body

    def _require_same(self, response: httpx2.Response) -> None:
        if self._etag is not None and strong_etag(response.headers) not in {None, self._etag}:
            msg = "the file has changed on the server"
            raise FileChangedError(msg)

    async def _receive(self, response: httpx2.Response, body: Body) -> None:
        at = body.start
        is_limited = self.settings.pacer.limit_bytes_s is not None
        watch = TrickleWatch(limit_s=math.inf if is_limited else self.settings.stall_s)
        async for chunk in response.aiter_raw():
            if body.end is None:
                self.job.require_room(len(chunk))
            elif at + len(chunk) > body.end:
                self.asker.refuse(f"sent more than the {body.end:,} bytes it announced")
            # At once and as it came: what waits in memory would be fetched twice after a kill.
            await to_thread.run_sync(self._writer.write, at, chunk)
            at += len(chunk)
            done_bytes, now_s = covered_bytes(self._writer.spans), anyio.current_time()
            self.job.report(done_bytes, self._total_bytes)
            self._rate_bytes_s = self._rate.rate(done_bytes, now_s=now_s)
            problem = watch.problem(len(chunk), now_s=now_s)
            if problem is not None:
                raise BadAnswerError(problem)
            await self.settings.pacer.take(len(chunk))
        if body.end is not None and at < body.end:
            msg = f"the connection ended after {at:,} of {body.end:,} bytes"
            raise BadAnswerError(msg)

    async def _rest(self, error: Exception, *, epoch: int) -> None:
        arrived_bytes = covered_bytes(self._writer.spans)
        await self.backoff.rest(error, arrived_bytes=arrived_bytes, epoch=epoch)

    def _first(self) -> Span:
        size_bytes = self._piece_bytes() if self._in_pieces else None
        return first_piece(self._writer.spans, total_bytes=self._total_bytes, size_bytes=size_bytes)

    def _next(self) -> Span | None:
        if self._total_bytes is None:
            return None
        return next_piece(
            self._writer.spans,
            self._under_way,
            total_bytes=self._total_bytes,
            size_bytes=self._piece_bytes() if self._in_pieces else self._total_bytes,
            connections=self.settings.connections if self._in_pieces else 1,
        )

    def _piece_bytes(self) -> int:
        return piece_bytes(
            self.settings.connections,
            latency_s=self._latency_s,
            rate_bytes_s=self.settings.pacer.limit_bytes_s or self._rate_bytes_s,
            is_near=self._is_near,
            is_overloaded=self._is_overloaded,
        )

    def _missing_bytes(self) -> int | None:
        if self._total_bytes is None:
            return None
        return self._total_bytes - covered_bytes(self._writer.spans)

    @property
    def _is_pinned(self) -> bool:
        """Whether something other than the answers' tags says which bytes are meant."""
        return (self.job.sha256 or self._remote.version) is not None


def _first_of(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error that ended a task group; what came after it is only its consequence."""
    first = group.exceptions[0]
    if isinstance(first, BaseExceptionGroup):
        return _first_of(cast("BaseExceptionGroup[BaseException]", first))
    return first
