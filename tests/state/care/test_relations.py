from __future__ import annotations

import pytest
from sqlalchemy import update
from tests.state.care.filling import fill

from smallhold.state import State
from smallhold.state.care.relations import RELATIONS
from smallhold.state.outbox import OutboxItem
from smallhold.state.tables import METADATA, SESSIONS


async def found(state: State) -> int:
    count = 0
    async with state.database.reading(whole=True) as connection:
        for relation in RELATIONS:
            count += len((await connection.execute(relation.query)).all())
    return count


async def accept(_item: OutboxItem) -> None:
    """Take any effect."""


@pytest.mark.parametrize("is_delivered", [True, False])
async def test_nothing_lacks_what_it_belongs_to_in_daily_use(
    state: State, *, is_delivered: bool
) -> None:
    await fill(state)
    if is_delivered:
        await state.outbox.deliver(accept)
    assert await found(state) == 0


async def test_a_session_that_says_more_than_it_has_is_found(state: State) -> None:
    await fill(state)
    async with state.rows.writing() as connection:
        await connection.execute(
            update(SESSIONS).where(SESSIONS.c.id == "session-1").values(head=9)
        )
    assert await found(state) == 1


def test_every_relation_is_about_a_table_of_ours() -> None:
    assert {relation.table for relation in RELATIONS} <= METADATA.tables.keys()
