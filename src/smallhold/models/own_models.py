"""A file at a place that the user names, fetched into the catalog: this file holds `OwnModels`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from anyio import to_thread

from smallhold.exceptions import ConfigError, UnsignedModelError
from smallhold.models.catalog.catalog import Catalog, CatalogEntry, CatalogModel
from smallhold.models.catalog.catalog_file import load_catalog
from smallhold.models.catalog.overlays import add_to_overlay, open_catalog
from smallhold.models.catalog.references import FileReference, check_alias
from smallhold.models.catalog.source_specs import FileSpec, HuggingFaceSpec, SourceSpec
from smallhold.models.catalog.unlisted import UNKNOWN_LICENCE, unlisted_model
from smallhold.models.gguf.header import read_gguf_header
from smallhold.models.pulling.pull import PullPolicy, pull
from smallhold.models.pulling.pull_progress import PullPhase, PullProgress, ignore_progress
from smallhold.models.sources.protocol import SourceOpener
from smallhold.models.store.store import ModelStore
from smallhold.settings import Settings

ARRIVING: Final = "arriving"
"""What aliases of files begin with whose header nobody has read yet."""

_ANY_REVISION: Final = "main"
_NAME_CHARS: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnModels:
    """The user's own models: a store to fetch into, and a catalog file to name them in."""

    settings: Settings
    store: ModelStore

    async def pull(
        self,
        reference: FileReference,
        *,
        alias: str | None,
        open_source: SourceOpener,
        on_progress: Callable[[PullProgress], None] = ignore_progress,
        policy: PullPolicy | None = None,
    ) -> CatalogEntry:
        """Fetch the file at a place and add it to the user's catalog, with what its header says.

        A place that the catalog knows already is fetched as the catalog says, thus not again.

        Args:
            reference: The place.
            alias: What the model is to be called; `None`: a name made from the file's own.
            open_source: See `smallhold.models.pulling.pull`.
            on_progress: See `smallhold.models.pulling.pull`.
            policy: See `smallhold.models.pulling.pull`.

        Returns:
            The entry of the catalog that the file has now.

        Raises:
            ConfigError: Another model has that name.
            UnsignedModelError: Only signed models may be used, and nobody can have signed this one.
            CatalogError: The user's catalog is malformed or cannot be written; the file is kept.
            ModelError: As `smallhold.models.pulling.pull` raises.
        """
        catalog = await to_thread.run_sync(open_catalog, self.settings)
        known = known_entry(reference, alias=alias, catalog=catalog)
        if known is not None:
            await pull(
                known,
                store=self.store,
                open_source=open_source,
                on_progress=on_progress,
                policy=policy,
            )
            return known
        name = check_alias(alias or reference.alias, field="--as")
        self._require_allowed(name)
        relay = _Relay(name=name, on_progress=on_progress)
        arriving = arriving_entry(reference)
        path = await pull(
            arriving, store=self.store, open_source=open_source, on_progress=relay, policy=policy
        )
        source = pinned(reference.source, revision=relay.revision)
        arrived = replace(reference, source=source)
        return await to_thread.run_sync(lambda: self._keep(arriving, arrived, name=name, path=path))

    def _require_allowed(self, name: str) -> None:
        """Say before the download what would make it useless."""
        if self.settings.catalog_keys:
            reason = "a file that a user names is not signed"
            raise UnsignedModelError(alias=name, reason=reason)
        if name in load_catalog():
            remedy = "a model of the packaged catalog is called that; choose another name with --as"
            raise ConfigError(field="--as", value=name, remedy=remedy)

    def _keep(
        self, arriving: CatalogEntry, reference: FileReference, *, name: str, path: Path
    ) -> CatalogEntry:
        model = unlisted_model(
            read_gguf_header(path),
            alias=name,
            source=reference.source,
            sha256=self.store.digest(arriving) or "",
            named_quantization=reference.quantization,
        )
        # Read again: the download may have taken hours, in which others wrote the file.
        whole = beside(model, catalog=open_catalog(self.settings))
        add_to_overlay(self.settings, whole)
        self.store.adopt(model.default)
        # The file has its own name now, and stays for it.
        self.store.remove(arriving.reference)
        return model.default


@dataclass(slots=True, kw_only=True)
class _Relay:
    """Shows an arriving file under the name that it will have, and notes the commit it is of."""

    name: str
    on_progress: Callable[[PullProgress], None]
    revision: str | None = None

    def __call__(self, progress: PullProgress) -> None:
        if progress.phase is PullPhase.DONE:
            self.revision = progress.revision
        self.on_progress(replace(progress, alias=self.name, reference=self.name))


def known_entry(
    reference: FileReference, *, alias: str | None, catalog: Catalog
) -> CatalogEntry | None:
    """Find the file of a place in a catalog, under the given name or any.

    A file on this machine is never found: other bytes may lie there today.
    """
    for entry in catalog.entries:
        is_meant = alias in {None, entry.alias} and reference.sha256 in {None, entry.sha256}
        if is_meant and any(_is_same_place(reference.source, spec) for spec in entry.sources):
            return entry
    return None


def arriving_entry(reference: FileReference) -> CatalogEntry:
    """Describe a file of which nothing is known but its place, to fetch it by.

    The name follows from the place alone, so that an interrupted pull goes on under any alias.
    """
    place = f"{reference.source!r} {reference.sha256}"
    name = hashlib.sha256(place.encode("utf-8", "surrogatepass")).hexdigest()[:_NAME_CHARS]
    return CatalogEntry(
        alias=f"{ARRIVING}-{name}",
        title=reference.alias,
        family="unknown",
        parameter_count=1,
        licence=UNKNOWN_LICENCE,
        context_tokens=1,
        quantization="UNKNOWN",
        size_bytes=None,
        sha256=reference.sha256,
        call_dialect="hermes",
        sources=(reference.source,),
    )


def pinned(source: SourceSpec, *, revision: str | None) -> SourceSpec:
    """The place with the commit that answered, so that it comes to mean no other bytes."""
    if isinstance(source, HuggingFaceSpec) and revision is not None:
        return replace(source, revision=revision)
    return source


def beside(model: CatalogModel, *, catalog: Catalog) -> CatalogModel:
    """Put a model's one file beside those that the catalog has of the same model.

    Raises:
        ConfigError: The name belongs to another model, or to another file of this quantization.
    """
    (variant,) = model.variants
    if model.alias not in catalog:
        return model
    older = catalog.model(model.alias)
    same = [one for one in older.variants if one.quantization == variant.quantization]
    if any(one.sha256 != variant.sha256 for one in same):
        remedy = f"it has another file {variant.quantization}; choose another name with --as"
        raise ConfigError(field="--as", value=model.alias, remedy=remedy)
    is_same_model = older.alias == model.alias and (older.shape, older.chat_template_sha256) == (
        model.shape,
        model.chat_template_sha256,
    )
    if not is_same_model:
        remedy = "another model is called that; choose another name with --as"
        raise ConfigError(field="--as", value=model.alias, remedy=remedy)
    return older if same else replace(older, variants=(*older.variants, variant), signature=None)


def _is_same_place(wanted: SourceSpec, known: SourceSpec) -> bool:
    if isinstance(wanted, FileSpec):
        return False
    if isinstance(wanted, HuggingFaceSpec) and isinstance(known, HuggingFaceSpec):
        is_same_file = (wanted.repo, wanted.file) == (known.repo, known.file)
        return is_same_file and wanted.revision in {_ANY_REVISION, known.revision}
    return wanted == known
