from __future__ import annotations

from pathlib import Path

import anyio
import pytest
from tests.state.care.filling import CANARY, all_bytes, fill, names_in
from tests.state.conftest import KEYS
from tests.state.set_clock import SetClock

from smallhold.exceptions import ConfigError, DatabaseDamagedError, DatabaseFullError
from smallhold.state import Database, State
from smallhold.state.care import back_up, check
from smallhold.state.care.registry import registered_backups


async def test_a_backup_holds_what_the_database_holds(state: State, tmp_path: Path) -> None:
    await fill(state)
    clock = SetClock()
    target = tmp_path / "backups" / "monday.db"
    await anyio.Path(target.parent).mkdir()
    backup = await back_up(state.database, target, clock=clock)
    assert (backup.path, backup.created_s) == (target, clock())
    copy = State(target, keys=state.database.keys)
    assert (await check(copy.database)).is_sound
    assert len(await copy.sessions.list()) == 3
    assert [fact.value for fact in await copy.memory.facts("somebody else")] == [CANARY]
    await copy.aclose()
    assert await registered_backups(state.database) == (backup,)


async def test_a_backup_is_one_private_file_with_nothing_beside_it(
    state: State, tmp_path: Path
) -> None:
    await fill(state)
    target = tmp_path / "backups" / "monday.db"
    await anyio.Path(target.parent).mkdir()
    await back_up(state.database, target)
    assert names_in(target.parent) == ["monday.db"]
    assert (await anyio.Path(target).stat()).st_mode & 0o777 == 0o600


async def test_a_backup_never_takes_another_files_place(state: State, tmp_path: Path) -> None:
    target = tmp_path / "monday.db"
    await anyio.Path(target).write_text("something dear")
    with pytest.raises(ConfigError, match="does not exist"):
        await back_up(state.database, target)
    assert await anyio.Path(target).read_text() == "something dear"


async def test_others_write_while_a_backup_is_made(tmp_path: Path) -> None:
    state = State(tmp_path / "state.db", keys=KEYS)
    await fill(state, sessions=20)
    other = State(tmp_path / "state.db", keys=KEYS)
    is_over = False

    async def write() -> None:
        while not is_over:
            await other.memory.remember("somebody else", "drink", "tea")

    async with anyio.create_task_group() as group:
        group.start_soon(write)
        for number in range(3):
            await back_up(state.database, tmp_path / f"{number}.db")
        is_over = True
    for number in range(3):
        copy = Database(tmp_path / f"{number}.db", keys=KEYS)
        assert (await check(copy)).is_sound
        await copy.aclose()
    await other.aclose()
    await state.aclose()


async def test_who_is_erased_is_erased_in_the_backups_too(tmp_path: Path) -> None:
    state = State(tmp_path / "state.db")
    await fill(state)
    await state.memory.remember("carol", "drink", "carols-own-brew")
    await back_up(state.database, tmp_path / "monday.db")
    assert b"carols-own-brew" in all_bytes(tmp_path)
    report = await state.memory.erase("carol")
    await state.aclose()
    assert report.is_complete
    assert b"carols-own-brew" not in all_bytes(tmp_path)


async def test_a_database_in_memory_cannot_be_backed_up(tmp_path: Path) -> None:
    database = Database("sqlite://")
    with pytest.raises(ConfigError, match="in memory"):
        await back_up(database, tmp_path / "monday.db")
    await database.aclose()


async def test_an_encrypted_database_shows_nothing_in_any_of_its_files(tmp_path: Path) -> None:
    state = State(tmp_path / "state.db", keys=KEYS)
    await fill(state, sessions=10)
    await back_up(state.database, tmp_path / "monday.db")
    assert set(names_in(tmp_path)) >= {"state.db", "state.db-wal", "monday.db"}
    assert CANARY.encode() not in all_bytes(tmp_path)
    await state.aclose()
    assert CANARY.encode() not in all_bytes(tmp_path)


async def test_a_damaged_database_gives_no_backup(tmp_path: Path) -> None:
    state = State(tmp_path / "state.db", keys=KEYS)
    await fill(state, sessions=40)
    await state.aclose()
    file = anyio.Path(tmp_path / "state.db")
    content = bytearray(await file.read_bytes())
    page = len(content) // 4096 // 2
    content[page * 4096 : (page + 1) * 4096] = b"\xa5" * 4096
    await file.write_bytes(content)
    with pytest.raises(DatabaseDamagedError):
        await back_up(state.database, tmp_path / "monday.db")
    await state.aclose()
    assert not await anyio.Path(tmp_path / "monday.db").exists()


async def test_a_disk_without_room_leaves_nothing_of_the_attempt(
    tmp_path: Path, small_disk: Path
) -> None:
    state = State(tmp_path / "state.db", keys=KEYS)
    await fill(state, sessions=20)
    await state.memory.remember("somebody", "says", "x" * 1_000)
    filler = anyio.Path(small_disk / "filler")
    await filler.write_bytes(bytes(900_000))
    with pytest.raises(DatabaseFullError):
        await back_up(state.database, small_disk / "monday.db")
    assert names_in(small_disk) == ["filler"]
    assert await registered_backups(state.database) == ()
    await state.aclose()
