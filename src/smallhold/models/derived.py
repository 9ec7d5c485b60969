"""Files that are made out of a model here: this file holds where they are put.

Either into the store, with an entry in the user's own catalog, or to a path. Nobody ever sees one
that is half written: it grows under another name on the same disk.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from smallhold.exceptions import ConfigError
from smallhold.models.atomic_file import sync_folder
from smallhold.models.catalog.catalog import Catalog, CatalogModel, CatalogVariant
from smallhold.models.catalog.overlays import add_to_overlay
from smallhold.models.catalog.source_specs import FileSpec
from smallhold.models.catalog.unlisted import unlisted_model
from smallhold.models.gguf.header import GGUFHeader
from smallhold.models.store.file_digest import hash_file
from smallhold.models.store.guard import ROOM_RESERVE_BYTES, disk_free_bytes
from smallhold.models.store.store import ModelStore
from smallhold.settings import Settings

_MEGABYTE: Final = 1e6

Write = Callable[[Path], GGUFHeader]
"""Writes the file to a path, and hands back its header, found sound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DerivedFile:
    """A file that was made and put where it belongs."""

    path: Path
    header: GGUFHeader
    reference: str | None = None
    """Its name in the catalog; `None` for a file outside the store."""


def make_at_path(target: Path, write: Write, *, size_bytes: int, overwrite: bool) -> DerivedFile:
    """Have a file made at a path.

    Args:
        target: Where to.
        write: What makes it.
        size_bytes: How large it will be, at most.
        overwrite: Whether a file that is there may be replaced.

    Raises:
        ConfigError: there is a file, or no folder, or no room for it, or it cannot be written.
    """
    if target.exists() and not overwrite:
        _refuse(target, "it is there already: choose another name, or add --force")
    if not target.parent.is_dir():
        _refuse(target, "there is no such folder: make it first")
    free_bytes = disk_free_bytes(target.parent)
    needed_bytes = size_bytes + ROOM_RESERVE_BYTES
    if free_bytes < needed_bytes:
        _refuse(
            target,
            f"its disk has {free_bytes / _MEGABYTE:,.0f} MB free, "
            f"{needed_bytes / _MEGABYTE:,.0f} MB are needed: choose another disk",
        )
    arriving = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with _removed_on_failure(arriving):
            header = write(arriving)
            with arriving.open("rb+") as file:
                os.fsync(file.fileno())
            arriving.replace(target)
            sync_folder(target.parent)
    except OSError as error:
        raise ConfigError(
            field="--out", value=str(target), remedy=f"choose another place ({error.strerror})"
        ) from error
    return DerivedFile(path=target, header=header)


def make_in_store(
    settings: Settings,
    store: ModelStore,
    model: CatalogModel,
    write: Write,
    *,
    size_bytes: int,
    source: str,
) -> DerivedFile:
    """Have a file made in the store, and note it down in the user's own catalog.

    Args:
        settings: Where that catalog is.
        store: Where to.
        model: The model with the new file as its last variant, of which size and digest are not
            known yet; see `with_new_variant`.
        write: What makes it.
        size_bytes: How large it will be, at most.
        source: Where it comes from, for the store's record.

    Raises:
        StoreFullError: the disk has no room for it.
        StoreBusyError: another process is making the same file.
        StoreNotWritableError: the store's folder is read-only.
        CatalogError: the user's own catalog cannot be written; the file is in the store.
    """
    entry = model.entries[-1]
    partial = store.partial(entry)
    with store.translated_errors(needed_bytes=size_bytes), store.claimed(entry):
        partial.discard()
        partial.path.parent.mkdir(parents=True, exist_ok=True)
        store.require_room(size_bytes)
        with _removed_on_failure(partial.path):
            header = write(partial.path)
            sha256 = hash_file(partial.path).sha256
            path = store.publish(entry, partial, sha256=sha256, source=source)
    variant = CatalogVariant(
        quantization=entry.quantization,
        size_bytes=header.file_bytes,
        sha256=sha256,
        sources=(FileSpec(path=str(path.absolute())),),
    )
    add_to_overlay(settings, replace(model, variants=(*model.variants[:-1], variant)))
    return DerivedFile(path=path, header=header, reference=entry.reference)


def with_new_variant(
    alias: str,
    quantization: str,
    *,
    catalog: Catalog,
    origin: CatalogModel | None,
    header: GGUFHeader,
) -> CatalogModel:
    """Describe a model with a file that is about to be made of it, as its last variant.

    Args:
        alias: What the result is called: the model's own alias, or a new one.
        quantization: Of the new file.
        catalog: What is known already.
        origin: The model that the file is made of; `None` for one that no catalog knows.
        header: Of the file that it is made of.

    Raises:
        ConfigError: the alias has a file of this quantization, or belongs to another model.
    """
    new = CatalogVariant(quantization=quantization, sources=())
    known = catalog.model(alias) if alias in catalog else None
    if known is None:
        if origin is not None:
            return replace(origin, alias=alias, variants=(new,), signature=None)
        place = FileSpec(path="/")
        whole = unlisted_model(header, alias=alias, source=place, sha256="0" * 64)
        return replace(whole, variants=(new,))
    if origin is None or known.alias != origin.alias:
        remedy = "another model is called that: choose another name"
        raise ConfigError(field="--as", value=alias, remedy=remedy)
    others = tuple(variant for variant in known.variants if variant.quantization != quantization)
    if any(_is_obtainable(variant) for variant in set(known.variants) - set(others)):
        remedy = f"it has a file {quantization} already: pull that, or choose another name"
        raise ConfigError(field="--as", value=alias, remedy=remedy)
    return replace(known, variants=(*others, new), signature=None)


def _is_obtainable(variant: CatalogVariant) -> bool:
    """Whether a variant is more than the trace of a file that was made here and removed again."""
    return not variant.sources or not all(
        isinstance(source, FileSpec) and not Path(source.path).exists()
        for source in variant.sources
    )


@contextmanager
def _removed_on_failure(path: Path) -> Generator[None]:
    try:
        yield
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _refuse(target: Path, remedy: str) -> None:
    raise ConfigError(field="--out", value=str(target), remedy=remedy)
