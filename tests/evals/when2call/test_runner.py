"""Behaviour of the run over When2Call."""

from __future__ import annotations

import pytest
from anyio import lowlevel
from tests.evals.when2call.rows import ASK, CALL, row

from smallhold.evals.when2call import Behaved, RowResult, When2CallRow, run_when2call
from smallhold.exceptions import ConfigError, ContextOverflowError, WorkerDiedError
from smallhold.messages import Usage

pytestmark = pytest.mark.anyio


async def always_asks(row: When2CallRow) -> Behaved:
    await lowlevel.checkpoint()
    assert row.id
    return Behaved(behaviour=ASK, usage=Usage())


async def overflows(row: When2CallRow) -> Behaved:
    await lowlevel.checkpoint()
    assert row.id
    raise ContextOverflowError(prompt_tokens=9, limit_tokens=3)


async def test_each_row_is_put_in_order_and_told_of() -> None:
    told: list[RowResult] = []
    rows = [row(ASK, name="a"), row(CALL, name="b")]
    results = await run_when2call(rows, behave=always_asks, on_row=told.append)
    assert [(one.row.id, one.is_right) for one in results] == [("a", True), ("b", False)]
    assert told == results


async def test_a_row_that_cannot_be_decided_is_wrong_and_the_run_goes_on() -> None:
    (result,) = await run_when2call([row(ASK)], behave=overflows)
    assert (result.done, result.is_right) == (None, False)


async def test_an_engine_that_dies_ends_the_run() -> None:
    async def dies(row: When2CallRow) -> Behaved:
        await lowlevel.checkpoint()
        raise WorkerDiedError(model=row.id, cause="killed")

    with pytest.raises(WorkerDiedError):
        await run_when2call([row(ASK)], behave=dies)


async def test_a_limit_takes_the_first_rows_and_must_be_above_zero() -> None:
    rows = [row(ASK, name="a"), row(ASK, name="b")]
    assert len(await run_when2call(rows, behave=always_asks, limit=1)) == 1
    with pytest.raises(ConfigError, match="limit"):
        await run_when2call(rows, behave=always_asks, limit=0)
