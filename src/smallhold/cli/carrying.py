"""Models carried by hand to machines without a network: this file holds `export` and `import`."""

# No `from __future__ import annotations`: Typer reads these annotations at run time.
# ruff: noqa: PLC0415 - the command line starts fast because commands import what they need

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from smallhold.cli.failures import shows_failures
from smallhold.cli.options import JsonOption
from smallhold.cli.storing import DryRunOption
from smallhold.cli.terminal import foreign, result_console, side_console, write_json

if TYPE_CHECKING:
    from smallhold.models import CatalogModel
    from smallhold.settings import Settings


@shows_failures
def export_to_archive(
    models: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ALIAS[:VARIANT]]...",
            help="Models of this machine; all that the catalog knows when left out.",
        ),
    ] = None,
    *,
    to: Annotated[
        Path, typer.Option(metavar="FILE.tar|FOLDER", help="The archive, or a folder for it.")
    ],
    split: Annotated[
        str | None,
        typer.Option(metavar="SIZE", help="Largest file, such as 4GB for a stick with FAT32."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace an archive of that name.")
    ] = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write models into one archive, for machines without a network."""
    from smallhold.cli.byte_progress import byte_progress
    from smallhold.cli.store_views import export_json, megabytes
    from smallhold.exceptions import ConfigError
    from smallhold.models import open_catalog, open_store
    from smallhold.models.archives import export_models, plan_export
    from smallhold.settings import load_settings, parse_bytes

    settings = load_settings()
    store, catalog = open_store(settings), open_catalog(settings)
    names = models or [entry.reference for entry in catalog.entries if store.find(entry)]
    if not names:
        raise ConfigError(
            field="models", value="(none)", remedy="there are none on this machine; pull one first"
        )
    plan = plan_export(
        names,
        store=store,
        catalog=catalog,
        path=to.absolute(),
        split_bytes=None if split is None else parse_bytes(split, field="--split"),
    )
    written: tuple[Path, ...] = ()
    if not dry_run:
        with byte_progress(f"writing {plan.path.name}", console=side_console()) as report:
            written = export_models(plan, replaces=force, report=report)
    files = [str(path) for path in written]
    if as_json:
        write_json(export_json(plan, files=files, is_dry_run=dry_run))
        return
    for file in plan.manifest.files:
        result_console().print(foreign(f"{file.entry.reference}  {megabytes(file.size_bytes)}"))
    verb = "would be written to" if dry_run else "written to"
    place = " ".join(files) or str(plan.path)
    line = f"{megabytes(plan.archive_bytes)} {verb} {place}"
    result_console().print(foreign(line), soft_wrap=True)


@shows_failures
def import_from_archive(
    archive: Annotated[
        Path, typer.Argument(metavar="FILE", help="The archive, or its part that ends in .001.")
    ],
    models: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ALIAS[:VARIANT]]...", help="Only these; all when left out."),
    ] = None,
    *,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Bring the models of an archive into the store. What is there already is passed over."""
    from smallhold.cli.byte_progress import byte_progress
    from smallhold.cli.store_views import import_json, import_table
    from smallhold.models import add_to_overlay, open_catalog, open_store
    from smallhold.models.archives import ImportTarget, import_models, plan_import
    from smallhold.settings import load_settings

    settings = load_settings()
    target = ImportTarget(
        store=open_store(settings),
        known=open_catalog(settings),
        add_model=lambda model: add_to_overlay(settings, model),
        refusal=refusal_for(settings),
    )
    if dry_run:
        plan = plan_import(archive, target=target, only=models or ())
    else:
        with byte_progress(f"reading {archive.name}", console=side_console()) as report:
            plan = import_models(archive, target=target, only=models or (), report=report)
    if as_json:
        write_json(import_json(plan, is_dry_run=dry_run))
    else:
        result_console().print(import_table(plan))


def refusal_for(settings: "Settings") -> "Callable[[CatalogModel], str | None]":
    """Say whether a model may be added to the catalog: where keys are set, one must vouch for it.

    Raises:
        ConfigError: One of the keys is no key.
    """
    if not settings.catalog_keys:
        return lambda _: None
    from smallhold.models.catalog.signing import read_public_keys, refusal

    keys = read_public_keys(settings.catalog_keys)
    return lambda model: refusal(model, keys=keys)
