from __future__ import annotations

from sqlalchemy import LargeBinary
from tests.state.care.filling import fill

from smallhold.state import State
from smallhold.state.care import check
from smallhold.state.care.sealed_columns import SEALED_COLUMNS
from smallhold.state.tables import METADATA


def test_every_column_of_bytes_is_listed() -> None:
    columns = {
        column
        for table in METADATA.sorted_tables
        for column in table.c
        if isinstance(column.type, LargeBinary)
    }
    assert {sealed.column for sealed in SEALED_COLUMNS} == columns


def test_no_two_columns_share_a_name_in_the_seal() -> None:
    assert len({sealed.seal_name for sealed in SEALED_COLUMNS}) == len(SEALED_COLUMNS)


async def test_every_row_is_named_as_its_owner_named_it(state: State) -> None:
    await fill(state)
    async with state.database.reading(whole=True) as connection:
        for sealed in SEALED_COLUMNS:
            rows = (await connection.execute(sealed.table.select())).mappings().all()
            for row in rows:
                if row[sealed.column.name] is not None:
                    state.database.sealer.unseal_bytes(
                        row[sealed.column.name],
                        tenant=sealed.tenant_of(row),
                        table=sealed.seal_name,
                        row=sealed.row_name(row),
                    )
    assert (await check(state.database)).is_sound
