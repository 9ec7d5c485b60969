"""A model that is still arriving: this file holds the `PartialFile`.

The bytes lie in one file, what is needed to go on after an interruption in small ones beside it:
notes on where they come from and, when they arrive at several places at once, a journal of those.
None is trusted: whatever arrived is hashed as a whole before it becomes a model.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, cast

from smallhold.models.atomic_file import replace_file, sync_folder
from smallhold.models.pulling.byte_spans import NOTHING, Spans, clipped, covered_bytes
from smallhold.models.pulling.span_journal import SpanWriter, read_journal, this_boot

_NOTES_MAX_BYTES: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class PartialNotes:
    """How a partial file came to be."""

    source: str
    """Name of the source that the bytes came from."""
    etag: str | None = None
    """What the source called this version of the file."""
    whole_parts: int = 0
    """For sources in parts: how many have arrived as a whole."""
    whole_bytes: int = 0
    """For sources in parts: bytes of those parts together."""


class PartialFile:
    """An arriving file; only the holder of the store's lock for it may write."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._notes_path = path.with_name(f"{path.name}.json")
        self._journal_path = path.with_name(f"{path.name}.journal")
        self.scratch = path.with_name(f"{path.name}.scratch")
        """Folder for a source's own intermediate files; emptied by `clear_scratch`."""

    @property
    def size_bytes(self) -> int:
        """Bytes that have arrived; 0 when there is no file."""
        return covered_bytes(self.spans)

    @property
    def spans(self) -> Spans:
        """Which bytes have arrived."""
        end = self._end()
        if not end:
            return NOTHING
        spans = read_journal(self._journal_path, boot=this_boot())
        return ((0, end),) if spans is None else clipped(spans, end=end)

    @property
    def notes(self) -> PartialNotes | None:
        """Notes on the bytes, or `None` where there are none that make sense."""
        try:
            with self._notes_path.open("rb") as file:
                return _notes_from(json.loads(file.read(_NOTES_MAX_BYTES)))
        except (FileNotFoundError, ValueError):
            return None

    def restart(self, notes: PartialNotes) -> None:
        """Throw away what arrived and begin again."""
        self.resume_at(0, notes)

    def resume_at(self, size_bytes: int, notes: PartialNotes) -> None:
        """Cut the file to `size_bytes`, all of which arrived, and go on from there in order."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab") as file:
            file.truncate(size_bytes)
        # After the file, or else its holes would count as bytes that arrived.
        self._journal_path.unlink(missing_ok=True)
        self.note(notes)

    def writer(self) -> SpanWriter:
        """Go on at any place, several at once; use the result in a `with` block."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        return SpanWriter(file=self.path, journal=self._journal_path, spans=self.spans)

    def append(self, data: bytes) -> None:
        """Add bytes to the end of a file that arrives in order."""
        with self.path.open("ab") as file:
            file.write(data)

    def note(self, notes: PartialNotes) -> None:
        """Replace the notes, after the bytes that they speak of are on the disk."""
        self.sync()
        replace_file(self._notes_path, json.dumps(asdict(notes)).encode())

    def sync(self) -> None:
        """Wait until the bytes are on the disk."""
        with self.path.open("rb+") as file:
            os.fsync(file.fileno())

    def clear_scratch(self) -> None:
        """Remove the scratch folder with all that is in it."""
        shutil.rmtree(self.scratch, ignore_errors=True)

    def discard(self) -> int:
        """Remove every trace; returns the bytes freed."""
        freed_bytes = self.size_bytes
        self.clear_scratch()
        for path in (self.path, self._journal_path, self._notes_path):
            path.unlink(missing_ok=True)
        return freed_bytes

    def promote(self, target: Path) -> None:
        """Become `target` in one step: whoever looks sees the whole file or none."""
        self.sync()
        target.parent.mkdir(parents=True, exist_ok=True)
        self.path.replace(target)
        sync_folder(target.parent)
        self.discard()

    def _end(self) -> int:
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0


def _notes_from(document: object) -> PartialNotes | None:
    if not isinstance(document, dict):
        return None
    fields = cast("Mapping[str, Any]", document)
    source, etag = fields.get("source"), fields.get("etag")
    parts, whole_bytes = fields.get("whole_parts"), fields.get("whole_bytes")
    if not isinstance(source, str) or not isinstance(etag, str | None):
        return None
    if not isinstance(parts, int) or not isinstance(whole_bytes, int):
        return None
    if parts < 0 or whole_bytes < 0:
        return None
    return PartialNotes(source=source, etag=etag, whole_parts=parts, whole_bytes=whole_bytes)
