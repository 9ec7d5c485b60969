"""Models in a store, for tests of what is done with them: this file holds their maker."""

from __future__ import annotations

import hashlib
from pathlib import Path

from smallhold.models.catalog.catalog import CatalogEntry
from smallhold.models.pulling.partial_file import PartialFile, PartialNotes
from smallhold.models.store.store import ModelStore


def put(store: ModelStore, entry: CatalogEntry, content: bytes) -> Path:
    """Bring a file into a store as a pull does."""
    arriving: PartialFile = store.partial(entry)
    arriving.restart(PartialNotes(source="test"))
    arriving.append(content)
    sha256 = hashlib.sha256(content).hexdigest()
    return store.publish(entry, arriving, sha256=sha256, source="test")
