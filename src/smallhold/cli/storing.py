"""What the store keeps and for how long: this file holds those of the commands `models`."""

# No `from __future__ import annotations`: Typer reads these annotations at run time.
# ruff: noqa: PLC0415 - the command line starts fast because commands import what they need

from typing import Annotated, TypeAlias

import typer

from smallhold.cli.failures import shows_failures
from smallhold.cli.options import JsonOption
from smallhold.cli.terminal import foreign, result_console, side_console, write_json

InstalledArgument: TypeAlias = Annotated[
    list[str], typer.Argument(metavar="ALIAS[:VARIANT]...", help="Models of this machine.")
]
DryRunOption: TypeAlias = Annotated[
    bool, typer.Option("--dry-run", help="Only say what would be done.")
]


@shows_failures
def remove_models(models: InstalledArgument, *, as_json: JsonOption = False) -> None:
    """Delete models from this machine; a file of another program is only forgotten."""
    from smallhold.cli.store_views import megabytes
    from smallhold.models import open_store
    from smallhold.settings import load_settings

    store = open_store(load_settings())
    freed = {store.named(name).reference: store.remove(name) for name in models}
    if as_json:
        write_json({"removed": [*freed], "freed_bytes": sum(freed.values())})
        return
    for reference, freed_bytes in freed.items():
        result_console().print(foreign(f"{reference} was removed, {megabytes(freed_bytes)} freed"))


@shows_failures
def pin_models(models: InstalledArgument, *, as_json: JsonOption = False) -> None:
    """Keep models when room is made for others."""
    from smallhold.models import open_store
    from smallhold.settings import load_settings

    store = open_store(load_settings())
    pinned = [store.pin(name).reference for name in models]
    if as_json:
        write_json({"pinned": [*pinned]})
    else:
        result_console().print(foreign(f"Pinned: {', '.join(pinned)}"))


@shows_failures
def unpin_models(models: InstalledArgument, *, as_json: JsonOption = False) -> None:
    """Allow models to be deleted when room is made for others."""
    from smallhold.models import open_store
    from smallhold.settings import load_settings

    store = open_store(load_settings())
    unpinned = [store.unpin(name).reference for name in models]
    if as_json:
        write_json({"unpinned": [*unpinned]})
    else:
        result_console().print(foreign(f"No longer pinned: {', '.join(unpinned)}"))


@shows_failures
def verify_models(
    models: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ALIAS[:VARIANT]]...", help="All models when left out."),
    ] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Read models as a whole and compare them with their sha256. Exit code 0: all are sound."""
    from smallhold.cli.byte_progress import byte_progress
    from smallhold.cli.exit_codes import ExitCode
    from smallhold.exceptions import ModelChangedError
    from smallhold.models import open_store
    from smallhold.settings import load_settings

    store = open_store(load_settings())
    chosen = [store.named(name) for name in models] if models else store.installed()
    problems: dict[str, str | None] = {}
    for model in chosen:
        try:
            with byte_progress(model.reference, console=side_console()) as report:
                store.verify_installed(model, report=report)
        except ModelChangedError as error:
            problems[model.reference] = error.problem
        else:
            problems[model.reference] = None
    if as_json:
        write_json([
            {"reference": name, "sound": problem is None, "problem": problem}
            for name, problem in problems.items()
        ])
    else:
        for name, problem in problems.items():
            result_console().print(foreign(f"{name}: {problem or 'sound'}"), soft_wrap=True)
    all_sound = all(problem is None for problem in problems.values())
    raise typer.Exit(ExitCode.OK if all_sound else ExitCode.FAILED)


@shows_failures
def clean_store(
    *,
    limit: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE",
            help="Disk space that models may take, such as 20GB.",
            show_default="SMALLHOLD_MODEL_CACHE_SIZE",
        ),
    ] = None,
    partials: Annotated[
        bool, typer.Option("--partials", help="Also delete what interrupted pulls left.")
    ] = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Delete what no model needs and, above a limit, the models used least recently."""
    from dataclasses import replace

    from smallhold.cli.store_views import garbage_json, garbage_lines
    from smallhold.models import open_catalog, open_store
    from smallhold.models.store.garbage import collect_garbage
    from smallhold.settings import load_settings, parse_bytes

    settings = load_settings()
    store = open_store(settings)
    limit_bytes = (
        settings.model_cache_bytes if limit is None else parse_bytes(limit, field="--limit")
    )
    catalog = open_catalog(settings)
    report = collect_garbage(
        store, known=catalog.entries, limit_bytes=limit_bytes, is_dry_run=dry_run
    )
    if partials and not dry_run:
        freed_bytes = report.freed_bytes + store.discard_partials()
        report = replace(report, freed_bytes=freed_bytes, partials_bytes=store.partials_bytes())
    if as_json:
        write_json(garbage_json(report, is_dry_run=dry_run))
        return
    for line in garbage_lines(report, is_dry_run=dry_run):
        result_console().print(foreign(line), soft_wrap=True)
