"""From rankings to figures: this file holds the report on tool retrieval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, median, pstdev

from smallhold.evals.intervals import Z_95, Interval
from smallhold.evals.tool_retrieval.dataset import RetrievalSet
from smallhold.evals.tool_retrieval.runner import RankedRow
from smallhold.exceptions import ConfigError
from smallhold.messages import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """Share of the tools needed that were found, the mean over messages."""

    mean: float
    ci95: Interval
    """Of the mean: normal approximation, cut at 0 and 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrievalReport:
    """The figures of one set."""

    set_name: str
    embedder: str | None
    """Alias of the sentence model; `None`: words only."""
    n: int
    """Messages."""
    tools: int
    at_1: Recall
    at_5: Recall
    at_10: Recall
    median_ms: float
    """Time of one message, with embedding it."""

    def to_dict(self) -> JsonObject:
        """The report as JSON, with the keys that `smallhold eval tool-retrieval` promises."""
        return {
            "set": self.set_name,
            "embedder": self.embedder,
            "n": self.n,
            "tools": self.tools,
            "recall_at_1": round(self.at_1.mean, 4),
            "recall_at_5": round(self.at_5.mean, 4),
            "recall_at_10": round(self.at_10.mean, 4),
            "ci95_at_5": [round(self.at_5.ci95.low, 4), round(self.at_5.ci95.high, 4)],
            "ci95_at_10": [round(self.at_10.ci95.low, 4), round(self.at_10.ci95.high, 4)],
            "median_ms": round(self.median_ms, 1),
        }


def build_report(
    rows: Sequence[RankedRow], *, data: RetrievalSet, embedder: str | None
) -> RetrievalReport:
    """Sum up the rows of a run.

    Raises:
        ConfigError: There are no rows.
    """
    if not rows:
        raise ConfigError(field="rows", value=[], remedy="rank the tools for at least one message")
    return RetrievalReport(
        set_name=data.name,
        embedder=embedder,
        n=len(rows),
        tools=len(data.tools),
        at_1=mean_recall([row.recall(1) for row in rows]),
        at_5=mean_recall([row.recall(5) for row in rows]),
        at_10=mean_recall([row.recall(10) for row in rows]),
        median_ms=1000 * median(row.seconds for row in rows),
    )


def mean_recall(values: Sequence[float]) -> Recall:
    """Average recalls of messages, at least one, each 0 to 1.

    Source:
        The standard error of a mean, s / sqrt(n); a message may need several tools, so its recall
        is a fraction and no interval for counts applies.
    """
    mean = fmean(values)
    margin = Z_95 * pstdev(values) / sqrt(len(values))
    return Recall(
        mean=mean, ci95=Interval(low=max(0.0, mean - margin), high=min(1.0, mean + margin))
    )
