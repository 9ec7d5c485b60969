"""Measuring a model on BFCL: this file holds the command `eval bfcl`."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from smallhold.cli.options import ToolChoiceWord
from smallhold.cli.row_progress import row_progress
from smallhold.cli.terminal import printable
from smallhold.evals.bfcl import BFCLReport, BFCLRow, RowResult, run_bfcl
from smallhold.evals.bfcl.agent_decider import scored_decider
from smallhold.runtimes.protocol import Runtime


async def measure_bfcl(
    rows: Sequence[BFCLRow],
    *,
    runtime: Runtime,
    tool_choice: ToolChoiceWord,
    limit: int | None,
    console: Console,
) -> list[RowResult]:
    """Put rows to a model with a progress bar, and close the runtime afterwards.

    Raises as `smallhold.evals.bfcl.run_bfcl`.
    """
    total = len(rows) if limit is None else min(limit, len(rows))
    try:
        with row_progress(
            runtime.name, total=total, figure="0", unit="right", console=console
        ) as show:
            right = 0

            def count(result: RowResult) -> None:
                nonlocal right
                right += result.verdict.correct
                show(str(right))

            decide = scored_decider(runtime, tool_choice=tool_choice)
            return await run_bfcl(rows, decide=decide, limit=limit, on_row=count)
    finally:
        await runtime.aclose()


def report_table(report: BFCLReport) -> Table:
    """Lay a report out for people."""
    table = Table(title=printable(f"{report.model} on BFCL {report.category}"), show_header=False)
    low, high = report.ci95.low, report.ci95.high
    table.add_row("accuracy", f"{report.accuracy:.1%} (95 % interval {low:.1%} to {high:.1%})")
    table.add_row("rows", str(report.n))
    table.add_row("valid", f"{report.valid_rate:.1%}")
    table.add_row("passes per call", _number(report.passes_per_call))
    table.add_row("prompt tokens, mean", _number(report.prompt_tokens_mean))
    for kind, count in report.errors.items():
        table.add_row(f"wrong: {kind}", str(count))
    return table


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f}"
