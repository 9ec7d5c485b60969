from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import anyio
import pytest
from anyio import to_thread
from anyio.from_thread import start_blocking_portal
from sqlalchemy import func, insert, select, text, update

from smallhold.exceptions import (
    ConfigError,
    DatabaseBusyError,
    DatabaseDamagedError,
    DatabaseError,
    DatabaseFullError,
    NewerFormatError,
    WrongKeyError,
)
from smallhold.security import KeyRing
from smallhold.state import Database
from smallhold.state.tables import SESSIONS

KEYS = KeyRing({"k": bytes(range(32))})


def row(name: str, *, payload: bytes = b"x") -> dict[str, object]:
    return {
        "id": name, "format": 1, "created_s": 1.0, "updated_s": 1.0, "head": 0, "payload": payload,
    }  # fmt: skip


async def add(database: Database, name: str, *, payload: bytes = b"x") -> None:
    async with database.tenant().writing() as rows:
        await rows.execute(insert(SESSIONS), row(name, payload=payload))


async def names(database: Database) -> list[str]:
    async with database.tenant().reading() as rows:
        query = select(SESSIONS.c.id).order_by(SESSIONS.c.id)
        return list((await rows.execute(query)).scalars())


async def test_what_was_written_is_there_after_closing_and_opening(database: Database) -> None:
    await add(database, "a")
    await database.aclose()
    assert await names(database) == ["a"]


async def test_a_transaction_that_raises_leaves_nothing(database: Database) -> None:
    await add(database, "a")

    async def fail() -> None:
        async with database.tenant().writing() as rows:
            await rows.execute(insert(SESSIONS), row("b"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert await names(database) == ["a"]


async def test_a_cancelled_transaction_leaves_nothing_and_blocks_nobody(
    database: Database,
) -> None:
    await database.open()
    with anyio.move_on_after(0.05):
        async with database.tenant().writing() as rows:
            await rows.execute(insert(SESSIONS), row("a"))
            await anyio.sleep(5)
    await add(database, "b")
    assert await names(database) == ["b"]


async def test_whenever_a_use_is_cancelled_the_connection_is_good_for_the_next(
    tmp_path: Path,
) -> None:
    database = Database(tmp_path / "state.db")
    await database.open()
    for moment in range(100):
        # A use takes about a millisecond, so these moments fall before, into and after it.
        with anyio.move_on_after(moment * 0.00002):
            await names(database)
            await add(database, f"{moment:03}")
        await add(database, f"{moment:03} after")
    assert len([name for name in await names(database) if "after" in name]) == 100
    await database.aclose()


async def test_a_transaction_that_is_cancelled_in_a_statement_locks_nobody_out(
    tmp_path: Path,
) -> None:
    database = Database(f"sqlite:///{tmp_path / 'state.db'}?timeout=0.2")
    await add(database, "first")
    touched = update(SESSIONS).values(head=SESSIONS.c.head + 1)
    for moment in range(100):
        with anyio.move_on_after(moment * 0.0001):
            for _ in range(10):
                async with database.writing() as connection:
                    (await connection.execute(select(SESSIONS))).mappings().all()
                    await connection.execute(touched)
        await add(database, f"{moment:02} after")
    assert len(await names(database)) == 101
    await database.aclose()


async def test_a_reader_sees_one_moment(database: Database) -> None:
    await add(database, "a")
    count = select(func.count()).select_from(SESSIONS)
    async with database.tenant().reading() as rows:
        before = (await rows.execute(count)).scalar_one()
        await add(database, "b")
        after = (await rows.execute(count)).scalar_one()
    assert before == after == 1
    assert await names(database) == ["a", "b"]


async def test_writers_come_one_after_another(database: Database) -> None:
    """Each reads how many there are and adds the next: none may count the same."""

    async def append() -> None:
        async with database.tenant().writing() as rows:
            count = (await rows.execute(select(func.count()).select_from(SESSIONS))).scalar_one()
            await anyio.lowlevel.checkpoint()
            await rows.execute(insert(SESSIONS), row(f"{count:02}"))

    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(append)
    assert await names(database) == [f"{number:02}" for number in range(20)]


async def test_one_object_serves_several_event_loops(tmp_path: Path) -> None:
    database = Database(tmp_path / "state.db")
    await add(database, "a")
    with start_blocking_portal() as portal:
        portal.call(add, database, "b")
        portal.call(database.aclose)
    assert await names(database) == ["a", "b"]
    await database.aclose()


async def test_a_database_in_memory_works_and_is_gone_with_its_loop() -> None:
    database = Database("sqlite://")
    await add(database, "a")
    assert await names(database) == ["a"]
    await database.aclose()


async def test_the_first_use_of_several_tasks_makes_the_tables_once(database: Database) -> None:
    async with anyio.create_task_group() as tasks:
        for name in "abcdef":
            tasks.start_soon(add, database, name)
    assert await names(database) == list("abcdef")


WRITER = """
import sys, anyio
from sqlalchemy import insert
from smallhold.state import Database
from smallhold.state.tables import SESSIONS

async def main(path, who):
    database = Database(path)
    for number in range(25):
        async with database.tenant().writing() as rows:
            await rows.execute(insert(SESSIONS), dict(
                id=f"{who}{number:02}", format=1, created_s=1.0, updated_s=1.0, head=0, payload=b"x"))
    await database.aclose()

anyio.run(main, *sys.argv[1:])
"""  # noqa: E501 - a program


def run_writers(path: Path) -> list[int]:
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), who]) for who in "abc"]
    return [writer.wait(timeout=60) for writer in writers]


