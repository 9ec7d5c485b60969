from __future__ import annotations

from typing import Any

import pytest
from tests.state.care.filling import fill

from smallhold.state import State
from smallhold.state.care.batches import Batches
from smallhold.state.tables import ENTRIES


@pytest.mark.parametrize("rows", [1, 2, 4, 100])
async def test_a_walk_meets_every_row_once_whatever_the_size_of_its_batches(
    state: State, rows: int
) -> None:
    await fill(state)
    batches = Batches(table=ENTRIES, columns=tuple(ENTRIES.primary_key.columns), rows=rows)
    met: list[tuple[Any, ...]] = []
    async with state.database.reading(whole=True) as connection:
        while True:
            after = met[-1] if met else None
            found = (await connection.execute(batches.query(after=after))).mappings().all()
            met += [batches.key_of(row) for row in found]
            if len(found) < rows:
                break
    expected = [("default", f"session-{n}", seq) for n in range(3) for seq in range(1, 4)]
    assert met == expected


async def test_a_condition_leaves_rows_out(state: State) -> None:
    await fill(state)
    batches = Batches(
        table=ENTRIES, columns=tuple(ENTRIES.primary_key.columns), where=ENTRIES.c.seq == 2
    )
    async with state.database.reading(whole=True) as connection:
        found = (await connection.execute(batches.query(after=None))).all()
    assert [row.seq for row in found] == [2, 2, 2]
