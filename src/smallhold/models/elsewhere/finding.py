"""From a catalog entry to a file that another program has already: this file holds the search."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

from smallhold.exceptions import InvalidGGUFError
from smallhold.models.catalog.catalog import CatalogEntry, ModelFormat
from smallhold.models.catalog.source_specs import HuggingFaceSpec, OllamaSpec
from smallhold.models.elsewhere.foreign_file import ForeignFile
from smallhold.models.elsewhere.huggingface_cache import HuggingFaceCache
from smallhold.models.elsewhere.ollama_store import OllamaStore
from smallhold.models.elsewhere.places import ForeignPlaces
from smallhold.models.gguf.header import read_gguf_header
from smallhold.models.store.file_digest import HashedFile, ReportBytes, hash_file, ignore_bytes
from smallhold.models.store.store import ModelStore

_LOG = logging.getLogger(__name__)


def find_elsewhere(entry: CatalogEntry, *, places: ForeignPlaces) -> tuple[ForeignFile, ...]:
    """Look for an entry's file in other programs' folders. Nothing is read but names.

    Files are found by the entry's digest, or by repository, file and revision, or by the name in an
    Ollama registry. Whether they are what they seem shows when they are hashed.
    """
    found = dict[Path, ForeignFile]()
    for file in _candidates(entry, places):
        if entry.size_bytes in {None, file.size_bytes}:
            found.setdefault(file.path, file)
    return tuple(found.values())


def every_file(*, places: ForeignPlaces) -> tuple[ForeignFile, ...]:
    """List all models that those programs have, each once."""
    found = dict[Path, ForeignFile]()
    for root in places.ollama:
        found |= {file.path: file for file in OllamaStore(root).every_file()}
    for root in places.hugging_face:
        found |= {file.path: file for file in HuggingFaceCache(root).every_file()}
    return tuple(found.values())


def adopt_in_place(
    entry: CatalogEntry,
    *,
    store: ModelStore,
    places: ForeignPlaces,
    report: ReportBytes = ignore_bytes,
) -> Path | None:
    """Use a file that another program has already where it lies; it is hashed first, once.

    Nothing is copied. The store notes where the file is, with its size, its time of change and its
    inode; `ModelStore.find` finds it as long as these stay the same.

    Args:
        entry: Which file to look for.
        store: Where to note it down.
        places: Folders to look in, such as `foreign_places()`.
        report: Told how far hashing has come; what it raises ends the work.

    Returns:
        The file, or `None` when no sound one is there.

    Raises:
        StoreBusyError: Another process has been changing the store for too long.
        StoreNotWritableError: The store's folder is read-only.
    """
    for file in find_elsewhere(entry, places=places):
        hashed = sound_file(entry, file, report=report)
        if hashed is not None:
            return store.publish_in_place(entry, file.path, hashed=hashed, source=file.name)
    return None


def sound_file(
    entry: CatalogEntry, file: ForeignFile, *, report: ReportBytes = ignore_bytes
) -> HashedFile | None:
    """Hash a file and compare it with the entry; `None` when it is not the entry's."""
    try:
        hashed = hash_file(file.path, report=report)
    except OSError as error:
        return _refused(file, str(error.strerror))
    expected = {entry.sha256, file.claimed_sha256} - {None}
    if expected - {hashed.sha256}:
        return _refused(file, f"its sha256 is {hashed.sha256}")
    if entry.sha256 is None and entry.format is ModelFormat.GGUF:
        # Without a digest from the catalog, an error page could pass for a model.
        try:
            read_gguf_header(file.path)
        except InvalidGGUFError as error:
            return _refused(file, error.problem)
    return hashed


def _candidates(entry: CatalogEntry, places: ForeignPlaces) -> Iterator[ForeignFile]:
    ollama = [OllamaStore(root) for root in places.ollama]
    caches = [HuggingFaceCache(root) for root in places.hugging_face]
    if entry.sha256 is not None:
        for keeper in (*ollama, *caches):
            yield from keeper.with_digest(entry.sha256)
    for spec in entry.sources:
        if isinstance(spec, HuggingFaceSpec):
            for cache in caches:
                yield from cache.with_spec(spec)
        if isinstance(spec, OllamaSpec) and entry.sha256 is None:
            for store in ollama:
                yield from store.with_spec(spec)


def _refused(file: ForeignFile, reason: str) -> None:
    _LOG.warning("store.foreign_file_refused", extra={"path": str(file.path), "reason": reason})
