"""Putting questions to an agent that it may not be able to answer: this file holds the run."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from smallhold.evals.bfcl.runner import ROW_ERRORS
from smallhold.evals.when2call.dataset import Behaviour, When2CallRow
from smallhold.exceptions import ConfigError
from smallhold.messages import Usage

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaved:
    """What an agent decided to do with one row."""

    behaviour: Behaviour
    usage: Usage
    tools: tuple[str, ...] = ()
    """Names of the tools that were called."""
    is_direct: bool = False
    """Whether the agent would have answered from what it knows, which is none of the classes; it
    counts as `CANNOT_ANSWER`, since no tool was taken to be of use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowResult:
    """A row and what was done with it."""

    row: When2CallRow
    behaved: Behaved | None
    """`None` where the run failed on this row."""

    @property
    def done(self) -> Behaviour | None:
        """The class of what was done; `None` where nothing was."""
        return None if self.behaved is None else self.behaved.behaviour

    @property
    def is_right(self) -> bool:
        """Whether the label's own behaviour was shown."""
        return self.done is self.row.label


Behave: TypeAlias = Callable[[When2CallRow], Awaitable[Behaved]]
"""Decides on a row. It must not read the row's `label` or `target_tool`."""

OnRow: TypeAlias = Callable[[RowResult], None]
"""Told of each row's result as soon as there is one, for progress and records."""


async def run_when2call(
    rows: Sequence[When2CallRow],
    *,
    behave: Behave,
    limit: int | None = None,
    on_row: OnRow | None = None,
) -> list[RowResult]:
    """Put rows to an agent one after the other, in their order.

    Args:
        rows: The questions.
        behave: The agent.
        limit: Only the first so many rows, 1 or more; `None` for all of them.
        on_row: Called after each row.

    Raises:
        ConfigError: `limit` is below 1.
        SmallholdError: Whatever `behave` raises beside `ROW_ERRORS`, which say something about one
            row only; that row counts as wrong.
    """
    if limit is not None and limit < 1:
        raise ConfigError(field="limit", value=limit, remedy="give 1 or more, or leave it out")
    results: list[RowResult] = []
    for row in rows[:limit]:
        result = await _run_row(row, behave=behave)
        results.append(result)
        if on_row is not None:
            on_row(result)
    return results


async def _run_row(row: When2CallRow, *, behave: Behave) -> RowResult:
    try:
        return RowResult(row=row, behaved=await behave(row))
    except ROW_ERRORS as error:
        details = {"row_id": row.id, "error": type(error).__name__}
        logger.warning("evals.when2call.row_failed", extra=details)
        return RowResult(row=row, behaved=None)
