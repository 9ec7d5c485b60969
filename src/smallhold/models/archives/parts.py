"""One stream of bytes in one file or in several: this file holds its writer and its reader.

Sticks are often formatted as FAT32, where no file has 4 GiB. So `models.tar` may be
`models.tar.001`, `models.tar.002` and so on, which joined are the same bytes.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

from smallhold.models.atomic_file import sync_folder

MAX_PARTS: Final = 999
_ARRIVING: Final = ".arriving"
_PART: Final = re.compile(r"(.+)\.([0-9]{3})")


def part_path(path: Path, number: int) -> Path:
    """Where part `number` of an archive lies, counted from 1."""
    return path.with_name(f"{path.name}.{number:03}")


def existing_parts(path: Path) -> tuple[Path, ...]:
    """The files of an archive that is named by its whole or by its first part.

    Empty when there is none. Parts behind one that is missing do not count.
    """
    match = _PART.fullmatch(path.name)
    if path.is_file() and (match is None or match[2] != "001"):
        return (path,)
    whole = path.with_name(match[1]) if match else path
    parts: list[Path] = []
    for number in range(1, MAX_PARTS + 1):
        part = part_path(whole, number)
        if not part.is_file():
            break
        parts.append(part)
    return tuple(parts)


class PartWriter:
    """Writes the stream; its files get their names when all is written, and vanish otherwise."""

    def __init__(self, path: Path, *, split_bytes: int | None = None) -> None:
        self._path = path
        self._split_bytes = split_bytes
        self._file: BinaryIO | None = None
        self._room_bytes = 0
        self._written: list[Path] = []
        self._is_finished = False

    def __enter__(self) -> Self:
        """Begin to write, and remove what a killed process left of such an archive."""
        for path in (self._path, *(part_path(self._path, n + 1) for n in range(MAX_PARTS))):
            _arriving(path).unlink(missing_ok=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove what was written, unless `finish` was called."""
        if self._file is not None:
            self._file.close()
        if not self._is_finished:
            for path in self._written:
                _arriving(path).unlink(missing_ok=True)

    def write(self, data: bytes | memoryview) -> None:
        """Add bytes to the stream."""
        view = memoryview(data)
        while view:
            file = self._current()
            count = len(view) if self._split_bytes is None else min(len(view), self._room_bytes)
            file.write(view[:count])
            self._room_bytes -= count
            view = view[count:]

    def finish(self) -> tuple[Path, ...]:
        """Wait until all is on the disk, and give the files their names."""
        self._close_part()
        for path in self._written:
            _arriving(path).replace(path)
        sync_folder(self._path.parent)
        self._is_finished = True
        return tuple(self._written)

    def _current(self) -> BinaryIO:
        if self._file is not None and (self._split_bytes is None or self._room_bytes > 0):
            return self._file
        self._close_part()
        number = len(self._written) + 1
        path = self._path if self._split_bytes is None else part_path(self._path, number)
        self._written.append(path)
        self._file = _arriving(path).open("wb")
        self._room_bytes = self._split_bytes or 0
        return self._file

    def _close_part(self) -> None:
        if self._file is not None:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._file = None


class PartReader:
    """Reads the stream."""

    def __init__(self, parts: Sequence[Path]) -> None:
        self._left = list(parts)
        self._file: BinaryIO | None = None
        self.size_bytes = sum(part.stat().st_size for part in parts)
        """All bytes of the stream."""

    def close(self) -> None:
        """Close what is open."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def read(self, size_bytes: int) -> bytes:
        """Read up to so many bytes; nothing at the end of the last part."""
        while self._file is not None or self._left:
            if self._file is None:
                self._file = self._left.pop(0).open("rb")
            data = self._file.read(size_bytes)
            if data or not size_bytes:
                return data
            self.close()
        return b""

    def read_exactly(self, size_bytes: int) -> bytes:
        """Read so many bytes, or fewer where the stream ends before."""
        chunks: list[bytes] = []
        while size_bytes and (chunk := self.read(size_bytes)):
            chunks.append(chunk)
            size_bytes -= len(chunk)
        return b"".join(chunks)

    def skip(self, size_bytes: int) -> None:
        """Go on so many bytes without reading them."""
        while size_bytes and (self._file is not None or self._left):
            if self._file is None:
                self._file = self._left.pop(0).open("rb")
            here = self._file.tell()
            end = os.fstat(self._file.fileno()).st_size
            step = min(size_bytes, max(0, end - here))
            self._file.seek(here + step)
            size_bytes -= step
            if size_bytes:
                self.close()


def _arriving(path: Path) -> Path:
    return path.with_name(f"{path.name}{_ARRIVING}")
