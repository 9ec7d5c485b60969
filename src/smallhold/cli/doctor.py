"""Looking at the machine: this file holds the command `doctor`."""

from __future__ import annotations

import os

from rich.console import Console
from rich.table import Table
from rich.text import Text

from smallhold.cli.extras import EXTRAS, missing_modules
from smallhold.cli.findings import Findings, Problem
from smallhold.cli.options import SHOWN_DEFAULT_MODEL
from smallhold.cli.speed import Speed
from smallhold.cli.terminal import foreign
from smallhold.engine.build_key import find_compiler
from smallhold.exceptions import CompilerMissingError, SmallholdError
from smallhold.models import ModelPurpose, ModelStore, detect_hardware, load_catalog
from smallhold.settings import Settings

_GIGABYTE = 1e9


async def examine(settings: Settings) -> Findings:
    """Look at hardware, engine, compiler, extras and models, and try a model that is here.

    Raises:
        CatalogError: the catalog is malformed.
    """
    missing = {extra: missing_modules(extra) for extra in EXTRAS}
    models = installed_models(settings)
    compiler, compiler_problem = _compiler()
    speed, failure = None, None
    if models and not missing["engine"] and not missing["native"]:
        chosen = SHOWN_DEFAULT_MODEL if SHOWN_DEFAULT_MODEL in models else models[0]
        speed, failure = await _trial(chosen, settings=settings)
    return Findings(
        hardware=detect_hardware(),
        compiler=compiler,
        compiler_problem=compiler_problem,
        missing=missing,
        models=models,
        default_model=SHOWN_DEFAULT_MODEL,
        speed=speed,
        failure=failure,
    )


def installed_models(settings: Settings) -> tuple[str, ...]:
    """Aliases of the catalog's models that answer and are in the store, the smallest first."""
    store = ModelStore(settings.model_store)
    chats = [entry for entry in load_catalog() if entry.purpose is ModelPurpose.CHAT]
    here = [entry for entry in chats if store.find(entry) is not None]
    return tuple(entry.alias for entry in sorted(here, key=lambda entry: entry.parameter_count))


def _compiler() -> tuple[str | None, str | None]:
    try:
        return str(find_compiler(os.environ)), None
    except CompilerMissingError as error:
        return None, str(error)


async def _trial(alias: str, *, settings: Settings) -> tuple[Speed | None, str | None]:
    # Only here, where the engine's modules are known to be present.
    from smallhold.cli.speed_trial import try_speed  # noqa: PLC0415
    from smallhold.engine.config import ModelConfig  # noqa: PLC0415
    from smallhold.runtimes.embedded import EmbeddedRuntime  # noqa: PLC0415

    path = ModelStore(settings.model_store).require(load_catalog().resolve(alias))
    try:
        # Without a folder for snapshots: a prompt that is read from disk is not measured.
        runtime = EmbeddedRuntime(ModelConfig(path=path, name=alias))
        return await try_speed(runtime, model=alias), None
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
    machine = findings.hardware
    table = Table(show_header=False)
    table.add_row("system", foreign(f"{machine.system} {machine.machine}"))
    table.add_row("processor", foreign(machine.cpu_model))
    table.add_row("instruction sets", " ".join(sorted(machine.cpu_flags)) or "unknown")
    table.add_row("cores", f"{machine.usable_cores} usable of {machine.logical_cores}")
    memory = (machine.available_memory_bytes, machine.total_memory_bytes)
    table.add_row("memory", "{:.1f} GB free of {:.1f} GB".format(*(m / _GIGABYTE for m in memory)))
    table.add_row("engine", "installed" if findings.engine_installed else "not installed")
    table.add_row("compiler", foreign(findings.compiler or "none"))
    table.add_row("models", ", ".join(findings.models) or "none")
    if findings.speed is not None:
        _add_speed(table, findings.speed)
    return table


def _add_speed(table: Table, speed: Speed) -> None:
    table.add_row("engine's version", foreign(speed.engine_version))
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
