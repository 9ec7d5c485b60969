"""Whether a file is still the one that was hashed: this file holds the `FileStamp`."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class FileStamp:
    """What the system says of a file without its being read.

    It does not prove that the bytes are the same: who may write a file may also set its time. The
    proof is `ModelStore.verify`, which reads the whole file.
    """

    size_bytes: int
    mtime_ns: int
    inode: int

    @classmethod
    def of_status(cls, status: os.stat_result) -> Self:
        """The stamp of an open file."""
        return cls(size_bytes=status.st_size, mtime_ns=status.st_mtime_ns, inode=status.st_ino)

    @classmethod
    def of(cls, path: Path) -> Self | None:
        """The stamp of what a path leads to, or `None` when that is no file."""
        try:
            status = path.stat()
        except OSError:
            return None
        return cls.of_status(status) if stat.S_ISREG(status.st_mode) else None

    def difference(self, path: Path) -> str | None:
        """Say what has become of the file, or `None` when it is the same; a link is not."""
        try:
            status = path.lstat()
        except OSError as error:
            return f"cannot be found ({error.strerror})"
        if not stat.S_ISREG(status.st_mode):
            return "is not a file any more"
        if status.st_size != self.size_bytes:
            return f"has {status.st_size:,} bytes instead of {self.size_bytes:,}"
        if (status.st_mtime_ns, status.st_ino) != (self.mtime_ns, self.inode):
            return "was written or replaced since it was hashed"
        return None
