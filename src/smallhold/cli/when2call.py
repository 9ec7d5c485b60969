"""Measuring whether a model knows when to call: this file holds the command `eval when2call`."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from smallhold.cli.row_progress import row_progress
from smallhold.cli.terminal import printable
from smallhold.evals.when2call import RowResult, When2CallReport, When2CallRow, run_when2call
from smallhold.evals.when2call.agent_decider import scored_behaviour
from smallhold.evals.when2call.report import Share
from smallhold.runtimes.protocol import Runtime


async def measure_when2call(
    rows: Sequence[When2CallRow], *, runtime: Runtime, limit: int | None, console: Console
) -> list[RowResult]:
    """Put rows to a model with a progress bar, and close the runtime afterwards.

    Raises as `smallhold.evals.when2call.run_when2call`.
    """
    total = len(rows) if limit is None else min(limit, len(rows))
    try:
        with row_progress(
            runtime.name, total=total, figure="0", unit="right", console=console
        ) as show:
            right = 0

            def count(result: RowResult) -> None:
                nonlocal right
                right += result.is_right
                show(str(right))

            behave = scored_behaviour(runtime)
            return await run_when2call(rows, behave=behave, limit=limit, on_row=count)
    finally:
        await runtime.aclose()


def report_tables(report: When2CallReport) -> tuple[Table, Table]:
    """Lay a report out for people: its figures, and how often what was done."""
    figures = Table(title=printable(f"{report.model} on When2Call"), show_header=False)
    low, high = report.macro_f1_ci95.low, report.macro_f1_ci95.high
    figures.add_row("macro F1", f"{report.macro_f1:.3f} (95 % interval {low:.3f} to {high:.3f})")
    figures.add_row("macro F1, direct answers wrong", f"{report.macro_f1_strict:.3f}")
    figures.add_row("rows", str(report.n))
    figures.add_row("right", _percent(report.accuracy))
    figures.add_row("called when no tool applies", _percent(report.hallucinated_calls))
    figures.add_row("called when something is missing", _percent(report.unfounded_calls))
    figures.add_row("right tool where a call was right", _percent(report.right_tool))
    figures.add_row("direct answers", str(report.direct_answers))
    figures.add_row("passes, mean", f"{report.passes_mean:,.1f}")
    figures.add_row("prompt tokens, mean", f"{report.prompt_tokens_mean:,.1f}")
    done = sorted({name for counts in report.confusion.values() for name in counts})
    matrix = Table("label", "F1", *done, title="what was done")
    for label, score in report.classes.items():
        counts = report.confusion[label.value]
        matrix.add_row(label.value, f"{score.f1:.3f}", *(str(counts.get(name, 0)) for name in done))
    return figures, matrix


def _percent(share: Share) -> str:
    value, interval = share.value, share.ci95
    if value is None or interval is None:
        return "-"
    ends = f"95 % interval {interval.low:.1%} to {interval.high:.1%}"
    return f"{value:.1%} of {share.whole} ({ends})"
