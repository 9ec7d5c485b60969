"""From a catalog entry to a file in the store: this file holds the `pull` operation."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import anyio
import filelock
from anyio import from_thread, to_thread

from smallhold.exceptions import (
    CorruptDownloadError,
    InvalidGGUFError,
    InvalidWeightsError,
    ModelError,
    ModelNotInstalledError,
    SourcesExhaustedError,
    SourceUnavailableError,
    StoreBusyError,
    StoreNotWritableError,
)
from smallhold.models.catalog.catalog import CatalogEntry
from smallhold.models.catalog.unvouched import require_model
from smallhold.models.elsewhere import ForeignPlaces, adopt_in_place, foreign_places
from smallhold.models.pulling.partial_file import PartialFile
from smallhold.models.pulling.pull_progress import (
    ProgressReporter,
    PullPhase,
    PullProgress,
    ignore_progress,
)
from smallhold.models.sources.protocol import Arrival, FetchJob, Source, SourceOpener
from smallhold.models.store.file_digest import hash_file
from smallhold.models.store.store import ModelStore
from smallhold.settings import Settings

BUSY_LIMIT_S: Final = 3600.0
"""How long a pull waits for another process that fetches the same model, by default."""

_LOCK_POLL_S: Final = 0.2
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class PullPolicy:
    """What a pull may use besides the sources, and what it leaves."""

    places: ForeignPlaces = field(default_factory=ForeignPlaces)
    """Folders of other programs; a model that lies there is used where it is."""
    cache_limit_bytes: int | None = None
    """Disk space that the store's models may take once this one is there; `None` is no limit."""

    @classmethod
    def of(cls, settings: Settings) -> PullPolicy:
        """The policy of this machine: this user's own folders, and the limit of the settings."""
        return cls(places=foreign_places(), cache_limit_bytes=settings.model_cache_bytes)


async def pull(
    entry: CatalogEntry,
    *,
    store: ModelStore,
    open_source: SourceOpener,
    on_progress: Callable[[PullProgress], None] = ignore_progress,
    busy_limit_s: float = BUSY_LIMIT_S,
    policy: PullPolicy | None = None,
) -> Path:
    """Make sure that a model is at hand, fetching it from the first source that delivers.

    A model that another program has already is used where it lies, once it has been hashed.

    Interrupted at any moment, by cancellation or by a power cut, a later pull goes on from what had
    arrived. Two pulls at once fetch once: the second waits, and says so.

    Args:
        entry: What to fetch.
        store: Where to put it.
        open_source: Makes the adapter of each source, such as `source_opener(settings)`.
        on_progress: Called in the event loop, so it should return quickly.
        busy_limit_s: How long to wait, in seconds, for another process with the same aim.
        policy: By default no folder but the store's is looked into, and nothing is evicted.

    Returns:
        Path of the file, whose sha256 is the catalog's, or the hub's where the catalog has none.

    Raises:
        SourcesExhaustedError: No source delivered the right bytes; it lists why.
        StoreFullError: The disk is full; what arrived is kept.
        StoreBusyError: Another process held the lock for longer than `busy_limit_s`.
        StoreNotWritableError: The store's folder is read-only.
        ModelNotInstalledError: Another process removed the model as soon as it was there.
    """
    policy = policy or PullPolicy()
    tell = ProgressReporter(entry=entry, on_progress=on_progress)
    path = await to_thread.run_sync(store.adopt, entry)
    if path is None:
        task = _Pull(
            entry=entry, store=store, open_source=open_source, tell=tell, places=policy.places
        )
        with store.translated_errors(needed_bytes=entry.size_bytes or 0):
            async with task.locked(busy_limit_s=busy_limit_s):
                path = await task.run()
        if policy.cache_limit_bytes is not None:
            await _make_room(store, entry, limit_bytes=policy.cache_limit_bytes, tell=tell)
    try:
        size_bytes = (await anyio.Path(path).stat()).st_size
    except FileNotFoundError as error:
        # Another process has removed it in this very moment.
        raise ModelNotInstalledError(alias=entry.reference) from error
    tell.done(size_bytes)
    return path


