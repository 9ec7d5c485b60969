from __future__ import annotations

from sqlalchemy import select
from tests.state.set_clock import SetClock

from smallhold.state import Database, State
from smallhold.state.memory import Memory, Provenance
from smallhold.state.tables.memory import FACTS, MEMORY_MARKS, SUBJECTS


async def revision(database: Database) -> str | None:
    async with database.reading(whole=True) as connection:
        return await connection.scalar(select(SUBJECTS.c.revision))


async def test_every_change_gives_the_subject_a_revision_never_seen_before(
    database: Database, memory: Memory
) -> None:
    seen: list[str | None] = []
    fact = await memory.remember("ann", "drink", "tea")
    seen.append(await revision(database))
    await memory.remember("ann", "drink", "tea")
    seen.append(await revision(database))
    await memory.remember_also("ann", "allergy", "nuts")
    seen.append(await revision(database))
    await memory.forget(fact.id)
    seen.append(await revision(database))
    assert None not in seen
    assert len(set(seen)) == 4


async def test_a_message_read_twice_changes_nothing_at_all(
    database: Database, memory: Memory
) -> None:
    source = Provenance(session="s", entry=1)
    await memory.remember("ann", "drink", "tea", provenance=source)
    before = await revision(database)
    await memory.remember("ann", "drink", "tea", provenance=source)
    assert await revision(database) == before


async def test_the_mark_follows_the_clock_in_steps(
    database: Database, memory: Memory, clock: SetClock
) -> None:
    start_s = clock.now_s
    for step_s in (0.0, 1.0, 100.0, -1e6):
        clock.now_s = start_s + step_s
        await memory.remember("ann", "step", str(step_s))
    async with database.reading(whole=True) as connection:
        assert await connection.scalar(select(MEMORY_MARKS.c.written_s)) == start_s + 100.0


async def test_nothing_a_person_wrote_stands_in_a_column_in_the_clear(database: Database) -> None:
    await State(database).memory.remember("Zaphod", "favourite drink", "Gargle Blaster")
    async with database.reading(whole=True) as connection:
        for table in (FACTS, SUBJECTS):
            row = (await connection.execute(select(table))).mappings().one()
            clear = str({name: value for name, value in row.items() if name != "payload"})
            assert "Zaphod" not in clear
            assert "drink" not in clear
            assert "Gargle" not in clear
