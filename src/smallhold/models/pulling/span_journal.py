"""Writing a file at several places at once: this file holds the journal of what has arrived.

A process that is killed has written what it wrote, so a line in the journal after each write is
enough to know it. A power cut may lose any write that was not waited for, the line or the bytes.
So a journal begins with the spans that are on the disk for certain, and the lines after them count
only as long as the machine has not been started anew.
"""

from __future__ import annotations

import json
import os
import re
import threading
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, Self, cast

import psutil

from smallhold.models.atomic_file import replace_file
from smallhold.models.pulling.byte_spans import NOTHING, Span, Spans, joined, merged

SYNC_EVERY_BYTES: Final = 32 << 20
"""A power cut costs at most so many bytes of what had arrived, and those of `SYNC_EVERY_S`."""
SYNC_EVERY_S: Final = 10.0

_JOURNAL_MAX_BYTES: Final = 16 << 20
_LINE: Final = re.compile(rb"(\d{1,19}) (\d{1,19})")
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


@cache
def this_boot() -> str:
    """Name of the time since the machine was started."""
    try:
        return _BOOT_ID.read_text("ascii").strip()
    except (OSError, ValueError):
        return f"{psutil.boot_time():.0f}"


def read_journal(path: Path, *, boot: str) -> Spans | None:
    """Read which bytes have arrived; `None` where there is no journal.

    A journal that makes no sense says that nothing has.
    """
    try:
        with path.open("rb") as file:
            head, *lines = file.read(_JOURNAL_MAX_BYTES).split(b"\n")
    except FileNotFoundError:
        return None
    base, written_in = _read_head(head)
    if written_in != boot:
        return merged(base)
    # What follows the last line break is a line that was cut short.
    return merged((*base, *_read_lines(lines[:-1])))


class SpanWriter:
    """Writes bytes at any place of a file and notes them down; usable from several threads."""

    def __init__(
        self,
        *,
        file: Path,
        journal: Path,
        spans: Spans,
        sync_every_bytes: int = SYNC_EVERY_BYTES,
    ) -> None:
        """Go on with a file of which `spans` have arrived."""
        self._journal = journal
        self._sync_every_bytes = sync_every_bytes
        self._lock = threading.Lock()
        self._syncing = threading.Lock()
        self._spans = spans
        self._late: list[bytes] = []
        self._late_bytes = 0
        self._synced_s = time.monotonic()
        self._lines = -1
        self._file = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            self.sync()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        """Write inside the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the files; what was noted down stays."""
        self.close()

    @property
    def spans(self) -> Spans:
        """What has arrived."""
        return self._spans

    def write(self, offset: int, data: bytes) -> None:
        """Put bytes into their place, and now and then wait until all are on the disk."""
        _write_all(self._file, data, offset)
        end = offset + len(data)
        line = b"%d %d\n" % (offset, end)
        with self._lock:
            _write_all(self._lines, line, None)
            self._spans = joined(self._spans, (offset, end))
            self._late.append(line)
            self._late_bytes += len(data)
            is_due = self._is_due()
        if is_due and self._syncing.acquire(blocking=False):
            try:
                self._sync()
            finally:
                self._syncing.release()

    def sync(self) -> None:
        """Wait until all bytes are on the disk, and begin the journal anew with that."""
        with self._syncing:
            self._sync()

    def close(self) -> None:
        """Close the files."""
        for handle in (self._file, self._lines):
            if handle >= 0:
                os.close(handle)
        self._file = self._lines = -1

    def _is_due(self) -> bool:
        waited_s = time.monotonic() - self._synced_s
        return self._late_bytes >= self._sync_every_bytes or waited_s >= SYNC_EVERY_S

    def _sync(self) -> None:
        with self._lock:
            spans, self._late, self._late_bytes = self._spans, [], 0
            self._synced_s = time.monotonic()
        # Outside of the lock: other threads go on writing while this one waits for the disk.
        os.fsync(self._file)
        with self._lock:
            replace_file(self._journal, b"".join((_head(spans), *self._late)))
            handle = os.open(self._journal, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
            if self._lines >= 0:
                os.close(self._lines)
            self._lines = handle


def _head(spans: Spans) -> bytes:
    return json.dumps({"version": 1, "boot": this_boot(), "spans": spans}).encode() + b"\n"


def _read_head(line: bytes) -> tuple[Spans, str]:
    try:
        document: Any = json.loads(line)
    except ValueError:
        return NOTHING, ""
    if not isinstance(document, dict):
        return NOTHING, ""
    fields = cast("Mapping[str, Any]", document)
    boot, spans = fields.get("boot"), fields.get("spans")
    if fields.get("version") != 1 or not isinstance(boot, str) or not isinstance(spans, list):
        return NOTHING, ""
    pairs = cast("list[object]", spans)
    return tuple(span for pair in pairs if (span := _span(pair)) is not None), boot


def _span(pair: object) -> Span | None:
    if not isinstance(pair, list):
        return None
    match cast("list[object]", pair):
        case [int() as start, int() as end]:
            return start, end
        case _:
            return None


def _read_lines(lines: Sequence[bytes]) -> Spans:
    matches = (_LINE.fullmatch(line) for line in lines)
    return tuple((int(match[1]), int(match[2])) for match in matches if match)


def _write_all(handle: int, data: bytes, offset: int | None) -> None:
    view = memoryview(data)
    while view:
        count = os.write(handle, view) if offset is None else os.pwrite(handle, view, offset)
        view = view[count:]
        offset = None if offset is None else offset + count
