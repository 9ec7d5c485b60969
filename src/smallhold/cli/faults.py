"""The agent under a small model's faults: this file holds the command `eval faults`."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from smallhold.cli.terminal import foreign
from smallhold.evals.faults import FaultCase, FaultsReport, Form, Mark, Verdict, run_faults

TITLES = {Form.NATIVE: "native calls", Form.OWN_DECODER: "own decoder"}


async def measure_faults(cases: Sequence[FaultCase], *, console: Console) -> FaultsReport:
    """Put our agent through cases, with a progress bar."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[passed]} passed"),
    )
    with Progress(*columns, console=console) as progress:
        total = sum(len(case.forms) for case in cases)
        task = progress.add_task("faults", total=total, passed=0)
        passed = 0

        def count(form: Form, verdict: Verdict) -> None:
            nonlocal passed
            del form
            passed += verdict.passed
            progress.update(task, advance=1, passed=passed)

        return FaultsReport(verdicts=await run_faults(cases, on_verdict=count))


def report_table(report: FaultsReport) -> Table:
    """Lay a report out for people: a row for each case, the marks that were missed in words."""
    title = f"{len(report.cases) - len(report.failed)} of {len(report.cases)} cases passed"
    table = Table("case", *TITLES.values(), title=title)
    for name in report.cases:
        cells = [_cell(name, report.verdicts.get(form, ())) for form in TITLES]
        table.add_row(name, *[foreign(text) for text in cells])
    return table


def _cell(name: str, verdicts: Sequence[Verdict]) -> str:
    for verdict in verdicts:
        if verdict.case == name:
            missed = [
                f"{mark.value}: {verdict.problems[mark]}"
                for mark in Mark
                if mark in verdict.problems
            ]
            return "; ".join(missed) or "ok"
    return "-"
