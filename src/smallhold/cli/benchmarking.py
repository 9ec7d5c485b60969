"""Comparing engines on this machine: this file holds the command `bench`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import anyio
from rich.console import Console
from rich.table import Table

from smallhold.cli.agent_setup import is_path
from smallhold.cli.options import SHOWN_DEFAULT_MODEL
from smallhold.cli.residency_bench import hold_residency_bench
from smallhold.cli.terminal import foreign, printable, result_console, side_console, write_json
from smallhold.evals.bench import BenchSetup, SuiteReport, Turn, suites_named
from smallhold.evals.bench.suites import RESIDENCY
from smallhold.exceptions import ConfigError
from smallhold.messages import JsonObject, JsonValue
from smallhold.models import detect_hardware, open_catalog, open_store
from smallhold.settings import load_settings

_NUMBERS: Final = ("limit", "sessions", "threads")


def model_file(model: str) -> Path:
    """Find the GGUF file of an alias, or take a path as it is.

    Raises:
        UnknownModelError: the alias is not in the catalog.
        ModelNotInstalledError: the model has not been pulled.
    """
    if is_path(model):
        return Path(model)
    settings = load_settings()
    return open_store(settings).require(open_catalog(settings).resolve(model))


class RoundLines:
    """Progress on a console: one line for each round."""

    def __init__(self, console: Console, *, rounds: int) -> None:
        self._console = console
        self._rounds = rounds
        self._round = -1

    def __call__(self, turn: Turn) -> None:
        """Take note of a turn that has ended."""
        if turn.round != self._round:
            self._round = turn.round
            self._console.print(f"round {turn.round + 1}/{self._rounds}", style="dim")


def setup_for(
    model: str | None, *, data: Path | None, rounds: int, changes: Sequence[str], console: Console
) -> BenchSetup:
    """Make a benchmark's settings from the command line.

    Raises:
        ConfigError: a value cannot be used.
        UnknownModelError: the alias is not in the catalog.
        ModelNotInstalledError: the model has not been pulled.
    """
    changed = parse_changes(changes)
    name = model or SHOWN_DEFAULT_MODEL
    return BenchSetup(
        model=Path(name).stem if is_path(name) else name,
        path=model_file(name),
        threads=changed.threads or detect_hardware().usable_cores,
        rounds=rounds,
        on_turn=RoundLines(console, rounds=rounds),
        data=data,
        peers=changed.peers,
        limit=changed.limit,
        sessions=changed.sessions,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What `--set` says."""

    limit: int | None = None
    sessions: int | None = None
    threads: int | None = None
    peers: tuple[str, ...] | None = None


def parse_changes(changes: Sequence[str]) -> Changes:
    """Read `NAME=VALUE` pairs. Raises `ConfigError` for anything else."""
    found = Changes()
    for change in changes:
        name, _, value = change.partition("=")
        if name == "peers":
            found = replace(found, peers=tuple(part for part in value.split(",") if part))
        elif name in _NUMBERS and value.isdecimal():
            found = replace(found, **{name: int(value)})
        else:
            remedy = f"write peers=NAME,NAME or one of {', '.join(_NUMBERS)} with =NUMBER"
            raise ConfigError(field="set", value=change, remedy=remedy)
    return found


def hold_bench(suite: str, *, setup: BenchSetup, as_json: bool) -> None:
    """Run the suites one after the other, and write each report as soon as there is one.

    Raises:
        ConfigError: there is no such suite, or it lacks its data.
        SmallholdError: a contestant failed.
    """
    console = side_console()
    if suite == RESIDENCY:
        hold_residency_bench(
            requests=setup.limit, threads=setup.threads, as_json=as_json, console=console
        )
        return
    for name, run in suites_named(suite).items():
        console.print(f"suite {name}", style="bold")
        show_report(anyio.run(run, setup), console=console, as_json=as_json)


def show_report(report: SuiteReport, *, console: Console, as_json: bool) -> None:
    """Write a report to stdout, and to the console which peers could not take part."""
    for name, reason in report.missing_peers.items():
        console.print(foreign(f"Without {name}: {reason}.", style="yellow"))
    if as_json:
        write_json(report.to_dict())
    else:
        result_console().print(*report_tables(report))


def report_tables(report: SuiteReport) -> tuple[Table, Table]:
    """Lay a report out for people: the contestants side by side, and the ratios."""
    document = report.standings
    columns = {"ours": flat(document.ours)}
    columns |= {name: flat(figures) for name, figures in document.peers.items()}
    title = printable(f"{report.suite} on {report.model}, {report.rounds} rounds")
    contestants = Table(title=title)
    contestants.add_column("")
    for name in columns:
        contestants.add_column(name, justify="right")
    for key in columns["ours"]:
        cells = (figures.get(key, "-") for figures in columns.values())
        contestants.add_row(key.replace("_", " "), *cells)
    ratios = Table(title="ours over the best peer")
    ratios.add_column("")
    ratios.add_column("ratio", justify="right")
    for key, value in document.ratio.items():
        ratios.add_row(key.replace("_", " "), "-" if value is None else f"{value:.3f}")
    return contestants, ratios


def flat(figures: JsonObject, *, prefix: str = "") -> dict[str, str]:
    """Write figures as text, those inside others under both names."""
    lines: dict[str, str] = {}
    for key, value in figures.items():
        if isinstance(value, Mapping):
            lines |= flat(value, prefix=f"{prefix}{key} ")
        else:
            lines[f"{prefix}{key}"] = cell(value)
    return lines


def cell(value: JsonValue) -> str:
    """Write one figure."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.2f}"
    return str(value)
