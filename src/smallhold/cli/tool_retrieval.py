"""Measuring tool retrieval: this file holds the command `eval tool-retrieval`."""

from __future__ import annotations

from typing import Final

from rich.console import Console
from rich.table import Table

from smallhold.cli.row_progress import row_progress
from smallhold.cli.terminal import printable
from smallhold.evals.tool_retrieval import (
    RankedRow,
    RetrievalReport,
    RetrievalSet,
    build_report,
    run_retrieval,
)
from smallhold.evals.tool_retrieval.report import Recall
from smallhold.runtimes.protocol import Embedder
from smallhold.runtimes.sentence_models import sentence_embedder
from smallhold.settings import Settings
from smallhold.tools.retrieval import ToolRetriever

NO_EMBEDDER: Final = "none"
"""In the place of an alias: words alone."""


def embedder_for(alias: str, *, settings: Settings) -> Embedder | None:
    """Open the embedder that `--embedder` names; `None` for words alone.

    Raises as `smallhold.runtimes.sentence_models.sentence_embedder`.
    """
    return None if alias == NO_EMBEDDER else sentence_embedder(alias, settings=settings)


async def measure_retrieval(
    data: RetrievalSet, *, embedder: Embedder | None, limit: int | None, console: Console
) -> list[RankedRow]:
    """Rank the set's tools for its messages with a progress bar.

    Raises as `smallhold.evals.tool_retrieval.run_retrieval`.
    """
    total = len(data.rows) if limit is None else min(limit, len(data.rows))
    with row_progress(
        data.name, total=total, figure="-", unit="recall@10", console=console
    ) as show:
        recalls: list[float] = []

        def count(row: RankedRow) -> None:
            recalls.append(row.recall(10))
            show(f"{sum(recalls) / len(recalls):.1%}")

        retriever = ToolRetriever(data.tools, embedder=embedder)
        return await run_retrieval(data, retriever=retriever, limit=limit, on_row=count)


def summed_up(rows: list[RankedRow], *, data: RetrievalSet, alias: str) -> RetrievalReport:
    """Make the report of a run with an embedder of this alias, or without."""
    return build_report(rows, data=data, embedder=None if alias == NO_EMBEDDER else alias)


def retrieval_table(report: RetrievalReport) -> Table:
    """Lay a report out for people."""
    title = f"{report.embedder or 'words only'} on {report.set_name}"
    table = Table(title=printable(title), show_header=False)
    table.add_row("recall@5", _with_interval(report.at_5))
    table.add_row("recall@10", _with_interval(report.at_10))
    table.add_row("best is right", f"{report.at_1.mean:.1%}")
    table.add_row("messages", str(report.n))
    table.add_row("tools", str(report.tools))
    table.add_row("time of a message, median", f"{report.median_ms:.0f} ms")
    return table


def _with_interval(recall: Recall) -> str:
    low, high = recall.ci95.low, recall.ci95.high
    return f"{recall.mean:.1%} (95 % interval {low:.1%} to {high:.1%})"
