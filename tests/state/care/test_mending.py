from __future__ import annotations

from sqlalchemy import delete, update
from tests.state.care.filling import fill

from smallhold.state import State
from smallhold.state.care import check
from smallhold.state.care.mending import Mending, look_through
from smallhold.state.tables import FACTS, OUTBOX
from smallhold.state.tables.memory import SUBJECTS
from smallhold.state.tables.outbox import OUTBOX_QUEUES


async def mend(state: State) -> Mending:
    mending = Mending(now_s=1_700_000_000.0)
    found = await check(state.database)
    async with state.database.writing() as connection:
        for finding in found.findings:
            await mending.mend(connection, state.database, finding)
    await look_through(state.database, mending.queues)
    return mending


async def test_the_name_of_whom_facts_are_about_is_read_from_the_facts(state: State) -> None:
    await fill(state)
    before = await state.memory.subjects()
    async with state.rows.writing() as connection:
        await connection.execute(update(SUBJECTS).values(payload=b"\x00oops"))
    mending = await mend(state)
    assert mending.rows == []
    assert await state.memory.subjects() == before
    assert (await check(state.database)).is_sound


async def test_a_lost_vector_costs_nothing_but_the_vector(state: State) -> None:
    await fill(state)
    async with state.rows.writing() as connection:
        await connection.execute(update(FACTS).values(vector=b"\x00oops", embedding_model="m"))
    mending = await mend(state)
    assert mending.rows == []
    assert len(await state.memory.facts("somebody else")) == 1
    assert (await check(state.database)).is_sound


async def test_the_order_of_effects_is_made_anew(state: State) -> None:
    await fill(state)
    async with state.rows.writing() as connection:
        await connection.execute(delete(OUTBOX_QUEUES))
    await mend(state)
    assert (await check(state.database)).is_sound
    put = await state.outbox.put(destination="d", body={}, session="session-0")
    assert put.number == 3


async def test_a_damaged_effect_no_longer_blocks_its_session(state: State) -> None:
    await fill(state)
    async with state.rows.writing() as connection:
        damage = update(OUTBOX).where(OUTBOX.c.number == 1).values(payload=b"\x00oops")
        await connection.execute(damage)
    sent: list[int] = []

    async def send(item: object) -> None:
        sent.append(getattr(item, "number", 0))

    await state.outbox.deliver(send)
    assert sent == []
    mending = await mend(state)
    assert [table for table, _ in mending.rows] == ["outbox"]
    await state.outbox.deliver(send)
    assert sent == [2]
