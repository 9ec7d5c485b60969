"""Models on this machine, found by what they contain: this file holds the `ModelStore`.

Layout under the root::

    blobs/sha256-<64 hex digits>   whole models, checked before they got this name
    records/<alias>.json           which alias is which blob, and where it came from
    partial/, locks/               models that are arriving, one lock for each

Reading needs no right to write, so a store on a read-only disk serves the models that are in it.
"""

from __future__ import annotations

import errno
import logging
import re
import shutil
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import filelock

from smallhold.exceptions import (
    ConfigError,
    ModelNotInstalledError,
    StoreBusyError,
    StoreFullError,
    StoreNotWritableError,
)
from smallhold.models.catalog import CatalogEntry
from smallhold.models.partial_file import PartialFile, replace_file
from smallhold.models.store_record import StoreRecord

ROOM_RESERVE_BYTES: Final = 16 << 20
"""Left free on the disk, so that a pull cannot starve logs and sessions of their last bytes."""

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_DISK_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_NOT_WRITABLE: Final = frozenset({
    errno.EACCES,
    errno.EEXIST,
    errno.EIO,
    errno.ENOTDIR,
    errno.EPERM,
    errno.EROFS,
})
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledModel:
    """A model that is in the store."""

    alias: str
    sha256: str
    size_bytes: int
    path: Path
    quantization: str
    source: str
    """Name of the source that delivered it; empty when another alias had fetched it."""
    is_verified: bool
    """Whether its sha256 was known before it arrived."""


def disk_free_bytes(path: Path) -> int:
    """Bytes that this user may still write to the disk of `path`, which need not exist yet."""
    folder = path
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


