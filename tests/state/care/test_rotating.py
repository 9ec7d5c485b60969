from __future__ import annotations

from pathlib import Path

import anyio
import pytest
from sqlalchemy import update
from tests.state.care.filling import CANARY, all_bytes, fill
from tests.state.conftest import KEYS

from smallhold.exceptions import ConfigError, DatabaseError, WrongKeyError
from smallhold.security import KeyRing
from smallhold.security.encryption import key_id_of
from smallhold.state import Database, State
from smallhold.state.care import back_up, check, rotate
from smallhold.state.care.sealed_columns import SEALED_COLUMNS
from smallhold.state.database.sealing import is_plain
from smallhold.state.tables import FACTS

OLD, NEW = bytes(32), bytes(range(32))
OLD_RING = KeyRing({"old": OLD})
BOTH_RINGS = KeyRing({"new": NEW, "old": OLD})
NEW_RING = KeyRing({"new": NEW})


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


def with_other_keys(database: Database, keys: KeyRing) -> Database:
    return Database(database.address.url.render_as_string(hide_password=False), keys=keys)


async def key_ids(database: Database) -> set[str]:
    found: set[str] = set()
    async with database.reading(whole=True) as connection:
        for sealed in SEALED_COLUMNS:
            for value in (await connection.execute(sealed.table.select())).mappings():
                data = value[sealed.column.name]
                if data is not None:
                    found.add("(plain)" if is_plain(data) else key_id_of(data))
    return found


async def test_after_a_rotation_the_new_key_alone_opens_everything(database: Database) -> None:
    await fill(State(database))
    held = {} if database.keys is None else {"test": bytes(range(32))}
    both = with_other_keys(database, KeyRing({"new": bytes(32), **held}))
    await database.aclose()
    report = await rotate(both, batch_rows=2)
    await both.aclose()
    assert (report.key_id, report.unreadable, report.is_rewritten) == ("new", (), True)
    alone = with_other_keys(database, KeyRing({"new": bytes(32)}))
    assert (await check(alone)).is_sound
    assert await key_ids(alone) == {"new"}
    assert [fact.value for fact in await State(alone).memory.facts("somebody else")] == [CANARY]
    await alone.aclose()


async def test_rotating_twice_has_nothing_to_do(place: Path) -> None:
    state = State(place, keys=OLD_RING)
    await fill(state)
    await state.aclose()
    database = Database(place, keys=BOTH_RINGS)
    first = await rotate(database)
    second = await rotate(database)
    await database.aclose()
    assert first.resealed > 20
    assert (second.resealed, second.is_rewritten) == (0, False)


async def test_others_read_and_write_while_keys_are_rotated(place: Path) -> None:
    state = State(place, keys=OLD_RING)
    await fill(state, sessions=20)
    await state.aclose()
    other = State(place, keys=KeyRing({"old": OLD, "new": NEW}))
    database = Database(place, keys=BOTH_RINGS)
    is_over = False
    written = 0

    async def work() -> None:
        nonlocal written
        while not is_over:
            await other.memory.remember("somebody else", "drink", f"tea {written}")
            assert (await other.memory.facts("somebody else"))[0].value == f"tea {written}"
            written += 1

    async with anyio.create_task_group() as group:
        group.start_soon(work)
        await rotate(database, batch_rows=1, rewrites=False)
        is_over = True
    await other.aclose()
    # The other one still sealed with the old key up to the end; a second round takes care of that.
    await rotate(database)
    await database.aclose()
    alone = Database(place, keys=NEW_RING)
    assert (await check(alone)).is_sound
    await alone.aclose()
    assert written > 0


async def test_a_rotation_that_was_cut_off_goes_on(place: Path) -> None:
    state = State(place, keys=OLD_RING)
    await fill(state, sessions=30)
    await state.aclose()
    database = Database(place, keys=BOTH_RINGS)
    with anyio.move_on_after(0.05):
        await rotate(database, batch_rows=1)
    await rotate(database)
    assert await key_ids(database) == {"new"}
    assert (await check(database)).is_sound
    await database.aclose()


async def test_a_damaged_value_is_left_and_named(place: Path) -> None:
    state = State(place, keys=OLD_RING)
    await fill(state)
    async with state.rows.writing() as connection:
        await connection.execute(update(FACTS).values(payload=b"\x01\x03old" + bytes(40)))
    await state.aclose()
    database = Database(place, keys=BOTH_RINGS)
    report = await rotate(database)
    await database.aclose()
    assert {finding.table for finding in report.unreadable} == {"facts"}
    assert len(report.unreadable) == 2


async def test_a_rotation_needs_keys(place: Path) -> None:
    database = Database(place)
    with pytest.raises(ConfigError, match="keys"):
        await rotate(database)


async def test_a_rotation_without_the_old_key_changes_nothing(place: Path) -> None:
    state = State(place, keys=OLD_RING)
    await fill(state)
    await state.aclose()
    database = Database(place, keys=NEW_RING)
    with pytest.raises(WrongKeyError, match="'old'"):
        await rotate(database)
    await database.aclose()
    assert (await check(state.database)).is_sound
    await state.aclose()


async def test_nothing_in_the_clear_is_left_of_a_database_that_was_encrypted(
    place: Path,
) -> None:
    state = State(place)
    await fill(state, sessions=20)
    await state.aclose()
    assert CANARY.encode() in all_bytes(place.parent)
    database = Database(place, keys=KEYS)
    report = await rotate(database)
    assert report.is_rewritten
    await back_up(database, place.with_name("backup.db"))
    assert CANARY.encode() not in all_bytes(place.parent)
    await database.aclose()
    assert CANARY.encode() not in all_bytes(place.parent)


async def test_an_encryption_that_was_cut_off_goes_on_and_both_kinds_are_read_meanwhile(
    place: Path,
) -> None:
    state = State(place)
    await fill(state, sessions=30)
    await state.aclose()
    database = Database(place, keys=KEYS)
    with anyio.move_on_after(0.08):
        await rotate(database, batch_rows=1)
    await database.aclose()
    between = State(place, keys=KEYS)
    assert len(await between.sessions.list()) == 30
    assert (await check(between.database)).is_sound
    await between.aclose()
    await rotate(database)
    assert await key_ids(database) == {"test"}
    await database.aclose()
    with pytest.raises(WrongKeyError):
        await check(state.database)
    await state.aclose()


async def test_a_database_in_the_clear_does_not_take_a_key_by_accident(place: Path) -> None:
    state = State(place)
    await fill(state)
    await state.aclose()
    keyed = State(place, keys=KEYS)
    with pytest.raises(DatabaseError, match="smallhold state rotate"):
        await keyed.sessions.list()
    await keyed.aclose()
