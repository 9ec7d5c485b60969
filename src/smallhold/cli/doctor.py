"""Looking at the machine: this file holds the command `doctor`."""

from __future__ import annotations

import os

from rich.console import Console
from rich.table import Table
from rich.text import Text

from smallhold.cli.extras import EXTRAS, missing_modules
from smallhold.cli.findings import Findings, Problem
from smallhold.cli.machine_views import hardware_rows, power_rows
from smallhold.cli.options import SHOWN_DEFAULT_MODEL
from smallhold.cli.recommendation_views import choice_line
from smallhold.cli.speed import Speed
from smallhold.cli.terminal import foreign
from smallhold.engine.build_key import find_compiler
from smallhold.exceptions import CompilerMissingError, SmallholdError
from smallhold.models import (
    Catalog,
    CatalogEntry,
    Choice,
    Hardware,
    ModelPurpose,
    Need,
    detect_hardware,
    open_catalog,
    open_store,
    read_power_state,
    resolve,
)
from smallhold.settings import Settings


async def examine(settings: Settings, *, model: str | None = None) -> Findings:
    """Look at hardware, engine, compiler, extras and models, and try a model that is here.

    Args:
        settings: Where the store is.
        model: Alias or `alias:quantization` of the model that should run; `None` takes the agents'
            default, or tries another one that is here.

    Raises:
        CatalogError: the catalog is malformed.
        UnknownModelError: there is no such model.
        UnknownVariantError: the model has no file of this quantization.
    """
    catalog = open_catalog(settings)
    wanted = model or SHOWN_DEFAULT_MODEL
    if model is not None:
        catalog.resolve(model)
    missing = {extra: missing_modules(extra) for extra in EXTRAS}
    hardware = detect_hardware()
    files = installed_files(settings, catalog=catalog)
    models = tuple(dict.fromkeys(entry.alias for entry in files))
    compiler, compiler_problem = _compiler()
    choice, choice_problem = _chosen(wanted, files=files, catalog=catalog, hardware=hardware)
    tried = choice if choice is not None and choice.is_installed else None
    if tried is None and model is None and models:
        tried, _ = _chosen(models[0], files=files, catalog=catalog, hardware=hardware)
    speed, failure = None, None
    if tried is not None and not missing["engine"] and not missing["native"]:
        speed, failure = await _trial(tried, settings=settings)
    return Findings(
        hardware=hardware,
        compiler=compiler,
        compiler_problem=compiler_problem,
        missing=missing,
        models=models,
        default_model=wanted,
        speed=speed,
        failure=failure,
        files=tuple(entry.reference for entry in files),
        power=read_power_state(),
        choice=choice,
        choice_problem=choice_problem,
        recommended=_chosen(Need(), files=files, catalog=catalog, hardware=hardware)[0],
    )


def installed_files(settings: Settings, *, catalog: Catalog) -> tuple[CatalogEntry, ...]:
    """Files of the catalog's models that answer and are in the store, the smallest model first."""
    store = open_store(settings)
    chats = [entry for entry in catalog.entries if entry.purpose is ModelPurpose.CHAT]
    here = [entry for entry in chats if store.holds(entry)]
    return tuple(sorted(here, key=lambda entry: entry.parameter_count))


def _chosen(
    need: str | Need,
    *,
    files: tuple[CatalogEntry, ...],
    catalog: Catalog,
    hardware: Hardware,
) -> tuple[Choice | None, str | None]:
    here = {entry.reference for entry in files}
    try:
        choice = resolve(
            need,
            catalog=catalog,
            hardware=hardware,
            is_installed=lambda entry: entry.reference in here,
        )
    except SmallholdError as error:
        return None, str(error)
    return choice, None


def _compiler() -> tuple[str | None, str | None]:
    try:
        return str(find_compiler(os.environ)), None
    except CompilerMissingError as error:
        return None, str(error)


async def _trial(choice: Choice, *, settings: Settings) -> tuple[Speed | None, str | None]:
    # Only here, where the engine's modules are known to be present.
    from smallhold.cli.speed_trial import try_speed  # noqa: PLC0415
    from smallhold.engine.config import ModelConfig  # noqa: PLC0415
    from smallhold.runtimes.embedded import EmbeddedRuntime  # noqa: PLC0415

    entry = choice.entry
    try:
        path = open_store(settings).require(entry)
        # Without a folder for snapshots: a prompt that is read from disk is not measured.
        config = ModelConfig(path=path, name=entry.alias, gpu_layers=choice.plan.gpu_layers)
        return await try_speed(EmbeddedRuntime(config), model=entry.alias), None
    except SmallholdError as error:
        return None, str(error)


def show_findings(findings: Findings, *, console: Console) -> None:
    """Show people what was found, and last what to do."""
    console.print(_findings_table(findings))
    for problem in findings.problems:
        console.print(_problem_line("✗ ", "bold red", problem), soft_wrap=True)
    for hint in findings.hints:
        console.print(_problem_line("· ", "yellow", hint), soft_wrap=True)
    if findings.can_run:
        text = f"✓ {findings.default_model} runs on this machine."
        console.print(Text(text, style="bold green"))


def _findings_table(findings: Findings) -> Table:
    table = Table(show_header=False)
    for name, value in hardware_rows(findings.hardware):
        table.add_row(name, foreign(value))
    if findings.power is not None:
        for name, value in power_rows(findings.power):
            table.add_row(name, foreign(value))
    table.add_row("engine", "installed" if findings.engine_installed else "not installed")
    table.add_row("compiler", foreign(findings.compiler or "none"))
    table.add_row("models", foreign(", ".join(findings.models) or "none"))
    if findings.speed is not None:
        _add_speed(table, findings.speed)
    for name, choice in (("chosen", findings.choice), ("best here", findings.recommended)):
        if choice is not None:
            table.add_row(name, foreign(choice_line(choice)))
    return table


def _add_speed(table: Table, speed: Speed) -> None:
    table.add_row("engine's version", foreign(speed.engine_version))
    table.add_row("computes on", foreign(", ".join(speed.backends) or "unknown"))
    table.add_row("compiled for", foreign(" ".join(speed.cpu_features)))
    table.add_row("tried", f"{speed.model}, loaded in {speed.load_s:.1f} s")
    for name, rate in (
        ("reading", speed.prefill_tokens_per_s),
        ("writing", speed.decode_tokens_per_s),
    ):
        table.add_row(name, "-" if rate is None else f"{rate:,.0f} tokens/s")


def _problem_line(mark: str, style: str, problem: Problem) -> Text:
    line = Text.assemble((mark, style), foreign(problem.what))
    if problem.command is not None:
        line.append_text(Text.assemble("  Run: ", (problem.command, "bold")))
    return line