async def test_several_processes_share_one_file_from_its_first_moment(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    assert await to_thread.run_sync(run_writers, path) == [0, 0, 0]
    database = Database(path)
    assert len(await names(database)) == 75
    await database.aclose()


async def test_a_wrong_key_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    database = Database(tmp_path / "state.db", keys=KEYS)
    await database.open()
    await database.aclose()
    for keys in (KeyRing({"k": bytes(32)}), KeyRing({"other": bytes(32)}), None):
        with pytest.raises(WrongKeyError, match="'k'"):
            await Database(tmp_path / "state.db", keys=keys).open()


async def test_a_key_for_a_database_in_the_clear_is_refused(tmp_path: Path) -> None:
    database = Database(tmp_path / "state.db")
    await database.open()
    await database.aclose()
    with pytest.raises(DatabaseError, match="smallhold state rotate"):
        await Database(tmp_path / "state.db", keys=KEYS).open()


async def test_a_database_of_a_newer_version_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    database = Database(path)
    async with database.writing() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    await database.aclose()
    before = path.read_bytes()
    with pytest.raises(NewerFormatError, match="9999"):
        await Database(path).open()
    assert path.read_bytes() == before


async def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    path.write_text("These are notes of somebody. " * 100)
    before = path.read_bytes()
    with pytest.raises(DatabaseDamagedError, match="state check"):
        await Database(path).open()
    assert path.read_bytes() == before


async def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="create its folder"):
        await Database(tmp_path / "nowhere" / "state.db").open()


async def test_a_full_disk_is_said_and_undoes_only_its_own_step(tmp_path: Path) -> None:
    database = Database(tmp_path / "state.db")
    await add(database, "a")

    async def fill() -> None:
        async with database.tenant().writing() as rows:
            # SQLite's own limit on pages fails in the same way as a disk without room.
            await rows.connection.exec_driver_sql("PRAGMA max_page_count = 1")
            await rows.execute(insert(SESSIONS), row("b", payload=bytes(1_000_000)))

    with pytest.raises(DatabaseFullError, match="disk is full"):
        await fill()
    await database.aclose()
    await add(database, "c")
    assert await names(database) == ["a", "c"]
    await database.aclose()


async def test_a_process_that_writes_for_ever_is_not_waited_for_for_ever(
    tmp_path: Path,
) -> None:
    path = tmp_path / "state.db"
    first = Database(path)
    await first.open()
    second = Database(f"sqlite:///{path}?timeout=0.2")
    async with first.tenant().writing():
        with pytest.raises(DatabaseBusyError, match="another process"):
            await add(second, "a")
    await add(second, "b")
    assert await names(first) == ["b"]
    await first.aclose()
    await second.aclose()


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


async def test_an_encrypted_database_shows_nothing_of_what_is_in_it(tmp_path: Path) -> None:
    database = Database(tmp_path / "state.db", keys=KEYS)
    mine = database.tenant()
    for number in range(50):
        payload = mine.seal({"text": "canary-7f3a" * 50}, table="sessions", row=str(number))
        await add(database, str(number), payload=payload)
    key = await mine.blind("canary-7f3a")
    stored = contents(tmp_path)
    assert set(stored) == {"state.db", "state.db-wal", "state.db-shm"}
    assert not [name for name, content in stored.items() if b"canary" in content]
    assert "canary" not in key
    await database.aclose()


async def test_a_keyed_hash_differs_between_tenants_and_databases(tmp_path: Path) -> None:
    one, other = Database(tmp_path / "a.db"), Database(tmp_path / "b.db")
    hashes = [
        await one.tenant("x").blind("Anna"),
        await one.tenant("y").blind("Anna"),
        await other.tenant("x").blind("Anna"),
        await one.tenant("x").blind("Bert"),
    ]
    again = await one.tenant("x").blind("Anna")
    assert len(set(hashes)) == 4
    assert again == hashes[0]
    assert {len(one) for one in hashes} == {32}
    for database in (one, other):
        await database.aclose()
