from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import delete, insert, update
from tests.state.care.filling import all_bytes, fill
from tests.state.conftest import KEYS

from smallhold.exceptions import (
    ConfigError,
    DatabaseError,
    DatabaseFullError,
    NewerFormatError,
    WrongKeyError,
)
from smallhold.security import KeyRing
from smallhold.state import Database, State
from smallhold.state.approvals import ApprovalRequest
from smallhold.state.care import FindingKind, check
from smallhold.state.tables import ENTRIES, FACTS, OUTBOX, SESSIONS
from smallhold.state.tables.outbox import OUTBOX_QUEUES


async def test_a_sound_database_has_nothing_to_find(state: State) -> None:
    await fill(state)
    report = await check(state.database)
    assert report.findings == ()
    assert report.is_sound
    assert report.values >= 20


async def test_an_empty_database_is_sound(database: Database) -> None:
    await database.open()
    assert (await check(database)).is_sound


async def test_a_changed_value_is_found_with_its_session(state: State) -> None:
    await fill(state)
    async with state.rows.writing() as connection:
        damage = update(ENTRIES).where(ENTRIES.c.session == "session-1", ENTRIES.c.seq == 2)
        await connection.execute(damage.values(payload=b"\x00\x00\x00\x00\x00oops"))
    report = await check(state.database)
    (finding,) = report.findings
    assert (finding.kind, finding.table, finding.row) == ("payload", "entries", "session-1/2")
    assert report.damaged_sessions == (("default", "session-1"),)


async def test_one_bit_that_fell_over_is_found(state: State) -> None:
    await fill(state)
    fact = (await state.memory.facts("somebody else"))[0]
    async with state.rows.writing() as connection:
        sealed = (await connection.execute(FACTS.select().where(FACTS.c.id == fact.id))).one()
        flipped = sealed.payload[:-1] + bytes((sealed.payload[-1] ^ 1,))
        await connection.execute(update(FACTS).where(FACTS.c.id == fact.id).values(payload=flipped))
    (finding,) = (await check(state.database)).findings
    assert (finding.kind, finding.table, finding.row) == ("payload", "facts", fact.id)


async def test_two_values_that_changed_places_are_both_found(state: State) -> None:
    await fill(state)
    async with state.rows.writing() as connection:
        rows = (await connection.execute(SESSIONS.select().order_by(SESSIONS.c.id))).all()
        for one, other in ((rows[0], rows[1]), (rows[1], rows[0])):
            swap = update(SESSIONS).where(SESSIONS.c.id == one.id)
            await connection.execute(swap.values(payload=other.payload))
    report = await check(state.database)
    assert report.damaged_sessions == (("default", "session-0"), ("default", "session-1"))


@pytest.mark.parametrize("seq", [1, 2, 3])
async def test_a_missing_step_of_a_session_is_found(state: State, seq: int) -> None:
    await fill(state)
    async with state.rows.writing() as connection:
        gone = delete(ENTRIES).where(ENTRIES.c.session == "session-2", ENTRIES.c.seq == seq)
        await connection.execute(gone)
    (finding,) = (await check(state.database)).findings
    assert (finding.kind, finding.session) == (FindingKind.GAP, "session-2")


async def test_an_effect_without_an_order_is_found(state: State) -> None:
    await fill(state)
    async with state.rows.writing() as connection:
        await connection.execute(delete(OUTBOX_QUEUES))
    report = await check(state.database)
    assert {finding.kind for finding in report.findings} == {FindingKind.ORPHAN}
    assert {finding.table for finding in report.findings} == {OUTBOX.name}


async def test_a_wrong_note_of_what_is_due_is_found(state: State) -> None:
    await fill(state)
    async with state.rows.writing() as connection:
        await connection.execute(update(OUTBOX_QUEUES).values(due_s=None))
    (finding,) = (await check(state.database)).findings
    assert (finding.kind, finding.table) == ("order", "outbox_queues")


async def test_damage_of_every_tenant_is_found(state: State) -> None:
    other = state.for_tenant("another")
    await fill(other)
    async with other.rows.writing() as connection:
        await connection.execute(delete(ENTRIES).where(ENTRIES.c.seq == 2))
    report = await check(state.database)
    assert report.damaged_sessions == tuple(("another", f"session-{n}") for n in range(3))


async def test_a_value_of_a_key_that_is_not_at_hand_is_told_from_damage(tmp_path: Path) -> None:
    old, new = bytes(32), bytes(range(32))
    state = State(tmp_path / "state.db", keys=KeyRing({"old": old}))
    await fill(state)
    await state.aclose()
    both = State(tmp_path / "state.db", keys=KeyRing({"new": new, "old": old}))
    await both.memory.remember("a newcomer", "drink", "tea")
    await both.aclose()
    # The first key still opens what proves the keys, and the new one is missing.
    with_old = Database(tmp_path / "state.db", keys=KeyRing({"old": old}))
    report = await check(with_old)
    await with_old.aclose()
    assert {finding.kind for finding in report.findings} == {FindingKind.KEY}
    assert "'new'" in report.findings[0].problem


