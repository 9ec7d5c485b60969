from __future__ import annotations

from pathlib import Path

from tests.state.care.filling import fill

from smallhold.state import Database, State
from smallhold.state.care.row_copy import clear, copy_rows, is_empty
from smallhold.state.tables import METADATA


async def rows_of(database: Database) -> dict[str, list[tuple[object, ...]]]:
    async with database.reading(whole=True) as connection:
        return {
            table.name: sorted(
                (tuple(row) for row in await connection.execute(table.select())), key=repr
            )
            for table in METADATA.sorted_tables
        }


async def test_a_copy_has_every_row_as_it_is(state: State, tmp_path: Path) -> None:
    await fill(state)
    other = Database(tmp_path / "copy.db", keys=state.database.keys)
    async with (
        other.writing() as target,
        state.database.reading(whole=True) as source,
    ):
        await clear(target)
        copied = await copy_rows(source, target)
    before, after = await rows_of(state.database), await rows_of(other)
    await other.aclose()
    assert before == after
    assert copied == sum(map(len, before.values()))


async def test_a_database_is_empty_until_something_is_stored(state: State) -> None:
    async with state.database.writing() as connection:
        assert await is_empty(connection)
    await fill(state)
    async with state.database.writing() as connection:
        assert not await is_empty(connection)
        await clear(connection)
        assert await is_empty(connection)
