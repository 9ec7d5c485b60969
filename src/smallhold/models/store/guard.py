"""Who may change a store, and what stands against it: this file holds the `StoreGuard`."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import filelock

from smallhold.exceptions import StoreBusyError, StoreFullError, StoreNotWritableError
from smallhold.models.store.layout import StoreLayout

ROOM_RESERVE_BYTES: Final = 16 << 20
"""Left free on the disk, so that a pull cannot starve logs and sessions of their last bytes."""

MUTEX_LIMIT_S: Final = 60.0
"""How long to wait for another process that changes the store; each such change is a few renames
and waits for the disk."""

ARRIVAL_LIMIT_S: Final = 600.0
"""How long to wait for another process that brings the same file from a disk."""

DISK_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""The disk, the user's quota or the size of a file is used up."""

NOT_WRITABLE: Final = frozenset({
    errno.EACCES,
    errno.EEXIST,
    errno.EIO,
    errno.ENOTDIR,
    errno.EPERM,
    errno.EROFS,
})
"""The folder may not be written, or is no folder."""

_MUTEX: Final = "store"


def disk_free_bytes(path: Path) -> int:
    """Bytes that this user may still write to the disk of `path`, which need not exist yet."""
    folder = path
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


class StoreGuard:
    """Locks between processes, and errors of the disk, for one store."""

    def __init__(
        self, layout: StoreLayout, *, free_bytes: Callable[[Path], int] = disk_free_bytes
    ) -> None:
        self._layout = layout
        self._free_bytes = free_bytes

    def require_room(self, size_bytes: int) -> None:
        """Check that the disk has room for so many more bytes.

        Raises:
            StoreFullError: It has not.
        """
        root = self._layout.root
        free_bytes = self._free_bytes(root)
        needed_bytes = size_bytes + ROOM_RESERVE_BYTES
        if size_bytes > 0 and free_bytes < needed_bytes:
            raise StoreFullError(path=str(root), needed_bytes=needed_bytes, free_bytes=free_bytes)

    @contextmanager
    def translated_errors(self, *, needed_bytes: int) -> Generator[None]:
        """Turn the system's errors while writing into the store's own.

        Raises:
            StoreFullError: The disk, the user's quota or the file's size limit is used up.
            StoreNotWritableError: The folder may not be written, or is no folder.
        """
        root = self._layout.root
        try:
            yield
        except OSError as error:
            if error.errno in NOT_WRITABLE:
                problem = error.strerror or str(error)
                raise StoreNotWritableError(path=str(root), problem=problem) from error
            if error.errno not in DISK_FULL:
                raise
            # A quota is not the disk: what statvfs calls free may not be free for this user.
            free_bytes = self._free_bytes(root) if error.errno == errno.ENOSPC else 0
            raise StoreFullError(
                path=str(root), needed_bytes=needed_bytes, free_bytes=free_bytes
            ) from error

    def try_to(self, change: Callable[[], object]) -> bool:
        """Make a change, and tell whether that was possible; on a read-only disk it is not.

        Raises:
            StoreBusyError: Another process has held the mutex for too long.
        """
        try:
            with self.changing():
                change()
        except (StoreNotWritableError, StoreFullError):
            return False
        return True

    @contextmanager
    def changing(self) -> Generator[None]:
        """Hold the mutex, with errors translated.

        Raises:
            StoreBusyError: Another process has held it for too long.
            StoreFullError: The disk is full.
            StoreNotWritableError: The folder is read-only.
        """
        with self.translated_errors(needed_bytes=0), self.mutex():
            yield

    @contextmanager
    def mutex(self) -> Generator[None]:
        """Be the only one to change records and files; held for moments, after any other lock.

        Raises:
            StoreBusyError: Another process has held it for too long.
        """
        with self._locked(_MUTEX, timeout_s=MUTEX_LIMIT_S):
            yield

    @contextmanager
    def held(self, key: str) -> Generator[None]:
        """Hold the lock of what arrives under a key, without waiting for it.

        Raises:
            StoreBusyError: Another process holds it.
        """
        with self._locked(key, timeout_s=0.0):
            yield

    @contextmanager
    def waiting(self, key: str) -> Generator[None]:
        """Hold the lock of what arrives under a key, once other processes are done with it.

        Raises:
            StoreBusyError: Another process has held it for too long.
        """
        with self._locked(key, timeout_s=ARRIVAL_LIMIT_S):
            yield

    def lock(self, key: str) -> filelock.FileLock:
        """The lock of what arrives under a key, not yet taken."""
        return filelock.FileLock(self._layout.lock(key))

    @contextmanager
    def _locked(self, key: str, *, timeout_s: float) -> Generator[None]:
        lock = self.lock(key)
        Path(lock.lock_file).parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=timeout_s)
        except filelock.Timeout as error:
            raise StoreBusyError(lock=lock.lock_file, waited_s=timeout_s) from error
        try:
            yield
        finally:
            lock.release()