class ModelStore:
    """A folder of models."""

    def __init__(self, root: Path, *, free_bytes: Callable[[Path], int] = disk_free_bytes) -> None:
        self.root = root
        self._free_bytes = free_bytes

    def find(self, entry: CatalogEntry) -> Path | None:
        """Path of the entry's file, or `None` when it is not here. Nothing is hashed again."""
        sha256 = entry.sha256 or self._recorded_digest(entry.alias)
        if sha256 is None:
            return None
        path = self.blob_path(sha256)
        if not path.is_file():
            return None
        # Only a foreign hand can change a blob's size; better to fetch than to load the wreck.
        fits = entry.size_bytes is None or path.stat().st_size == entry.size_bytes
        return path if fits else None

    def require(self, entry: CatalogEntry) -> Path:
        """Path of the entry's file.

        Raises:
            ModelNotInstalledError: It is not here.
        """
        path = self.find(entry)
        if path is None:
            raise ModelNotInstalledError(alias=entry.alias)
        return path

    def installed(self) -> tuple[InstalledModel, ...]:
        """Models that have a record and a blob, by alias."""
        models: list[InstalledModel] = []
        for file in sorted(self._path("records").glob("*.json")):
            record = StoreRecord.read(file)
            if record is None:
                _LOG.warning("store.record_unreadable", extra={"file": str(file)})
                continue
            path = self.blob_path(record.sha256)
            if path.is_file():
                models.append(
                    InstalledModel(
                        alias=record.alias,
                        sha256=record.sha256,
                        size_bytes=path.stat().st_size,
                        path=path,
                        quantization=record.quantization,
                        source=record.source,
                        is_verified=record.is_verified,
                    )
                )
        return tuple(models)

    def blob_path(self, sha256: str) -> Path:
        """Where the file with this digest lies, or would lie.

        Raises:
            ConfigError: Not 64 lower-case hexadecimal digits.
        """
        if not _DIGEST.fullmatch(sha256):
            raise ConfigError(
                field="sha256", value=sha256, remedy="write 64 lower-case hexadecimal digits"
            )
        return self._path("blobs", f"sha256-{sha256}")

    def partial(self, entry: CatalogEntry) -> PartialFile:
        """The arriving file of an entry; write to it only under the entry's lock."""
        return self._partial(_key(entry))

    def lock(self, entry: CatalogEntry) -> filelock.FileLock:
        """Lock between processes for fetching or removing an entry, not yet taken."""
        return self._lock(_key(entry))

    def require_room(self, size_bytes: int) -> None:
        """Check that the disk has room for so many more bytes.

        Raises:
            StoreFullError: It has not.
        """
        free_bytes = self._free_bytes(self.root)
        needed_bytes = size_bytes + ROOM_RESERVE_BYTES
        if size_bytes > 0 and free_bytes < needed_bytes:
            raise StoreFullError(
                path=str(self.root), needed_bytes=needed_bytes, free_bytes=free_bytes
            )

    def publish(
        self, entry: CatalogEntry, partial: PartialFile, *, sha256: str, source: str
    ) -> Path:
        """Turn a checked arrival into a model of the store."""
        target = self.blob_path(sha256)
        # A record without its blob says nothing, so the blob comes last and completes the pair.
        self._write_record(entry, sha256=sha256, source=source)
        partial.promote(target)
        return target

    def adopt(self, entry: CatalogEntry) -> Path | None:
        """Find an entry like `find`, and note down its alias when another alias fetched its file.

        On a read-only disk the note is left out; the file is usable all the same.
        """
        path = self.find(entry)
        sha256 = entry.sha256
        if path is not None and sha256 and self._recorded_digest(entry.alias) != sha256:
            refusals = suppress(StoreNotWritableError, StoreFullError)
            with refusals, self.translated_errors(needed_bytes=0):
                self._write_record(entry, sha256=sha256, source="")
        return path

    def remove(self, alias: str) -> int:
        """Forget a model, and delete its blob unless another alias needs it.

        Returns:
            The bytes freed.

        Raises:
            ModelNotInstalledError: There is no such model here.
            StoreBusyError: It is just being fetched.
            StoreNotWritableError: The folder is read-only.
        """
        models = self.installed()
        model = next((item for item in models if item.alias == alias), None)
        if model is None:
            raise ModelNotInstalledError(alias=alias)
        key = f"sha256-{model.sha256}" if model.is_verified else f"alias-{alias}"
        with self.translated_errors(needed_bytes=0), self._held(key):
            self._record_path(alias).unlink(missing_ok=True)
            if any(item.sha256 == model.sha256 for item in models if item.alias != alias):
                return 0
            model.path.unlink(missing_ok=True)
            return model.size_bytes

    def discard_partials(self) -> int:
        """Delete what interrupted pulls left behind, but for those under way right now.

        Returns:
            The bytes freed.

        Raises:
            StoreNotWritableError: The folder is read-only.
        """
        freed_bytes = 0
        with self.translated_errors(needed_bytes=0):
            files = self._path("partial").glob("*")
            for key in sorted({file.name.rpartition(".part")[0] for file in files} - {""}):
                try:
                    with self._held(key):
                        freed_bytes += self._partial(key).discard()
                except StoreBusyError:
                    continue
        return freed_bytes

    @contextmanager
    def translated_errors(self, *, needed_bytes: int) -> Generator[None]:
        """Turn the system's errors while writing into the store's own.

        Raises:
            StoreFullError: The disk, the user's quota or the file's size limit is used up.
            StoreNotWritableError: The folder may not be written, or is no folder.
        """
        try:
            yield
        except OSError as error:
            if error.errno not in _DISK_FULL | _NOT_WRITABLE:
                raise
            if error.errno in _NOT_WRITABLE:
                problem = error.strerror or str(error)
                raise StoreNotWritableError(path=str(self.root), problem=problem) from error
            # A quota is not the disk: what statvfs calls free may not be free for this user.
            is_disk = error.errno == errno.ENOSPC
            free_bytes = self._free_bytes(self.root) if is_disk else 0
            raise StoreFullError(
                path=str(self.root), needed_bytes=needed_bytes, free_bytes=free_bytes
            ) from error

    def _partial(self, key: str) -> PartialFile:
        return PartialFile(self._path("partial", f"{key}.part"))

    def _write_record(self, entry: CatalogEntry, *, sha256: str, source: str) -> None:
        record = StoreRecord(
            alias=entry.alias,
            sha256=sha256,
            quantization=entry.quantization,
            source=source,
            is_verified=entry.sha256 is not None,
        )
        replace_file(self._record_path(entry.alias), record.to_bytes())

    def _recorded_digest(self, alias: str) -> str | None:
        record = StoreRecord.read(self._record_path(alias))
        return None if record is None else record.sha256

    def _record_path(self, alias: str) -> Path:
        return self._path("records", f"{alias}.json")

    def _lock(self, key: str) -> filelock.FileLock:
        return filelock.FileLock(self._path("locks", f"{key}.lock"))

    @contextmanager
    def _held(self, key: str) -> Generator[None]:
        lock = self._lock(key)
        Path(lock.lock_file).parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(blocking=False)
        except filelock.Timeout as error:
            raise StoreBusyError(lock=lock.lock_file, waited_s=0.0) from error
        try:
            yield
        finally:
            lock.release()

    def _path(self, *names: str) -> Path:
        """Join names to the root: the one place where a path of the store is made."""
        for name in names:
            if not _NAME.fullmatch(name):
                raise ConfigError(
                    field="name in the model store",
                    value=name,
                    remedy="begin with a letter or digit, go on with letters, digits and '._-'",
                )
        return self.root.joinpath(*names)


def _key(entry: CatalogEntry) -> str:
    return f"alias-{entry.alias}" if entry.sha256 is None else f"sha256-{entry.sha256}"
