"""The models of the catalog and of this machine: this file holds what `models` shows of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.table import Column, Table

from smallhold.cli.terminal import foreign
from smallhold.messages import JsonObject, JsonValue
from smallhold.models import (
    Catalog,
    CatalogEntry,
    CatalogModel,
    Category,
    HuggingFaceSpec,
    ModelStore,
    SourceSpec,
    UseCase,
    open_catalog,
    open_store,
)
from smallhold.settings import load_settings

_MEGABYTE: Final = 1e6
_BILLION: Final = 1e9
_SHORT: Final = {
    UseCase.LIGHTWEIGHT_ROUTING: "routing",
    UseCase.GENERAL_CONVERSATION: "talk",
    UseCase.COMPLEX_REASONING: "reasoning",
    UseCase.CODE_ASSISTANCE: "code",
}
"""Use cases as the list shows them; `show` and JSON have the whole words."""
_COMMIT_CHARS: Final = 40
"""Digits of a Git commit; a shorter revision is a branch or a tag, which can move."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownModel:
    """A model of the catalog, and which of its files are on this machine."""

    model: CatalogModel
    paths: Mapping[str, Path]
    """By reference."""
    chosen: str
    """Reference of the file that was asked for, or of the default one."""
    also: tuple[str, ...] = ()
    """Second names that lead to it."""
    refusal: str | None = None
    """Why it may not be used here; `None`: it may."""

    @property
    def entry(self) -> CatalogEntry:
        """The file that was asked for."""
        entries = {entry.reference: entry for entry in self.model.entries}
        return entries.get(self.chosen, self.model.default)

    @property
    def is_installed(self) -> bool:
        """Whether any of its files is on this machine."""
        return bool(self.paths)

    def to_dict(self) -> JsonObject:
        """The model as JSON; what concerns one file is that of the chosen one."""
        model, entry = self.model, self.entry
        path = self.paths.get(entry.reference) or next(iter(self.paths.values()), None)
        variants: list[JsonValue] = [self._variant(entry) for entry in model.entries]
        return {
            "alias": model.alias,
            "also": [*self.also],
            "title": model.title,
            "family": model.family,
            "purpose": model.purpose.value,
            "parameter_count": model.parameter_count,
            "context_tokens": model.context_tokens,
            "licence": model.licence,
            "category": None if model.category is None else model.category.value,
            "use_cases": [use.value for use in UseCase if use in model.use_cases],
            "call_dialect": model.call_dialect,
            "chat_template_sha256": model.chat_template_sha256,
            "signed_by": None if model.signature is None else model.signature.partition(":")[0],
            "refusal": self.refusal,
            "installed": self.is_installed,
            "path": None if path is None else str(path),
            "quantization": entry.quantization,
            "size_bytes": entry.size_bytes,
            "sha256": entry.sha256,
            "verified": entry.sha256 is not None,
            "sources": [source.name for source in entry.sources],
            "variants": variants,
        }

    def _variant(self, entry: CatalogEntry) -> JsonObject:
        path = self.paths.get(entry.reference)
        return {
            "reference": entry.reference,
            "quantization": entry.quantization,
            "format": entry.format.value,
            "size_bytes": entry.size_bytes,
            "sha256": entry.sha256,
            "verified": entry.sha256 is not None,
            "installed": path is not None,
            "path": None if path is None else str(path),
            "sources": [_source_json(source) for source in entry.sources],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which models are wanted; what is `None` does not matter."""

    use_case: UseCase | None = None
    category: Category | None = None
    installed_only: bool = False

    def wants(self, known: KnownModel) -> bool:
        """Tell whether a model is wanted."""
        model = known.model
        return (
            (self.use_case is None or self.use_case in model.use_cases)
            and (self.category is None or self.category is model.category)
            and (known.is_installed or not self.installed_only)
        )


_EVERYTHING: Final = Filter()


def known_models(wanted: Filter = _EVERYTHING) -> tuple[KnownModel, ...]:
    """Go through the catalog.

    Raises:
        CatalogError: the catalog is malformed.
        ConfigError: an environment variable cannot be used.
    """
    settings = load_settings()
    catalog = open_catalog(settings)
    models = (*catalog, *catalog.unsigned.values())
    store = open_store(settings)
    every = (_known(model, catalog=catalog, store=store) for model in models)
    return tuple(known for known in every if wanted.wants(known))


def known_model(reference: str) -> KnownModel:
    """Look one model up; one that may not be used is shown too, with the reason.

    Raises:
        UnknownModelError: no such alias; the error names the nearest ones.
        UnknownVariantError: the model has no such file.
        ConfigError: an environment variable cannot be used.
    """
    settings = load_settings()
    catalog, store = open_catalog(settings), open_store(settings)
    refused = catalog.unsigned.get(reference)
    if refused is not None:
        return _known(refused, catalog=catalog, store=store)
    entry = catalog.resolve(reference)
    model = catalog.models[entry.alias]
    return _known(model, catalog=catalog, store=store, chosen=entry.reference)


def models_table(models: tuple[KnownModel, ...]) -> Table:
    """Lay the models out for people, one a line."""
    table = Table(
        Column("alias", no_wrap=True),
        Column("weights", justify="right", no_wrap=True),
        Column("size", justify="right", no_wrap=True),
        Column("category", no_wrap=True),
        "good for",
        Column("here", min_width=6),
        # Without lines between the columns, one model a line fits into 80 characters.
        box=None,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        caption="`smallhold models show ALIAS` lists a model's files.",
    )
    for known in models:
        model = known.model
        table.add_row(
            foreign(model.alias),
            f"{model.parameter_count / _BILLION:.2f} B",
            _size(known.entry.size_bytes),
            model.category.value if model.category else "-",
            ", ".join(_SHORT[use] for use in UseCase if use in model.use_cases) or "-",
            _state(known),
        )
    return table


def model_table(known: KnownModel) -> Table:
    """Lay one model out for people."""
    model = known.model
    table = Table(Column(), Column(overflow="fold"), show_header=False, title=foreign(model.title))
    for name, value in _facts(known):
        table.add_row(name, foreign(value))
    for entry in model.entries:
        path = known.paths.get(entry.reference)
        digest = entry.sha256 or "sha256 is learnt on arrival"
        size = "size not known" if entry.size_bytes is None else _size(entry.size_bytes)
        lines = [f"{entry.format.value}, {size}, {digest}"]
        lines += [f"from {source.name}{_pin(source)}" for source in entry.sources]
        lines += [] if path is None else [f"installed: {path}"]
        table.add_row(foreign(entry.reference), foreign("\n".join(lines)))
    return table


def _facts(known: KnownModel) -> Iterator[tuple[str, str]]:
    model, entry = known.model, known.entry
    yield "alias", model.alias
    if known.also:
        yield "also", ", ".join(known.also)
    yield "weights", f"{model.parameter_count:,}"
    yield "context", f"{model.context_tokens:,} tokens"
    yield "licence", model.licence
    if model.category is not None:
        yield "category", model.category.value
    if model.use_cases:
        yield "good for", ", ".join(use.value for use in UseCase if use in model.use_cases)
    yield "tool calls", model.call_dialect
    yield "chosen", entry.reference
    if model.signature is not None:
        yield "signed by", model.signature.partition(":")[0]
    if known.refusal is not None:
        yield "refused", known.refusal


def _known(
    model: CatalogModel, *, catalog: Catalog, store: ModelStore, chosen: str | None = None
) -> KnownModel:
    paths = {
        entry.reference: path for entry in model.entries if (path := store.find(entry)) is not None
    }
    also = tuple(
        alias
        for alias in catalog.redirects
        if model.alias in catalog.models and catalog.resolve(alias).alias == model.alias
    )
    return KnownModel(
        model=model,
        paths=paths,
        chosen=chosen or model.default.reference,
        also=also,
        refusal=catalog.refusals.get(model.alias),
    )


def _source_json(source: SourceSpec) -> JsonObject:
    pinned = not isinstance(source, HuggingFaceSpec) or len(source.revision) == _COMMIT_CHARS
    revision = source.revision if isinstance(source, HuggingFaceSpec) else None
    return {"name": source.name, "revision": revision, "pinned": pinned}


def _pin(source: SourceSpec) -> str:
    return f" at {source.revision}" if isinstance(source, HuggingFaceSpec) else ""


def _state(known: KnownModel) -> str:
    if known.refusal is not None:
        return "refused: unsigned"
    return " ".join(name.partition(":")[2] for name in known.paths) or "-"


def _size(size_bytes: int | None) -> str:
    return "-" if size_bytes is None else f"{size_bytes / _MEGABYTE:,.0f} MB"
