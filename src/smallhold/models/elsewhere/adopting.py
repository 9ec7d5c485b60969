"""A file that the user points at, used where it lies: this file holds its adoption."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from smallhold.exceptions import ConfigError, SourceUnavailableError, UnsignedModelError
from smallhold.models.catalog.catalog import Catalog, CatalogEntry, CatalogModel
from smallhold.models.catalog.references import FileReference
from smallhold.models.catalog.source_specs import FileSpec, HuggingFaceSpec, OllamaSpec
from smallhold.models.catalog.unlisted import unlisted_model
from smallhold.models.elsewhere.foreign_file import ForeignFile, file_inside
from smallhold.models.elsewhere.huggingface_cache import HuggingFaceCache
from smallhold.models.elsewhere.ollama_store import OllamaStore
from smallhold.models.elsewhere.places import ForeignPlaces
from smallhold.models.gguf.header import read_gguf_header
from smallhold.models.store.file_digest import HashedFile, ReportBytes, hash_file, ignore_bytes
from smallhold.models.store.store import ModelStore


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptionTarget:
    """Where an adopted file is noted down."""

    store: ModelStore
    known: Catalog
    add_model: Callable[[CatalogModel], object]
    """Adds a model to the catalog."""
    refusal: Callable[[CatalogModel], str | None]
    """Says why a model that the catalog does not know may not be added; `None`: it may."""


def file_named(reference: FileReference, *, places: ForeignPlaces) -> ForeignFile:
    """Find the file that a user means, without reading it.

    Raises:
        ConfigError: It is none that can lie on this machine.
        SourceUnavailableError: It is not there.
    """
    spec = reference.source
    match spec:
        case FileSpec():
            found = _at(Path(spec.path))
        case OllamaSpec():
            files = (file for root in places.ollama for file in OllamaStore(root).with_spec(spec))
            found = next(files, None)
        case HuggingFaceSpec():
            caches = map(HuggingFaceCache, places.hugging_face)
            found = next((file for cache in caches for file in cache.with_spec(spec)), None)
        case _:
            remedy = "name a file here: a path, ollama:NAME:TAG or hf:OWNER/REPO/FILE"
            raise ConfigError(field="model to adopt", value=spec.name, remedy=remedy)
    if found is None:
        raise SourceUnavailableError(source=spec.name, reason="it is not on this machine")
    return found


def adopt_file(
    file: ForeignFile,
    *,
    reference: FileReference,
    alias: str | None,
    target: AdoptionTarget,
    report: ReportBytes = ignore_bytes,
) -> CatalogEntry:
    """Use a file where it lies, under the name that the catalog has for it or under a new one.

    Args:
        file: As `file_named` found it.
        reference: What the user called it.
        alias: The name that it gets; `None`: the catalog's, or else one made from its own.
        target: Where it is noted down.
        report: Told how far hashing has come; what it raises ends the work.

    Raises:
        SourceUnavailableError: It cannot be read, or is not what its keeper says.
        InvalidGGUFError: It is no sound GGUF file.
        ConfigError: The catalog has another file by that name.
        UnsignedModelError: It is unknown here, and not signed as it must be.
        StoreBusyError: Another process has been changing the store for too long.
        StoreNotWritableError: The store's folder is read-only.
    """
    hashed = _hashed(file, report=report)
    entry = _known(hashed.sha256, alias=alias, known=target.known)
    if entry is None:
        model = _described(file, reference=reference, alias=alias, sha256=hashed.sha256)
        _require_new(model, target=target)
        entry = model.default
        # First the name, since a record that no catalog explains is of no use.
        target.add_model(model)
    target.store.publish_in_place(entry, file.path, hashed=hashed, source=file.name)
    return entry


def _at(path: Path) -> ForeignFile | None:
    real = file_inside(path, root=Path(path.anchor))
    if real is None:
        return None
    size_bytes = real.stat().st_size
    return ForeignFile(name=f"file:{path}", path=real, size_bytes=size_bytes, claimed_sha256=None)


def _hashed(file: ForeignFile, *, report: ReportBytes) -> HashedFile:
    try:
        hashed = hash_file(file.path, report=report)
    except OSError as error:
        reason = f"it cannot be read ({error.strerror})"
        raise SourceUnavailableError(source=file.name, reason=reason) from error
    if file.claimed_sha256 not in {None, hashed.sha256}:
        reason = f"its sha256 is {hashed.sha256}, and its name says {file.claimed_sha256}"
        raise SourceUnavailableError(source=file.name, reason=reason)
    return hashed


def _known(sha256: str, *, alias: str | None, known: Catalog) -> CatalogEntry | None:
    entries = (entry for entry in known.entries if entry.sha256 == sha256)
    return next((entry for entry in entries if alias in {None, entry.alias}), None)


def _described(
    file: ForeignFile, *, reference: FileReference, alias: str | None, sha256: str
) -> CatalogModel:
    return unlisted_model(
        read_gguf_header(file.path),
        alias=alias or reference.alias,
        source=file.spec or FileSpec(path=str(file.path)),
        sha256=sha256,
        named_quantization=reference.quantization,
    )


def _require_new(model: CatalogModel, *, target: AdoptionTarget) -> None:
    if model.alias in target.known:
        remedy = "the catalog has another file by this name; choose another one with --as"
        raise ConfigError(field="name of the model", value=model.alias, remedy=remedy)
    reason = target.refusal(model)
    if reason is not None:
        raise UnsignedModelError(alias=model.alias, reason=reason)
