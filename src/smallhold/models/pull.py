"""From a catalog entry to a file in the store: this file holds the `pull` operation."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

import anyio
import filelock
from anyio import to_thread

from smallhold.exceptions import (
    CorruptDownloadError,
    InvalidGGUFError,
    ModelError,
    SourcesExhaustedError,
    SourceUnavailableError,
    StoreBusyError,
)
from smallhold.models.catalog import CatalogEntry
from smallhold.models.gguf import read_gguf_header
from smallhold.models.partial_file import PartialFile
from smallhold.models.sources.protocol import FetchJob, Source, SourceOpener
from smallhold.models.store import ModelStore

BUSY_LIMIT_S: Final = 3600.0
"""How long a pull waits for another process that fetches the same model, by default."""

_LOCK_POLL_S: Final = 0.2
_HASH_CHUNK_BYTES: Final = 8 << 20
_LOG = logging.getLogger(__name__)


class PullPhase(StrEnum):
    """What a pull is doing."""

    WAITING = "waiting"
    """Another process fetches the same model."""
    FETCHING = "fetching"
    VERIFYING = "verifying"
    """Everything that arrived is being hashed."""
    SOURCE_FAILED = "source_failed"
    """A source could not deliver, `detail` says why; the next one is tried, if there is one."""
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class PullProgress:
    """One step forward of a pull."""

    alias: str
    phase: PullPhase
    source: str
    """Name of the source; empty while waiting for another process, and when all is done."""
    done_bytes: int
    total_bytes: int | None
    """Size of the whole file, where known."""
    detail: str = ""


def ignore_progress(progress: PullProgress) -> None:
    """Take no notice of progress."""
    del progress


async def pull(
    entry: CatalogEntry,
    *,
    store: ModelStore,
    open_source: SourceOpener,
    on_progress: Callable[[PullProgress], None] = ignore_progress,
    busy_limit_s: float = BUSY_LIMIT_S,
) -> Path:
    """Make sure that a model is in the store, fetching it from the first source that delivers.

    Interrupted at any moment, by cancellation or by a power cut, a later pull goes on from what had
    arrived. Two pulls at once fetch once: the second waits, and says so.

    Args:
        entry: What to fetch.
        store: Where to put it.
        open_source: Makes the adapter of each source, such as `source_opener(settings)`.
        on_progress: Called in the event loop, so it should return quickly.
        busy_limit_s: How long to wait, in seconds, for another process with the same aim.

    Returns:
        Path of the file, whose sha256 is the catalog's, or the hub's where the catalog has none.

    Raises:
        SourcesExhaustedError: No source delivered the right bytes; it lists why.
        StoreFullError: The disk is full; what arrived is kept.
        StoreBusyError: Another process held the lock for longer than `busy_limit_s`.
        StoreNotWritableError: The store's folder is read-only.
    """
    path = store.adopt(entry)
    if path is None:
        task = _Pull(entry=entry, store=store, open_source=open_source, on_progress=on_progress)
        with store.translated_errors(needed_bytes=entry.size_bytes or 0):
            async with task.locked(busy_limit_s=busy_limit_s):
                path = await task.run()
    size_bytes = (await anyio.Path(path).stat()).st_size
    on_progress(
        PullProgress(
            alias=entry.alias,
            phase=PullPhase.DONE,
            source="",
            done_bytes=size_bytes,
            total_bytes=size_bytes,
        )
    )
    return path


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pull:
    """One pull under way."""

    entry: CatalogEntry
    store: ModelStore
    open_source: SourceOpener
    on_progress: Callable[[PullProgress], None]

    @asynccontextmanager
    async def locked(self, *, busy_limit_s: float) -> AsyncGenerator[None]:
        lock = self.store.lock(self.entry)
        await anyio.Path(lock.lock_file).parent.mkdir(parents=True, exist_ok=True)
        await self._acquire(lock, busy_limit_s=busy_limit_s)
        try:
            yield
        finally:
            lock.release()

    async def _acquire(self, lock: filelock.FileLock, *, busy_limit_s: float) -> None:
        started_s = anyio.current_time()
        while True:
            try:
                lock.acquire(blocking=False)
            except filelock.Timeout as error:
                waited_s = anyio.current_time() - started_s
                if waited_s >= busy_limit_s:
                    raise StoreBusyError(lock=lock.lock_file, waited_s=waited_s) from error
            else:
                return
            arrived_bytes = self.store.partial(self.entry).size_bytes
            self._report(PullPhase.WAITING, "", arrived_bytes, self.entry.size_bytes)
            await anyio.sleep(_LOCK_POLL_S)

    async def run(self) -> Path:
        path = self.store.adopt(self.entry)
        if path is not None:
            return path
        failures: list[ModelError] = []
        for spec in self.entry.sources:
            source = self.open_source(spec)
            try:
                return await self._try(source)
            except (SourceUnavailableError, CorruptDownloadError, InvalidGGUFError) as error:
                failures.append(error)
                self._report(PullPhase.SOURCE_FAILED, source.name, 0, None, detail=str(error))
                _LOG.warning(
                    "pull.source_failed",
                    extra={"alias": self.entry.alias, "source": source.name, "error": str(error)},
                )
        raise SourcesExhaustedError(alias=self.entry.alias, failures=failures)

    async def _try(self, source: Source) -> Path:
        partial = self.store.partial(self.entry)
        had_bytes = partial.size_bytes
        try:
            return await self._fetch(source, partial)
        except CorruptDownloadError:
            if not had_bytes:
                raise
            # The older half may be what was wrong, so the source gets a chance of its own.
            return await self._fetch(source, partial)

    async def _fetch(self, source: Source, partial: PartialFile) -> Path:
        total_bytes = self.entry.size_bytes
        self._report(PullPhase.FETCHING, source.name, 0, total_bytes)
        announced = await source.fetch(
            FetchJob(
                partial=partial,
                size_bytes=total_bytes,
                sha256=self.entry.sha256,
                report=lambda done, total: self._report(
                    PullPhase.FETCHING, source.name, done, total
                ),
                require_room=self.store.require_room,
            )
        )
        expected = self.entry.sha256 or announced
        sha256 = await self._verify(source, partial, expected=expected)
        return await to_thread.run_sync(
            lambda: self.store.publish(self.entry, partial, sha256=sha256, source=source.name)
        )

    async def _verify(self, source: Source, partial: PartialFile, *, expected: str | None) -> str:
        actual = await self._digest(source, partial)
        if expected is not None and actual != expected:
            await to_thread.run_sync(partial.discard)
            raise CorruptDownloadError(
                source=source.name, expected=f"sha256 {expected}", actual=f"sha256 {actual}"
            )
        if self.entry.sha256 is None:
            # Without a digest from the catalog, an error page could pass for a model.
            try:
                await to_thread.run_sync(read_gguf_header, partial.path)
            except InvalidGGUFError:
                await to_thread.run_sync(partial.discard)
                raise
        return actual

    async def _digest(self, source: Source, partial: PartialFile) -> str:
        """Hash the file as it lies on the disk, not as it came over the wire."""
        total_bytes = partial.size_bytes
        digest = hashlib.sha256()
        done_bytes = 0
        async with await anyio.open_file(partial.path, "rb") as file:
            while chunk := await file.read(_HASH_CHUNK_BYTES):
                await to_thread.run_sync(digest.update, chunk)
                done_bytes += len(chunk)
                self._report(PullPhase.VERIFYING, source.name, done_bytes, total_bytes)
        return digest.hexdigest()

    def _report(
        self, phase: PullPhase, source: str, done: int, total: int | None, *, detail: str = ""
    ) -> None:
        self.on_progress(
            PullProgress(
                alias=self.entry.alias,
                phase=phase,
                source=source,
                done_bytes=done,
                total_bytes=total,
                detail=detail,
            )
        )
