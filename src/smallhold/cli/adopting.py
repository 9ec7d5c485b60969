"""Models that other programs have already: this file holds the command `models adopt`."""

# No `from __future__ import annotations`: Typer reads these annotations at run time.
# ruff: noqa: PLC0415 - the command line starts fast because commands import what they need

from typing import TYPE_CHECKING, Annotated

import typer

from smallhold.cli.failures import shows_failures
from smallhold.cli.options import JsonOption
from smallhold.cli.terminal import foreign, result_console, side_console, write_json

if TYPE_CHECKING:
    from smallhold.models import Catalog, CatalogEntry, ModelStore
    from smallhold.models.elsewhere import ForeignFile
    from smallhold.settings import Settings


@shows_failures
def adopt_models(
    models: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILE|ollama:NAME:TAG|hf:OWNER/REPO/FILE|ALIAS]...",
            help="Only list what is there when left out.",
        ),
    ] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="Adopt all that the catalog knows.")] = False,
    name: Annotated[
        str | None, typer.Option("--as", metavar="NAME", help="Alias for a single file.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Use models of Ollama and the Hugging Face cache where they lie, without copying them."""
    from smallhold.cli.store_views import foreign_json, foreign_table
    from smallhold.exceptions import ConfigError
    from smallhold.settings import load_settings

    if name is not None and len(models or ()) != 1:
        raise ConfigError(field="--as", value=name, remedy="name exactly one file to go with it")
    adoption = Adoption(load_settings())
    adopted = [adoption.adopt(text, alias=name) for text in models or ()]
    adopted += adoption.adopt_known() if every else []
    if adopted or every:
        if as_json:
            write_json({"adopted": [entry.reference for entry in adopted]})
        elif not adopted:
            result_console().print("Nothing to adopt.")
        for entry in () if as_json else adopted:
            path = adoption.store.require(entry)
            line = f"{entry.reference} is used where it lies, at {path}"
            result_console().print(foreign(line), soft_wrap=True)
        return
    rows = adoption.rows()
    if as_json:
        write_json([
            foreign_json(file, reference=reference, is_adopted=is_adopted)
            for file, reference, is_adopted in rows
        ])
    else:
        result_console().print(foreign_table(rows))


class Adoption:
    """What can be adopted under some settings."""

    def __init__(self, settings: "Settings") -> None:
        from smallhold.models import open_catalog, open_store
        from smallhold.models.elsewhere import foreign_places

        self._settings = settings
        self._places = foreign_places()
        self.store: ModelStore = open_store(settings)
        self.catalog: Catalog = open_catalog(settings)

    def adopt(self, text: str, *, alias: str | None) -> "CatalogEntry":
        """Adopt the file that a user names.

        Raises:
            ConfigError: The name is none, or taken.
            SourceUnavailableError: The file is not here, or not what its keeper says.
        """
        from pathlib import Path

        from smallhold.cli.byte_progress import byte_progress
        from smallhold.cli.carrying import refusal_for
        from smallhold.models import add_to_overlay
        from smallhold.models.catalog.references import (
            CatalogReference,
            check_alias,
            parse_reference,
        )
        from smallhold.models.elsewhere import AdoptionTarget, adopt_file, file_named

        # A file in the current folder is what a shell completes to.
        is_local = ("/" in text and ":" not in text) or text.lower().endswith(".gguf")
        is_path = is_local and not text.lower().startswith(("hf:", "ollama:", "https:", "http:"))
        reference = parse_reference(str(Path(text).absolute()) if is_path else text)
        if alias is not None:
            check_alias(alias, field="--as")
        if isinstance(reference, CatalogReference):
            return self._adopt_entry(self.catalog.resolve(text))
        target = AdoptionTarget(
            store=self.store,
            known=self.catalog,
            add_model=lambda model: add_to_overlay(self._settings, model),
            refusal=refusal_for(self._settings),
        )
        file = file_named(reference, places=self._places)
        with byte_progress(f"hashing {file.name}", console=side_console()) as report:
            return adopt_file(file, reference=reference, alias=alias, target=target, report=report)

    def adopt_known(self) -> "list[CatalogEntry]":
        """Adopt all that the catalog knows and this machine has elsewhere."""
        from smallhold.models.elsewhere import find_elsewhere

        return [
            entry
            for entry in self.catalog.entries
            if self.store.find(entry) is None
            and find_elsewhere(entry, places=self._places)
            and self._adopted(entry)
        ]

    def rows(self) -> "list[tuple[ForeignFile, str | None, bool]]":
        """Every file of other programs, what the catalog calls it, and whether it was adopted."""
        from smallhold.models.elsewhere import every_file, find_elsewhere

        known = {
            file.path: entry.reference
            for entry in reversed(self.catalog.entries)
            for file in find_elsewhere(entry, places=self._places)
        }
        here = {model.path: model.reference for model in self.store.installed()}
        return [
            (file, here.get(file.path) or known.get(file.path), file.path in here)
            for file in every_file(places=self._places)
        ]

    def _adopt_entry(self, entry: "CatalogEntry") -> "CatalogEntry":
        from smallhold.exceptions import SourceUnavailableError

        if self.store.find(entry) is None and not self._adopted(entry):
            reason = "no other program on this machine has it as the catalog says it is"
            raise SourceUnavailableError(source=entry.reference, reason=reason)
        return entry

    def _adopted(self, entry: "CatalogEntry") -> bool:
        from smallhold.cli.byte_progress import byte_progress
        from smallhold.models.elsewhere import adopt_in_place

        with byte_progress(f"hashing {entry.reference}", console=side_console()) as report:
            path = adopt_in_place(entry, store=self.store, places=self._places, report=report)
        return path is not None
