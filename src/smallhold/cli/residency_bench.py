"""Models that share memory, measured: this file holds the suite `residency` on the command line."""

from __future__ import annotations

from typing import Final

import anyio
from rich.console import Console
from rich.table import Table

from smallhold.cli.terminal import result_console, write_json
from smallhold.evals.bench.residency import (
    BUDGET,
    REQUESTS,
    ResidencyReport,
    ResidencySetup,
    run_residency,
)
from smallhold.evals.bench.residency_models import ALIASES, fitting_file
from smallhold.models import detect_hardware, open_catalog, open_store
from smallhold.settings import Settings, load_settings, parse_bytes

_SHOWN_EVERY: Final = 10
_MB: Final = 1e6


def hold_residency_bench(
    *, requests: int | None, threads: int, as_json: bool, console: Console
) -> None:
    """Run the suite and write its report.

    Args:
        requests: How many; `None` takes the suite's own number.
        threads: Threads for a pass.
        as_json: Write JSON instead of a table.
        console: Told how far it is.

    Raises:
        ModelNotInstalledError: one of the three models has not been pulled.
        SmallholdError: a model cannot be prepared.
    """
    setup = residency_setup(
        load_settings(), requests=requests or REQUESTS, threads=threads, console=console
    )

    def show(ended: int) -> None:
        if ended % _SHOWN_EVERY == 0 or ended == setup.requests:
            console.print(f"request {ended}/{setup.requests}", style="dim")

    report = anyio.run(lambda: run_residency(setup, on_answer=show))
    if as_json:
        write_json(report.to_dict())
    else:
        result_console().print(report_table(report))


def residency_setup(
    settings: Settings, *, requests: int, threads: int, console: Console
) -> ResidencySetup:
    """Find the models, and make a smaller file of one that cannot fit the budget.

    Raises:
        ModelNotInstalledError: one of them has not been pulled.
        SmallholdError: no smaller file could be made.
    """
    catalog, store = open_catalog(settings), open_store(settings)
    hardware = detect_hardware()
    budget_bytes = parse_bytes(BUDGET, field="budget")
    models = [
        (
            alias,
            fitting_file(
                store.require(catalog.resolve(alias)),
                budget_bytes=budget_bytes,
                hardware=hardware,
                threads=threads,
                folder=settings.cache / "bench",
                on_quantizing=lambda: console.print("writing a smaller file", style="dim"),
            ),
        )
        for alias in ALIASES
    ]
    return ResidencySetup(models=tuple(models), threads=threads, requests=requests)


def report_table(report: ResidencyReport) -> Table:
    """Lay the report out for people."""
    table = Table(title="residency", show_header=False)
    table.add_column("")
    table.add_column("", justify="right")
    rows = {
        "budget": f"{report.budget_bytes / _MB:,.0f} MB",
        "peak of all workers": f"{report.peak_rss_bytes / _MB:,.0f} MB",
        "requests": str(report.requests),
        "failed": str(report.failed),
        "loads": str(report.loads),
        "loads with foresight": str(report.optimal_loads),
        "largest error of an estimate": f"{report.estimate_error_max:.1%}",
        "a warm switch adds": f"{report.warm_switch_ms:.2f} ms",
        "seconds": f"{report.seconds:,.0f}",
    }
    for name, value in rows.items():
        table.add_row(name, value)
    return table
