"""Putting messages to a retriever: this file holds the run over the rows of a set."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from smallhold.evals.tool_retrieval.dataset import RetrievalRow, RetrievalSet
from smallhold.exceptions import ConfigError
from smallhold.tools.retrieval import ToolRetriever

DEPTH: Final = 10
"""How many tools of each ranking are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedRow:
    """What came back for one message."""

    row: RetrievalRow
    names: tuple[str, ...]
    """The best `DEPTH` tools, the best first."""
    seconds: float

    def recall(self, depth: int) -> float:
        """Share of the tools needed that are among the first `depth`, 0 to 1."""
        return len(self.row.tools.intersection(self.names[:depth])) / len(self.row.tools)


def ignore_row(row: RankedRow) -> None:
    """Take no notice of progress."""
    del row


async def run_retrieval(
    data: RetrievalSet,
    *,
    retriever: ToolRetriever,
    limit: int | None = None,
    on_row: Callable[[RankedRow], None] = ignore_row,
) -> list[RankedRow]:
    """Rank the set's tools for each message.

    Args:
        data: What to ask.
        retriever: Holds the tools of `data`.
        limit: Only the first so many rows.
        on_row: Called after each row.

    Raises:
        ConfigError: The limit is below 1.
    """
    if limit is not None and limit < 1:
        raise ConfigError(field="limit", value=limit, remedy="give 1 or more")
    # The first message would else carry the time in which the tools are read.
    await retriever.rank(data.rows[0].text, limit=1)
    done: list[RankedRow] = []
    for row in data.rows[:limit]:
        started_s = time.perf_counter()
        found = await retriever.rank(row.text, limit=DEPTH)
        ranked = RankedRow(
            row=row,
            names=tuple(tool.name for tool in found),
            seconds=time.perf_counter() - started_s,
        )
        done.append(ranked)
        on_row(ranked)
    return done
