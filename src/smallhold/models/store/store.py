"""Models on this machine, found by what they contain: this file holds the `ModelStore`.

Layout under the root::

    blobs/sha256-<64 hex digits>   whole models, checked before they got this name
    records/<alias>+<variant>.json which model is which file, and where it came from
    uses/, pins/                   when a file was last used, and which models must stay
    partial/, locks/               models that are arriving, and who changes what
    damaged/                       files that were not what their name said

Reading needs no right to write, so a store on a read-only disk serves the models that are in it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from functools import partial as bound
from pathlib import Path
from typing import Final

import filelock

from smallhold.exceptions import ModelChangedError, ModelNotInstalledError, StoreBusyError
from smallhold.models.catalog.catalog import CatalogEntry
from smallhold.models.pulling.partial_file import PartialFile
from smallhold.models.store.blobs import StoreBlobs
from smallhold.models.store.file_digest import HashedFile, ReportBytes, hash_file, ignore_bytes
from smallhold.models.store.file_stamp import FileStamp
from smallhold.models.store.guard import StoreGuard, disk_free_bytes
from smallhold.models.store.installed import InstalledModel, installed_model, model_named
from smallhold.models.store.layout import StoreLayout, blob_name, file_name
from smallhold.models.store.marks import StoreMarks
from smallhold.models.store.record import PlaceRecord, StoreRecord
from smallhold.models.store.records import StoreRecords
from smallhold.models.store.trimming import StoredBlob, TrimPlan, plan_trim
from smallhold.settings import Settings

_BLOCK_BYTES: Final = 512
"""What `st_blocks` counts. Source: stat(2)."""

_LOG = logging.getLogger(__name__)


class ModelStore:
    """A folder of models."""

    def __init__(
        self,
        root: Path,
        *,
        free_bytes: Callable[[Path], int] = disk_free_bytes,
        verify_on_load: bool = False,
    ) -> None:
        self.root = root
        self.verify_on_load = verify_on_load
        """Whether `verified_path` reads the whole file."""
        self.layout = StoreLayout(root=root)
        self.guard = StoreGuard(self.layout, free_bytes=free_bytes)
        self.records = StoreRecords(self.layout)
        self.marks = StoreMarks(self.layout)
        self.blobs = StoreBlobs(self.layout, records=self.records, marks=self.marks)

    def find(self, entry: CatalogEntry) -> Path | None:
        """Path of the entry's file, or `None` when it is not here. Nothing is hashed again."""
        record = self.records.read(entry)
        sha256 = _digest(entry, record)
        if sha256 is None:
            return None
        path = self.layout.blob(sha256)
        stamp = FileStamp.of(path)
        # Only a foreign hand can change a blob's size; better to fetch than to load the wreck.
        if stamp is not None and entry.size_bytes in {None, stamp.size_bytes}:
            return path
        place = record.place if record and record.sha256 == sha256 else None
        if place is None:
            return None
        difference = place.difference
        if difference is not None:
            extra = {"reference": entry.reference, "path": place.path, "what": difference}
            _LOG.warning("store.place_changed", extra=extra)
            return None
        return Path(place.path)

    def holds(self, entry: CatalogEntry) -> bool:
        """Tell whether `find` finds the entry's file."""
        return self.find(entry) is not None

    def require(self, entry: CatalogEntry) -> Path:
        """Path of the entry's file.

        Raises:
            ModelNotInstalledError: It is not here.
            ModelChangedError: It was used where it lies, and is another file now; the record of it
                is dropped.
        """
        path = self.find(entry)
        if path is not None:
            return path
        record = self.records.read(entry)
        place = None if record is None else record.place
        difference = None if place is None else place.difference
        if record is None or place is None or difference is None:
            raise ModelNotInstalledError(alias=entry.reference)
        self.guard.try_to(lambda: self.records.drop(record))
        raise ModelChangedError(alias=entry.reference, path=place.path, problem=difference)

    def verified_path(self, entry: CatalogEntry) -> Path:
        """Path of the entry's file, to be loaded now; the use of it is noted.

        Where the store was opened with `verify_on_load`, the whole file is read first.

        Raises:
            ModelNotInstalledError: It is not here.
            ModelChangedError: It is not the file that was stored; see `verify`.
        """
        path = self.verify(entry) if self.verify_on_load else self.require(entry)
        self.touch(entry)
        return path

    def verify(self, entry: CatalogEntry, *, report: ReportBytes = ignore_bytes) -> Path:
        """Read the entry's whole file and compare it with what was stored.

        Raises:
            ModelNotInstalledError: It is not here.
            ModelChangedError: It has another sha256. A file of the store is set aside, the record
                of a file elsewhere is dropped, so that a pull fetches it anew.
        """
        path = self.require(entry)
        sha256 = _digest(entry, self.records.read(entry)) or ""
        self._compare(entry.reference, sha256=sha256, path=path, report=report)
        return path

    def verify_installed(
        self, model: InstalledModel, *, report: ReportBytes = ignore_bytes
    ) -> None:
        """Read a model's whole file and compare it with what was stored, as `verify` does.

        Raises:
            ModelChangedError: It has another sha256, or cannot be read.
        """
        self._compare(model.reference, sha256=model.sha256, path=model.path, report=report)

    def installed(self) -> tuple[InstalledModel, ...]:
        """Models that have a record and a file, by reference."""
        models = (
            installed_model(record, layout=self.layout, marks=self.marks)
            for record in self.records.all().values()
        )
        return tuple(model for model in models if model is not None)

    def named(self, name: str) -> InstalledModel:
        """The installed model that an alias or a reference means.

        Raises:
            ModelNotInstalledError: There is none.
            ConfigError: The alias has several files here; the error lists them.
        """
        return model_named(name, self.installed())

    def blob_path(self, sha256: str) -> Path:
        """Where the file with this digest lies, or would lie.

        Raises:
            ConfigError: Not 64 lower-case hexadecimal digits.
        """
        return self.layout.blob(sha256)

    def digest(self, entry: CatalogEntry) -> str | None:
        """The sha256 of the entry's file: the catalog's, or what was learnt when it arrived."""
        return _digest(entry, self.records.read(entry))

    def partial(self, entry: CatalogEntry) -> PartialFile:
        """The arriving file of an entry; write to it only under the entry's lock."""
        return PartialFile(self.layout.partial(_key(entry)))

    def lock(self, entry: CatalogEntry) -> filelock.FileLock:
        """Lock between processes for fetching or removing an entry, not yet taken."""
        return self.guard.lock(_key(entry))

    def claimed(self, entry: CatalogEntry) -> AbstractContextManager[None]:
        """Hold the lock for making or fetching an entry, without waiting for it.

        Raises:
            StoreBusyError: Another process holds it.
        """
        return self.guard.held(_key(entry))

    def require_room(self, size_bytes: int) -> None:
        """Check that the disk has room for so many more bytes.

        Raises:
            StoreFullError: It has not.
        """
        self.guard.require_room(size_bytes)

    def translated_errors(self, *, needed_bytes: int) -> AbstractContextManager[None]:
        """Turn the system's errors while writing into the store's own.

        Raises:
            StoreFullError: The disk, the user's quota or the file's size limit is used up.
            StoreNotWritableError: The folder may not be written, or is no folder.
        """
        return self.guard.translated_errors(needed_bytes=needed_bytes)

    def publish(
        self, entry: CatalogEntry, partial: PartialFile, *, sha256: str, source: str
    ) -> Path:
        """Turn a checked arrival into a model of the store.

        Raises:
            StoreBusyError: Another process has been changing the store for too long.
        """
        target = self.layout.blob(sha256)
        # The bytes reach the disk before anybody has to wait for the lock.
        partial.sync()
        with self.guard.mutex():
            # A record without its file says nothing, so the file comes last and completes the pair.
            self._note(entry, sha256=sha256, source=source)
            self.blobs.put(partial, target)
            self.marks.touch(sha256)
        return target

    def publish_in_place(
        self, entry: CatalogEntry, path: Path, *, hashed: HashedFile, source: str
    ) -> Path:
        """Note down that a file of another program, which was just hashed, is an entry's.

        Raises:
            StoreBusyError: Another process has been changing the store for too long.
            StoreNotWritableError: The store's folder is read-only.
        """
        place = PlaceRecord.of(path, hashed.stamp)
        with self.guard.changing():
            self._note(entry, sha256=hashed.sha256, source=source, place=place)
        return path

    def adopt(self, entry: CatalogEntry) -> Path | None:
        """Find an entry like `find`, and note down its name when another model fetched its file.

        On a read-only disk the note is left out; the file is usable all the same.
        """
        path, sha256 = self.find(entry), entry.sha256
        if sha256 is None:
            return path
        place = None
        if path is None:
            place = self._place_of(sha256)
            path = None if place is None else Path(place.path)
        record = self.records.read(entry)
        if path is not None and (place or record is None or record.sha256 != sha256):
            note = bound(self._note, entry, sha256=sha256, source="", place=place)
            self.guard.try_to(lambda: path.exists() and note())
        return path

    def remove(self, name: str) -> int:
        """Forget a model, and delete its file unless another model needs it or it lies elsewhere.

        Args:
            name: A reference, or an alias that has one file here.

        Returns:
            The bytes freed.

        Raises:
            ModelNotInstalledError: There is no such model here.
            ModelInUseError: Some process has it loaded.
            StoreBusyError: It is just being fetched.
            StoreNotWritableError: The folder is read-only.
        """
        model = self.named(name)
        key = _key_of(model.reference, sha256=model.sha256 if model.is_verified else None)
        # The entry's lock comes before the mutex, here as in a pull.
        with self.translated_errors(needed_bytes=0), self.guard.held(key), self.guard.mutex():
            model = self.named(model.reference)
            freed_bytes = self.blobs.remove(model)
            self.records.drop(self.records.all()[model.reference])
            self.marks.unpin(model.reference)
        return freed_bytes

    def touch(self, entry: CatalogEntry) -> None:
        """Note that an entry is used now; cheap, and without effect on a read-only disk."""
        sha256 = _digest(entry, None if entry.sha256 else self.records.read(entry))
        if sha256 is not None:
            self.marks.touch(sha256)

    def pin(self, name: str) -> InstalledModel:
        """Keep a model from being evicted.

        Raises:
            ModelNotInstalledError: There is no such model here.
            StoreNotWritableError: The folder is read-only.
        """
        model = self.named(name)
        with self.translated_errors(needed_bytes=0):
            self.marks.pin(model.reference)
        return model

    def unpin(self, name: str) -> InstalledModel:
        """Allow a model to be evicted again; it need not have been pinned.

        Raises:
            ModelNotInstalledError: There is no such model here.
            StoreNotWritableError: The folder is read-only.
        """
        model = self.named(name)
        with self.translated_errors(needed_bytes=0):
            self.marks.unpin(model.reference)
        return model

    def in_use(self, path: Path) -> AbstractContextManager[None]:
        """Keep a file of the store from being evicted while it is loaded.

        Holds for all processes, and ends with this one however that ends. A file that is not the
        store's own, such as another program's, needs no such thing and gets none.

        Raises:
            ModelChangedError: The file was evicted between finding and loading it.
        """
        return self.blobs.in_use(path)

    def plan_trim(self, *, limit_bytes: int, keep: Collection[str] = ()) -> TrimPlan:
        """Say what `trim` would evict."""
        blobs = self.blobs.states(self.installed())
        return plan_trim(blobs, limit_bytes=limit_bytes, keep=keep)

    def trim(self, *, limit_bytes: int, keep: Collection[str] = ()) -> TrimPlan:
        """Evict models until the rest fits a limit: the least recently used first.

        What is pinned, loaded or named stays, and so do files of other programs, which do not
        count.

        Args:
            limit_bytes: The disk space that models may take together, in bytes.
            keep: References that stay.

        Returns:
            What was evicted, and what stayed.

        Raises:
            StoreBusyError: Another process has been changing the store for too long.
            StoreNotWritableError: The folder is read-only.
        """
        plan = self.plan_trim(limit_bytes=limit_bytes, keep=keep)
        evicted: list[StoredBlob] = []
        # With nothing to do no lock is taken, so that this works on a read-only disk too.
        while plan.evicted:
            with self.guard.changing():
                # What is loaded may change at any time, so the plan is made anew for each file.
                plan = self.plan_trim(limit_bytes=limit_bytes, keep=keep)
                if plan.evicted and self.blobs.evict(plan.evicted[0]):
                    evicted.append(plan.evicted[0])
                    plan = self.plan_trim(limit_bytes=limit_bytes, keep=keep)
        freed_bytes = sum(blob.size_bytes for blob in evicted)
        return TrimPlan(evicted=tuple(evicted), freed_bytes=freed_bytes, kept_bytes=plan.kept_bytes)

    def partials_bytes(self) -> int:
        """Disk space of what interrupted pulls left, and of those under way, in bytes."""
        files = self.layout.folder("partial").rglob("*")
        return sum(_disk_bytes(file) for file in files)

    def discard_partials(self) -> int:
        """Delete what interrupted pulls left behind, but for those under way right now.

        Returns:
            The bytes freed.

        Raises:
            StoreNotWritableError: The folder is read-only.
        """
        freed_bytes = 0
        with self.translated_errors(needed_bytes=0):
            files = self.layout.folder("partial").glob("*")
            for key in sorted({file.name.rpartition(".part")[0] for file in files} - {""}):
                try:
                    with self.guard.held(key):
                        freed_bytes += PartialFile(self.layout.partial(key)).discard()
                except StoreBusyError:
                    continue
        return freed_bytes

    def _note(
        self, entry: CatalogEntry, *, sha256: str, source: str, place: PlaceRecord | None = None
    ) -> None:
        self.records.write(
            StoreRecord(
                alias=entry.alias,
                sha256=sha256,
                quantization=entry.quantization,
                source=source,
                is_verified=entry.sha256 is not None,
                place=place,
            )
        )

    def _place_of(self, sha256: str) -> PlaceRecord | None:
        """Where another program keeps a file with this digest, if it is noted and unchanged."""
        for record in self.records.all().values():
            place = record.place
            if place and record.sha256 == sha256 and place.difference is None:
                return place
        return None

    def _compare(self, name: str, *, sha256: str, path: Path, report: ReportBytes) -> None:
        try:
            hashed = hash_file(path.resolve(), report=report)
        except OSError as error:
            # What cannot be read now may be read after a remount, so it is left where it is.
            problem = f"cannot be read ({error.strerror})"
            raise ModelChangedError(alias=name, path=str(path), problem=problem) from error
        if hashed.sha256 == sha256:
            return
        _LOG.error("store.digest_differs", extra={"path": str(path), "sha256": hashed.sha256})
        # A pull may have put a sound one in its place meanwhile.
        self.guard.try_to(
            lambda: hashed.stamp.difference(path.resolve()) is None and self.blobs.set_aside(sha256)
        )
        problem = f"has the sha256 {hashed.sha256} instead of {sha256}"
        raise ModelChangedError(alias=name, path=str(path), problem=problem)


def open_store(settings: Settings) -> ModelStore:
    """Open the store that the settings name, with what they say of verifying."""
    return ModelStore(settings.model_store, verify_on_load=settings.verify_on_load)


def _disk_bytes(file: Path) -> int:
    try:
        return file.lstat().st_blocks * _BLOCK_BYTES
    except FileNotFoundError:
        # A pull has just ended.
        return 0


def _digest(entry: CatalogEntry, record: StoreRecord | None) -> str | None:
    return entry.sha256 or (None if record is None else record.sha256)


def _key(entry: CatalogEntry) -> str:
    return _key_of(entry.reference, sha256=entry.sha256)


def _key_of(reference: str, *, sha256: str | None) -> str:
    return f"model-{file_name(reference)}" if sha256 is None else blob_name(sha256)
