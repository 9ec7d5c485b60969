"""The models of the catalog and of this machine: this file holds the commands `models`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.table import Column, Table

from smallhold.cli.terminal import foreign
from smallhold.messages import JsonObject, JsonValue
from smallhold.models import CatalogEntry, ModelStore, load_catalog
from smallhold.settings import load_settings

_MEGABYTE: Final = 1e6
_BILLION: Final = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownModel:
    """A model of the catalog, and where it is on this machine."""

    entry: CatalogEntry
    path: Path | None
    """`None`: it has not been pulled."""

    @property
    def is_verified(self) -> bool:
        """Whether its bytes are checked against a digest that is known beforehand."""
        return self.entry.sha256 is not None

    def to_dict(self) -> JsonObject:
        """The model as JSON."""
        entry = self.entry
        sources: list[JsonValue] = [source.name for source in entry.sources]
        return {
            "alias": entry.alias,
            "title": entry.title,
            "family": entry.family,
            "parameter_count": entry.parameter_count,
            "quantization": entry.quantization,
            "size_bytes": entry.size_bytes,
            "context_tokens": entry.context_tokens,
            "licence": entry.licence,
            "verified": self.is_verified,
            "sha256": entry.sha256,
            "installed": self.path is not None,
            "path": None if self.path is None else str(self.path),
            "sources": sources,
        }


def known_models() -> tuple[KnownModel, ...]:
    """Go through the catalog.

    Raises:
        CatalogError: the catalog is malformed.
        ConfigError: an environment variable cannot be used.
    """
    store = ModelStore(load_settings().model_store)
    return tuple(KnownModel(entry=entry, path=store.find(entry)) for entry in load_catalog())


def known_model(alias: str) -> KnownModel:
    """Look one model up.

    Raises:
        UnknownModelError: no such alias; the error names the nearest ones.
        ConfigError: an environment variable cannot be used.
    """
    entry = load_catalog().resolve(alias)
    return KnownModel(entry=entry, path=ModelStore(load_settings().model_store).find(entry))


def models_table(models: tuple[KnownModel, ...]) -> Table:
    """Lay the models out for people, one a line."""
    table = Table(
        Column("alias", no_wrap=True), "weights", "format", "size", "licence", "installed"
    )
    for model in models:
        entry = model.entry
        table.add_row(
            foreign(entry.alias),
            f"{entry.parameter_count / _BILLION:.2f} B",
            entry.quantization,
            _size(entry.size_bytes),
            foreign(entry.licence),
            "no" if model.path is None else "yes",
        )
    return table


def model_table(model: KnownModel) -> Table:
    """Lay one model out for people."""
    entry = model.entry
    table = Table(Column(), Column(overflow="fold"), show_header=False, title=foreign(entry.title))
    table.add_row("alias", foreign(entry.alias))
    table.add_row("weights", f"{entry.parameter_count:,}, {entry.quantization}")
    table.add_row("size", _size(entry.size_bytes))
    table.add_row("context", f"{entry.context_tokens:,} tokens")
    table.add_row("licence", foreign(entry.licence))
    table.add_row("sha256", entry.sha256 or "not known beforehand")
    table.add_row("verified", "yes" if model.is_verified else "no, its sha256 is learnt on arrival")
    table.add_row("installed", "no" if model.path is None else foreign(str(model.path)))
    for source in entry.sources:
        table.add_row("source", foreign(source.name))
    return table


def _size(size_bytes: int | None) -> str:
    return "-" if size_bytes is None else f"{size_bytes / _MEGABYTE:,.0f} MB"
