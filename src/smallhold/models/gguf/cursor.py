"""Reading a hostile file without trusting it: this file holds the bounds-checked `GGUFCursor`.

Every read is checked against the file's real size before a byte is allocated for it.
"""

from __future__ import annotations

import struct
from typing import BinaryIO, Final, NoReturn

from smallhold.exceptions import InvalidGGUFError

MAX_HEADER_BYTES: Final = 512 << 20
"""The header must end within the first 512 MiB; the largest vocabularies need about 20 MB."""

U32: Final = struct.Struct("<I")
U64: Final = struct.Struct("<Q")

_WINDOW_BYTES: Final = 64 << 10


class GGUFCursor:
    """A position in a file that can only move forward and never past the end."""

    def __init__(self, file: BinaryIO, *, size_bytes: int, path: str) -> None:
        self.position = 0
        self.path = path
        self._file = file
        self._size_bytes = size_bytes
        self._limit = min(size_bytes, MAX_HEADER_BYTES)
        self._window = b""
        self._window_start = 0

    @property
    def left_bytes(self) -> int:
        """Bytes between the position and the end of the readable region."""
        return self._limit - self.position

    def fail(self, problem: str) -> NoReturn:
        """Refuse the file.

        Raises:
            InvalidGGUFError: Always.
        """
        raise InvalidGGUFError(path=self.path, problem=problem)

    def take(self, count: int, *, what: str) -> bytes:
        """Read `count` bytes that belong to `what`."""
        self._require(count, what=what)
        start = self.position - self._window_start
        if start + count > len(self._window):
            self._refill(at_least=count, what=what)
            start = 0
        self.position += count
        return self._window[start : start + count]

    def skip(self, count: int, *, what: str) -> None:
        """Move over `count` bytes without reading them."""
        self._require(count, what=what)
        self.position += count

    def unpack(self, layout: struct.Struct, *, what: str) -> int | float:
        """Read one number."""
        (value,) = layout.unpack(self.take(layout.size, what=what))
        return value

    def unsigned(self, layout: struct.Struct, *, what: str) -> int:
        """Read one unsigned integer; `layout` must be an integer layout."""
        return int(self.unpack(layout, what=what))

    def count(self, *, what: str, each_at_least_bytes: int, at_most: int) -> int:
        """Read a 64-bit count, refused unless the file could hold that many items."""
        value = self.unsigned(U64, what=what)
        if value > at_most:
            self.fail(f"{what} claims {value:,} items, allowed are {at_most:,}")
        if value * each_at_least_bytes > self.left_bytes:
            self.fail(
                f"{what} claims {value:,} items, which do not fit into {self.left_bytes:,} bytes"
            )
        return value

    def skip_strings(self, count: int, *, what: str) -> None:
        """Move over `count` length-prefixed strings, fast enough for vocabularies."""
        left = count
        while left:
            self._require(U64.size, what=what)
            start = self.position - self._window_start
            if start + U64.size > len(self._window):
                self._refill(at_least=U64.size, what=what)
                start = 0
            passed, advance = _strings_in(self._window, start=start, at_most=left)
            left -= passed
            self._require(advance, what=what)
            self.position += advance

    def _require(self, count: int, *, what: str) -> None:
        if count <= self.left_bytes:
            return
        if self._limit < self._size_bytes:
            self.fail(f"{what} runs past the first {self._limit:,} bytes, where a header must end")
        self.fail(
            f"{what} needs {count:,} bytes at byte {self.position:,}, "
            f"but the file ends at byte {self._size_bytes:,}"
        )

    def _refill(self, *, at_least: int, what: str) -> None:
        self._file.seek(self.position)
        self._window = self._file.read(min(max(at_least, _WINDOW_BYTES), self.left_bytes))
        self._window_start = self.position
        if len(self._window) < at_least:
            self.fail(f"{what} could not be read: the file became shorter meanwhile")


def _strings_in(window: bytes, *, start: int, at_most: int) -> tuple[int, int]:
    """Count strings whose length field lies in the window, with the bytes that they span."""
    read_length = U64.unpack_from
    last = len(window) - U64.size
    position = start
    passed = 0
    while passed < at_most and position <= last:
        position += U64.size + read_length(window, position)[0]
        passed += 1
    return passed, position - start