async def test_a_database_that_does_not_exist_is_not_made(tmp_path: Path) -> None:
    database = Database(tmp_path / "nothing.db")
    with pytest.raises(ConfigError, match=r"nothing\.db"):
        await check(database)
    assert all_bytes(tmp_path) == b""


async def test_a_wrong_key_is_said_once_and_not_for_every_row(tmp_path: Path) -> None:
    state = State(tmp_path / "state.db", keys=KEYS)
    await fill(state)
    await state.aclose()
    wrong = Database(tmp_path / "state.db", keys=KeyRing({"test": bytes(32)}))
    with pytest.raises(WrongKeyError, match="'test'"):
        await check(wrong)
    without = Database(tmp_path / "state.db")
    with pytest.raises(WrongKeyError, match="SMALLHOLD_STATE_KEY"):
        await check(without)
    await wrong.aclose()
    await without.aclose()


async def test_a_key_for_a_database_in_the_clear_is_refused(tmp_path: Path) -> None:
    state = State(tmp_path / "state.db")
    await fill(state)
    await state.aclose()
    keyed = Database(tmp_path / "state.db", keys=KEYS)
    with pytest.raises(DatabaseError, match="smallhold state rotate"):
        await check(keyed)
    await keyed.aclose()


async def test_a_database_of_a_newer_version_is_refused_by_name(tmp_path: Path) -> None:
    state = State(tmp_path / "state.db")
    await fill(state)
    async with state.database.writing() as connection:
        await connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    await state.aclose()
    with pytest.raises(NewerFormatError, match="9999"):
        await check(state.database)
    await state.aclose()


async def test_an_overwritten_page_is_found(tmp_path: Path) -> None:
    state = State(tmp_path / "state.db", keys=KEYS)
    await fill(state, sessions=40)
    await state.aclose()
    file = tmp_path / "state.db"
    content = bytearray(file.read_bytes())
    page = len(content) // 4096 // 2
    content[page * 4096 : (page + 1) * 4096] = b"\xa5" * 4096
    file.write_bytes(content)
    report = await check(state.database)
    await state.aclose()
    assert FindingKind.FILE in {finding.kind for finding in report.findings}


@pytest.mark.parametrize("content", [b"", b"not a database at all, just text" * 200])
async def test_a_file_that_is_no_database_is_told(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "state.db"
    file.write_bytes(content)
    database = Database(file)
    report = await check(database)
    await database.aclose()
    # An empty file is an empty database to SQLite.
    assert report.is_sound == (content == b"")


async def test_an_orphan_is_found_where_the_database_did_not_prevent_it(tmp_path: Path) -> None:
    state = State(tmp_path / "state.db")
    await fill(state)
    async with state.database.writing() as connection:
        await connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        await connection.execute(
            insert(SESSIONS).values(
                tenant="default",
                id="brief",
                format=1,
                created_s=0.0,
                updated_s=0.0,
                head=0,
                payload=state.rows.seal({}, table="sessions", row="brief"),
            )
        )
    await state.aclose()
    import sqlite3  # noqa: PLC0415 - only here, to go behind the database's back

    connection = sqlite3.connect(tmp_path / "state.db")
    connection.execute("DELETE FROM sessions WHERE id = 'session-0'")
    connection.commit()
    connection.close()
    report = await check(state.database)
    await state.aclose()
    assert {finding.kind for finding in report.findings} == {FindingKind.ORPHAN}
    assert {finding.table for finding in report.findings} == {"entries", "runs"}


async def test_a_disk_that_fills_up_in_mid_step_stores_the_step_whole_or_not_at_all(
    small_disk: Path,
) -> None:
    state = State(small_disk / "state.db", keys=KEYS)
    stored = 0

    async def store(number: int) -> None:
        async with state.rows.writing() as connection:
            effect = await state.outbox.put(
                destination="d", body={"text": "x" * 20_000}, connection=connection
            )
            await state.approvals.request(
                ApprovalRequest(
                    run="r", call_id=effect.id, tool="t", arguments={"n": number}, why="w"
                ),
                connection=connection,
            )

    async def store_until_it_fails() -> None:
        nonlocal stored
        while True:
            await store(stored)
            stored += 1

    with pytest.raises(DatabaseFullError, match="disk is full"):
        await store_until_it_fails()
    assert stored > 0
    assert await state.outbox.pending_count() == len(await state.approvals.pending()) == stored
    assert (await check(state.database)).is_sound
    await state.aclose()
