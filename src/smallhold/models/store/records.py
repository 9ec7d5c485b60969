"""All that a store has noted down about its models: this file holds the `StoreRecords`."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from smallhold.models.atomic_file import replace_file
from smallhold.models.catalog.catalog import CatalogEntry
from smallhold.models.store.layout import RECORD_SUFFIX, StoreLayout
from smallhold.models.store.record import StoreRecord

_MAX_BYTES: Final = 64 << 10
_DIGEST_IN_TEXT: Final = re.compile(rb"[0-9a-f]{64}")
_LOG = logging.getLogger(__name__)


class StoreRecords:
    """The records of one store; whoever writes holds the store's own lock.

    A record is called after the reference of its model. When an alias had one file only it was
    called after the alias; such records are read as well, and renamed when the alias is written.
    """

    def __init__(self, layout: StoreLayout) -> None:
        self._layout = layout

    def read(self, entry: CatalogEntry) -> StoreRecord | None:
        """The record of an entry, or `None`."""
        for path in self._layout.record(entry.reference), self._layout.old_record(entry.alias):
            record = StoreRecord.read(path)
            if record is not None and record.reference == entry.reference:
                return record
        return None

    def all(self) -> Mapping[str, StoreRecord]:
        """Every sound record by its reference, in the order of the references."""
        found: dict[str, StoreRecord] = {}
        for path in self._files():
            record = StoreRecord.read(path)
            if record is None:
                _LOG.warning("store.record_unreadable", extra={"file": str(path)})
            elif path.name == self._layout.record(record.reference).name:
                found[record.reference] = record
            else:
                found.setdefault(record.reference, record)
        return dict(sorted(found.items()))

    def unreadable(self) -> Mapping[Path, frozenset[str]]:
        """Files among the records that make no sense to us, with the digests in their text.

        A newer version may have written them, and know what they are for.
        """
        return {path: _digests_in(path) for path in self._files() if StoreRecord.read(path) is None}

    def leftovers(self) -> tuple[Path, ...]:
        """Records that were being written when the power went."""
        return tuple(sorted(self._layout.folder("records").glob(f"*{RECORD_SUFFIX}.new")))

    def write(self, record: StoreRecord) -> None:
        """Note a model down, in place of what was noted about it before."""
        old_path = self._layout.old_record(record.alias)
        old = StoreRecord.read(old_path)
        if old is not None and old.alias == record.alias:
            renamed = self._layout.record(old.reference)
            if old.reference != record.reference and not renamed.exists():
                replace_file(renamed, old.to_bytes())
        replace_file(self._layout.record(record.reference), record.to_bytes())
        if old is not None and old.alias == record.alias:
            old_path.unlink(missing_ok=True)

    def drop(self, record: StoreRecord) -> None:
        """Forget a model."""
        self._layout.record(record.reference).unlink(missing_ok=True)
        old_path = self._layout.old_record(record.alias)
        old = StoreRecord.read(old_path)
        if old is not None and old.reference == record.reference:
            old_path.unlink(missing_ok=True)

    def _files(self) -> Iterator[Path]:
        return iter(sorted(self._layout.folder("records").glob(f"*{RECORD_SUFFIX}")))


def _digests_in(path: Path) -> frozenset[str]:
    try:
        with path.open("rb") as file:
            found = _DIGEST_IN_TEXT.findall(file.read(_MAX_BYTES))
    except OSError:
        return frozenset()
    return frozenset(digest.decode() for digest in found)
