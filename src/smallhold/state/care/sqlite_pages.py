"""The pages of a damaged SQLite file: this file holds their reader.

Only for a file that nobody has open: closing it would drop the locks that SQLite holds on it in
this process. Pages that are in the write-ahead log count as they are there, up to the last
transaction that is whole.

Source: SQLite documentation, "Database File Format", sections 1.3 (head) and 4 (log).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

from smallhold.state.care.sqlite_records import FILE_HEAD_BYTES

MAGIC: Final = b"SQLite format 3\x00"
USUAL_PAGE_BYTES: Final = 4096
"""What SQLite makes unless it is told otherwise; assumed where the head is lost."""
_PAGE_SIZES: Final = frozenset(2**power for power in range(9, 17))
_LARGEST: Final = 65_536
_RESERVED_AT: Final = 20
_RESERVED_LIMIT: Final = 32
"""SQLite reserves nothing by itself, and extensions a few bytes."""
_LOG_HEAD: Final = struct.Struct(">8I")
_FRAME_HEAD: Final = struct.Struct(">6I")
_LOG_MAGIC: Final = 0x377F0682
"""The log's sums are of little-endian words; of big-endian ones with the last bit set."""
_WORD: Final = 0xFFFFFFFF


class PageFile:
    """A file and its log, page by page. To be used in a `with` block."""

    def __init__(self, path: Path) -> None:
        """Name the file; nothing is opened yet."""
        self._path = path
        self._stack = ExitStack()
        self._logged: dict[int, int] = {}
        self._log: BinaryIO | None = None

    def __enter__(self) -> Self:
        """Open the file and read its log."""
        self._file = self._stack.enter_context(self._path.open("rb"))
        head = self._file.read(FILE_HEAD_BYTES)
        self.page_bytes = _page_bytes(head)
        """Size of a page."""
        reserved = head[_RESERVED_AT] if head.startswith(MAGIC) else 0
        self.usable_bytes = self.page_bytes - (reserved if reserved <= _RESERVED_LIMIT else 0)
        """What trees use of a page."""
        log = self._path.with_name(f"{self._path.name}-wal")
        if log.exists():
            self._log = self._stack.enter_context(log.open("rb"))
            self._logged = dict(_frames(self._log, page_bytes=self.page_bytes))
        self._count = max(-(-self._path.stat().st_size // self.page_bytes), *self._logged, 0)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the file."""
        self._stack.close()

    def page(self, number: int) -> bytes | None:
        """Read a page by its number, from 1; `None` where there is none."""
        if not 1 <= number <= self._count:
            return None
        if number in self._logged and self._log is not None:
            self._log.seek(self._logged[number])
            return self._log.read(self.page_bytes)
        self._file.seek((number - 1) * self.page_bytes)
        return self._file.read(self.page_bytes)

    def pages(self) -> Iterator[tuple[int, bytes]]:
        """Read all pages, with their numbers."""
        for number in range(1, self._count + 1):
            page = self.page(number)
            if page:
                yield number, page


def _page_bytes(head: bytes) -> int:
    if not head.startswith(MAGIC):
        return USUAL_PAGE_BYTES
    size = int.from_bytes(head[16:18], "big")
    size = _LARGEST if size == 1 else size
    return size if size in _PAGE_SIZES else USUAL_PAGE_BYTES


def _frames(log: BinaryIO, *, page_bytes: int) -> Iterator[tuple[int, int]]:
    """List the pages of all transactions that are whole, each with its place in the log."""
    head = log.read(_LOG_HEAD.size)
    if len(head) < _LOG_HEAD.size:
        return
    magic, _, size, _, *salts, _, _ = _LOG_HEAD.unpack(head)
    order = ">" if magic & 1 else "<"
    if magic & ~1 != _LOG_MAGIC or size != page_bytes:
        return
    sums = _sums(head[:24], (0, 0), order)
    unfinished: list[tuple[int, int]] = []
    while len(frame := log.read(_FRAME_HEAD.size + page_bytes)) == _FRAME_HEAD.size + page_bytes:
        number, commit, one, other, *stored = _FRAME_HEAD.unpack(frame[: _FRAME_HEAD.size])
        sums = _sums(frame[:8] + frame[_FRAME_HEAD.size :], sums, order)
        if [one, other] != salts or stored != list(sums):
            return
        unfinished.append((number, log.tell() - page_bytes))
        if commit:
            yield from unfinished
            unfinished.clear()


def _sums(data: bytes, sums: tuple[int, int], order: str) -> tuple[int, int]:
    first, second = sums
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for even, odd in zip(words[::2], words[1::2], strict=True):
        first = (first + even + second) & _WORD
        second = (second + odd + first) & _WORD
    return first, second
