from __future__ import annotations

from smallhold.state import Database, State
from smallhold.state.memory.rows import FactRows, SubjectRow


async def test_keys_tell_tenants_subjects_and_attributes_apart(database: Database) -> None:
    state = State(database, tenant="north")
    north, south = (
        FactRows(database=rows) for rows in (state.rows, state.for_tenant("south").rows)
    )
    keys = [
        await north.subject_key("ann"),
        await south.subject_key("ann"),
        await north.subject_key("Ann"),
        await north.attribute_key("ann", "drink"),
        await north.attribute_key("ann", "town"),
        await north.attribute_key("bob", "drink"),
    ]
    assert len(set(keys)) == len(keys)
    assert keys[3] == await north.attribute_key("ann", "Drink")


async def test_a_subject_is_read_as_it_was_written(state: State) -> None:
    rows = FactRows(database=state.rows)
    key = await rows.subject_key("ann")
    async with state.rows.writing() as connection:
        assert await rows.subject(connection, key) is None
        row = SubjectRow(revision="r1", next_position=3)
        await rows.add_subject(connection, key, row, subject="ann")
        assert await rows.subject(connection, key) == row
        assert await rows.subjects(connection) == ("ann",)
        assert await rows.drop_empty_subject(connection, key)
        assert await rows.subject(connection, key) is None
