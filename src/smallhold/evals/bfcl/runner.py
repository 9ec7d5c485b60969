"""Putting the board's questions to an agent: this file holds the run over a category's rows."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from smallhold.evals.bfcl.dataset import BFCLRow
from smallhold.evals.bfcl.report import RowResult
from smallhold.evals.bfcl.scoring import Mistake, score_row, wrong
from smallhold.evals.bfcl.validation import SchemaCheck, calls_are_valid, json_schema_check
from smallhold.exceptions import (
    ConfigError,
    ContextOverflowError,
    DeadlineExceededError,
    ModelOutputError,
    UnsupportedSchemaError,
)
from smallhold.messages import ToolCall, Usage

logger = logging.getLogger(__name__)

ROW_ERRORS = (
    ContextOverflowError,
    DeadlineExceededError,
    ModelOutputError,
    UnsupportedSchemaError,
)
"""Errors that say something about one row, which is then counted as wrong. Any other (the engine
died, a setting is bad) would come back on every row, so it ends the run instead of its score."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """An agent's answer to one row."""

    calls: tuple[ToolCall, ...]
    usage: Usage


Decide: TypeAlias = Callable[[BFCLRow], Awaitable[Decided]]
"""Answers a row. It must not read the row's `ground_truth`."""

OnRow: TypeAlias = Callable[[RowResult], None]
"""Told of each row's result as soon as there is one, for progress and records."""


async def run_bfcl(
    rows: Sequence[BFCLRow],
    *,
    decide: Decide,
    limit: int | None = None,
    on_row: OnRow | None = None,
) -> list[RowResult]:
    """Put rows to an agent one after the other, in their order, and score the answers.

    Args:
        rows: The questions.
        decide: The agent.
        limit: Only the first so many rows, 1 or more; `None` for all of them.
        on_row: Called after each row.

    Raises:
        ConfigError: `limit` is below 1, or the `evals` extra is not installed.
        SmallholdError: Whatever `decide` raises beside `ROW_ERRORS`.
    """
    if limit is not None and limit < 1:
        raise ConfigError(field="limit", value=limit, remedy="give 1 or more, or leave it out")
    is_valid = json_schema_check()
    results: list[RowResult] = []
    for row in rows[:limit]:
        result = await _run_row(row, decide=decide, is_valid=is_valid)
        results.append(result)
        if on_row is not None:
            on_row(result)
    return results


async def _run_row(row: BFCLRow, *, decide: Decide, is_valid: SchemaCheck) -> RowResult:
    try:
        decided = await decide(row)
    except ROW_ERRORS as error:
        kind = type(error).__name__
        logger.warning("evals.bfcl.row_failed", extra={"row_id": row.id, "error": kind})
        verdict = wrong(Mistake.NOT_DECIDED, about=kind)
        return RowResult(row_id=row.id, verdict=verdict, calls=(), valid=False, usage=Usage())
    return RowResult(
        row_id=row.id,
        verdict=score_row(row, decided.calls),
        calls=decided.calls,
        valid=calls_are_valid(decided.calls, tools=row.tools, is_valid=is_valid),
        usage=decided.usage,
    )
