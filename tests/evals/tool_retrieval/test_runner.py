"""Promises of `smallhold.evals.tool_retrieval.runner`: this file holds tests of asking."""

from __future__ import annotations

import pytest

from smallhold.evals.tool_retrieval import RankedRow, RetrievalRow, RetrievalSet, run_retrieval
from smallhold.exceptions import ConfigError
from smallhold.messages import ToolSchema
from smallhold.tools.retrieval import DescribedTool, ToolRetriever

TOOLS = tuple(
    DescribedTool(schema=ToolSchema(name=name, description=text, parameters={}))
    for name, text in (("weather", "Forecast rain"), ("flight", "Reserve a seat"))
)
ROWS = tuple(
    RetrievalRow(text=text, tools=frozenset({name}))
    for text, name in (("will rain fall", "weather"), ("a seat", "flight"), ("a seat", "weather"))
)
DATA = RetrievalSet(name="x", tools=TOOLS, rows=ROWS)


async def test_each_message_gets_a_ranking_in_order() -> None:
    seen: list[RankedRow] = []
    done = await run_retrieval(DATA, retriever=ToolRetriever(TOOLS), on_row=seen.append)
    assert [row.names for row in done] == [
        ("weather", "flight"), ("flight", "weather"), ("flight", "weather"),
    ]  # fmt: skip
    assert seen == done
    assert all(row.seconds > 0 for row in done)


async def test_a_limit_takes_the_first_rows() -> None:
    assert len(await run_retrieval(DATA, retriever=ToolRetriever(TOOLS), limit=2)) == 2


async def test_a_limit_below_one_is_refused() -> None:
    with pytest.raises(ConfigError):
        await run_retrieval(DATA, retriever=ToolRetriever(TOOLS), limit=0)


def test_recall_is_the_share_of_the_needed_tools() -> None:
    row = RetrievalRow(text="x", tools=frozenset({"a", "b", "c", "d"}))
    ranked = RankedRow(row=row, names=("a", "z", "b", "y"), seconds=0.1)
    assert [ranked.recall(depth) for depth in (1, 2, 3, 10)] == [0.25, 0.25, 0.5, 0.5]