async def _make_room(
    store: ModelStore, entry: CatalogEntry, *, limit_bytes: int, tell: ProgressReporter
) -> None:
    try:
        plan = await to_thread.run_sync(
            lambda: store.trim(limit_bytes=limit_bytes, keep=(entry.reference,))
        )
    except (StoreBusyError, StoreNotWritableError) as error:
        # The model is there, which was asked for; the next pull makes room.
        _LOG.warning("pull.no_room_made", extra={"error": str(error)})
        return
    for blob in plan.evicted:
        for reference in blob.references:
            tell.event(PullPhase.EVICTED, detail=reference)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pull:
    """One pull under way."""

    entry: CatalogEntry
    store: ModelStore
    open_source: SourceOpener
    tell: ProgressReporter
    places: ForeignPlaces

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
        partial = self.store.partial(self.entry)
        while True:
            try:
                lock.acquire(blocking=False)
            except filelock.Timeout as error:
                waited_s = anyio.current_time() - started_s
                if waited_s >= busy_limit_s:
                    raise StoreBusyError(lock=lock.lock_file, waited_s=waited_s) from error
            else:
                return
            arrived_bytes = await to_thread.run_sync(lambda: partial.size_bytes)
            self._report(PullPhase.WAITING, "", arrived_bytes, self.entry.size_bytes)
            await anyio.sleep(_LOCK_POLL_S)

    async def run(self) -> Path:
        path = await to_thread.run_sync(self.store.adopt, self.entry)
        path = path or await to_thread.run_sync(self._find_elsewhere)
        if path is not None:
            return path
        failures: list[ModelError] = []
        for spec in self.entry.sources:
            source = self.open_source(spec)
            try:
                return await self._try(source)
            except (
                SourceUnavailableError,
                CorruptDownloadError,
                InvalidGGUFError,
                InvalidWeightsError,
            ) as error:
                failures.append(error)
                self.tell.event(PullPhase.SOURCE_FAILED, source=source.name, detail=str(error))
                _LOG.warning(
                    "pull.source_failed",
                    extra={"alias": self.entry.alias, "source": source.name, "error": str(error)},
                )
        raise SourcesExhaustedError(alias=self.entry.reference, failures=failures)

    def _find_elsewhere(self) -> Path | None:
        return adopt_in_place(
            self.entry,
            store=self.store,
            places=self.places,
            report=lambda done, total: self._report_hashing("in place", done, total),
        )

    async def _try(self, source: Source) -> Path:
        partial = self.store.partial(self.entry)
        had_bytes = await to_thread.run_sync(lambda: partial.size_bytes)
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
        arrival = await source.fetch(
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
        self.tell.revision = arrival.revision
        sha256 = await to_thread.run_sync(lambda: self._verify(source, partial, arrival))
        name = source.name if arrival.revision is None else f"{source.name}@{arrival.revision}"
        return await to_thread.run_sync(
            lambda: self.store.publish(self.entry, partial, sha256=sha256, source=name)
        )

    def _verify(self, source: Source, partial: PartialFile, arrival: Arrival) -> str:
        """Hash the file as it lies on the disk, not as it came over the wire."""
        expected = self.entry.sha256 or arrival.sha256
        hashed = hash_file(
            partial.path,
            report=lambda done, total: self._report_hashing(source.name, done, total),
        )
        actual = hashed.sha256
        if expected not in {None, actual}:
            partial.discard()
            raise CorruptDownloadError(
                source=source.name, expected=f"sha256 {expected}", actual=f"sha256 {actual}"
            )
        if self.entry.sha256 is None:
            try:
                require_model(partial.path, format=self.entry.format)
            except (InvalidGGUFError, InvalidWeightsError):
                partial.discard()
                raise
        return actual

    def _report_hashing(self, source: str, done: int, total: int) -> None:
        """Tell the event loop how far a thread has come; a cancelled pull ends the thread here."""
        from_thread.check_cancelled()
        from_thread.run_sync(self._report, PullPhase.VERIFYING, source, done, total)

    def _report(self, phase: PullPhase, source: str, done: int, total: int | None) -> None:
        self.tell.advance(
            phase,
            source=source,
            done_bytes=done,
            total_bytes=total,
            now_s=anyio.current_time(),
        )
