"""Reading a whole file to learn its sha256: this file holds `hash_file`."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from smallhold.models.store.file_stamp import FileStamp

ReportBytes: TypeAlias = Callable[[int, int], None]
"""Takes the bytes done and the bytes in all; what it raises ends the work."""

_CHUNK_BYTES: Final = 4 << 20
"""Below 1 MB the calls cost; above, nothing is gained. Source: docs/model-store.md."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HashedFile:
    """A file, and what its bytes are."""

    sha256: str
    stamp: FileStamp
    """As the file was before its first byte was read."""


def ignore_bytes(done_bytes: int, total_bytes: int) -> None:
    """Take no notice of progress."""
    del done_bytes, total_bytes


def hash_file(path: Path, *, report: ReportBytes = ignore_bytes) -> HashedFile:
    """Read a file from its first byte to its last.

    Raises:
        OSError: It cannot be read, is a link or no file at all, or changed while it was read.
    """
    digest = hashlib.sha256()
    buffer = memoryview(bytearray(_CHUNK_BYTES))
    with os.fdopen(open_file(path), "rb", buffering=0) as file:
        stamp = FileStamp.of_status(os.fstat(file.fileno()))
        done_bytes = 0
        while count := file.readinto(buffer):
            digest.update(buffer[:count])
            done_bytes += count
            report(done_bytes, stamp.size_bytes)
        if FileStamp.of_status(os.fstat(file.fileno())) != stamp:
            raise OSError(errno.EBUSY, "it changed while it was read", str(path))
    return HashedFile(sha256=digest.hexdigest(), stamp=stamp)


def open_file(path: Path) -> int:
    """Open a file for reading: a regular one, not a link, a pipe or a device.

    Raises:
        OSError: It is something else, or cannot be opened.
    """
    # Opening a pipe would wait for a writer for ever.
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "it is no regular file", str(path))
    return handle
