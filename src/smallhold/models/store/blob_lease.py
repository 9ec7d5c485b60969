"""Who uses a file right now: this file holds leases on the files of models.

A lease is the system's own advisory lock on the file itself (`flock`), shared by all who use it.
The system gives it back when its holder ends, however that comes, so a killed process leaves
nothing behind; it needs no right to write, so it works on a read-only disk too.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_NO_LOCKS: Final = frozenset({errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL})
"""What file systems say that have no locks. Source: flock(2) and what FUSE hands through."""

_LOG = logging.getLogger(__name__)


@contextmanager
def shared_lease(path: Path) -> Generator[None]:
    """Keep a file from being evicted while it is used; any number of processes may.

    Raises:
        FileNotFoundError: The file is not there, or was removed in this very moment.
    """
    handle = _leased(path)
    try:
        yield
    finally:
        os.close(handle)


@contextmanager
def sole_lease(path: Path) -> Generator[bool]:
    """Keep others from beginning to use a file, if nobody uses it; this never waits.

    Yields:
        Whether nobody uses it. Where the file system has no locks nobody can know: `False`.

    Raises:
        FileNotFoundError: The file is not there.
    """
    handle = _open_for_sole_lease(path)
    try:
        yield _locked(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(handle)


def is_leased(path: Path) -> bool:
    """Whether some process uses the file, or nobody can know; `False` when there is no file."""
    try:
        with sole_lease(path) as is_free:
            return not is_free
    except FileNotFoundError:
        return False


def _leased(path: Path) -> int:
    while True:
        handle = os.open(path, os.O_RDONLY)
        try:
            if not _locked(handle, fcntl.LOCK_SH):
                _LOG.warning("store.no_locks", extra={"path": str(path)})
            # Between opening and locking, the file may have been evicted or replaced.
            if os.path.samestat(os.fstat(handle), path.stat()):
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _open_for_sole_lease(path: Path) -> int:
    try:
        # On NFS, only a handle for writing can hold a sole lock.
        return os.open(path, os.O_RDWR)
    except PermissionError:
        return os.open(path, os.O_RDONLY)
    except OSError as error:
        if error.errno != errno.EROFS:
            raise
        return os.open(path, os.O_RDONLY)


def _locked(handle: int, operation: int) -> bool:
    try:
        fcntl.flock(handle, operation)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        return False
    return True
