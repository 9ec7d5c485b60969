"""What a store has that nobody needs: this file holds its collection."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from smallhold.models.catalog.catalog import CatalogEntry
from smallhold.models.store.store import ModelStore
from smallhold.models.store.trimming import StoredBlob


@dataclass(frozen=True, slots=True, kw_only=True)
class GarbageReport:
    """What a collection deleted, or would delete."""

    orphans: tuple[Path, ...] = ()
    """Files that no record speaks of."""
    stale_records: tuple[str, ...] = ()
    """References of models whose file is gone or was changed."""
    damaged: tuple[Path, ...] = ()
    """Files that were set aside since they were not what their name said."""
    partials_bytes: int = 0
    """What interrupted pulls left, and what they can go on from."""
    evicted: tuple[StoredBlob, ...] = ()
    """Models for which there was no room under the limit."""
    kept_bytes: int = 0
    """What all models of the store take up now."""
    freed_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rubbish:
    orphans: tuple[Path, ...]
    damaged: tuple[Path, ...]
    records: tuple[Path, ...]
    stale: tuple[str, ...]


def collect_garbage(
    store: ModelStore,
    *,
    known: Iterable[CatalogEntry] = (),
    limit_bytes: int | None = None,
    is_dry_run: bool = False,
) -> GarbageReport:
    """Delete what nobody needs, and then models for which there is no room.

    That is: files without a record, records without a file, and files that were set aside. What
    interrupted pulls left is kept for them; `ModelStore.discard_partials` deletes it.

    Args:
        store: Where to collect.
        known: A file without a record that is one of these gets its record instead.
        limit_bytes: The disk space that models may take, in bytes; `None` is no limit.
        is_dry_run: Only say what would be deleted.

    Raises:
        StoreBusyError: Another process has been changing the store for too long.
        StoreNotWritableError: The folder is read-only.
    """
    wanted = {entry.sha256: entry for entry in known if entry.sha256 is not None}
    freed_bytes = 0
    with nullcontext() if is_dry_run else store.guard.changing():
        rubbish = _rubbish(store, wanted=frozenset(wanted))
        if is_dry_run:
            freed_bytes = sum(path.stat().st_size for path in (*rubbish.orphans, *rubbish.damaged))
        else:
            freed_bytes = _delete(store, rubbish)
    if not is_dry_run:
        for path in store.blobs.without_record():
            entry = wanted.get(store.blobs.digest_at(path) or "")
            if entry is not None:
                store.adopt(entry)
    room = store.plan_trim if is_dry_run else store.trim
    plan = None if limit_bytes is None else room(limit_bytes=limit_bytes)
    return GarbageReport(
        orphans=rubbish.orphans,
        stale_records=rubbish.stale,
        damaged=rubbish.damaged,
        partials_bytes=store.partials_bytes(),
        evicted=() if plan is None else plan.evicted,
        kept_bytes=_stored_bytes(store) if plan is None else plan.kept_bytes,
        freed_bytes=freed_bytes + (0 if plan is None else plan.freed_bytes),
    )


def _rubbish(store: ModelStore, *, wanted: frozenset[str]) -> _Rubbish:
    records = store.records.all()
    here = {model.reference for model in store.installed()}
    orphans = (
        path for path in store.blobs.without_record() if store.blobs.digest_at(path) not in wanted
    )
    return _Rubbish(
        orphans=tuple(orphans),
        damaged=tuple(sorted(store.layout.folder("damaged").glob("*"))),
        # Text without a digest protects nothing, and says nothing to any version.
        records=(
            *store.records.leftovers(),
            *(path for path, digests in store.records.unreadable().items() if not digests),
        ),
        stale=tuple(reference for reference in records if reference not in here),
    )


def _delete(store: ModelStore, rubbish: _Rubbish) -> int:
    freed_bytes = sum(store.blobs.discard(path) for path in rubbish.orphans)
    for path in rubbish.damaged:
        freed_bytes += path.stat().st_size
        path.unlink()
    for path in rubbish.records:
        path.unlink(missing_ok=True)
    records = store.records.all()
    for reference in rubbish.stale:
        store.records.drop(records[reference])
    digests = {record.sha256 for record in store.records.all().values()}
    for path in store.marks.uses_but(frozenset(digests)):
        path.unlink(missing_ok=True)
    return freed_bytes


def _stored_bytes(store: ModelStore) -> int:
    return sum(blob.size_bytes for blob in store.blobs.states(store.installed()))
