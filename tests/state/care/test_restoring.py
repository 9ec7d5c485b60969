from __future__ import annotations

from pathlib import Path

import anyio
import pytest
from tests.state.care.filling import all_bytes, fill, names_in
from tests.state.conftest import KEYS

from smallhold.exceptions import (
    ConfigError,
    DatabaseBusyError,
    DatabaseDamagedError,
    WrongKeyError,
)
from smallhold.security import KeyRing
from smallhold.state import Database, State
from smallhold.state.care import back_up, check, restore
from smallhold.state.care.registry import registered_backups


async def test_a_database_goes_back_to_what_the_backup_holds(state: State, tmp_path: Path) -> None:
    await fill(state)
    backup = tmp_path / "monday.db"
    await back_up(state.database, backup)
    await state.memory.remember("somebody else", "drink", "coffee")
    report = await restore(state.database, backup, overwrites=True)
    assert (report.erased_facts, report.unread) == (0, None)
    assert [fact.value for fact in await state.memory.facts("somebody else")] != ["coffee"]
    assert (await check(state.database)).is_sound


async def test_a_database_that_holds_something_is_not_replaced_without_consent(
    state: State, tmp_path: Path
) -> None:
    await fill(state)
    backup = tmp_path / "monday.db"
    await back_up(state.database, backup)
    await state.memory.remember("somebody else", "drink", "coffee")
    with pytest.raises(ConfigError, match="--overwrite"):
        await restore(state.database, backup)
    assert [fact.value for fact in await state.memory.facts("somebody else")] == ["coffee"]


async def test_whoever_was_erased_since_does_not_come_back(state: State, tmp_path: Path) -> None:
    await fill(state)
    await state.memory.remember("carol", "drink", "carols-own-brew")
    backup = tmp_path / "elsewhere" / "monday.db"
    await anyio.Path(backup.parent).mkdir()
    await back_up(state.database, backup)
    # Out of reach while she is erased, as on a disk in a drawer.
    await anyio.Path(backup).rename(tmp_path / "drawer.db")
    erased = await state.memory.erase("carol")
    assert not erased.is_complete
    report = await restore(state.database, tmp_path / "drawer.db", overwrites=True)
    assert report.erased_facts == 1
    assert await state.memory.facts("carol") == ()
    assert "carol" not in await state.memory.subjects()
    assert len(await state.memory.facts("somebody else")) == 1


async def test_nothing_of_who_was_erased_is_in_the_restored_file(tmp_path: Path) -> None:
    place, backup = tmp_path / "home" / "state.db", tmp_path / "monday.db"
    await anyio.Path(place.parent).mkdir()
    state = State(place)
    await fill(state)
    await state.memory.remember("carol", "drink", "carols-own-brew")
    await back_up(state.database, backup)
    await anyio.Path(backup).rename(tmp_path / "drawer.db")
    await state.memory.erase("carol")
    await restore(state.database, tmp_path / "drawer.db", overwrites=True)
    await state.aclose()
    assert b"carols-own-brew" not in all_bytes(place.parent)


async def test_a_lost_database_is_restored_and_knows_of_the_backup(tmp_path: Path) -> None:
    backup = tmp_path / "monday.db"
    lost = State(tmp_path / "lost.db", keys=KEYS)
    await fill(lost)
    await back_up(lost.database, backup)
    await lost.aclose()
    database = Database(tmp_path / "new.db", keys=KEYS)
    report = await restore(database, backup)
    assert report.kept is None
    assert [known.path for known in await registered_backups(database)] == [backup]
    assert (await check(database)).is_sound
    await database.aclose()


async def test_what_was_there_is_kept_beside(tmp_path: Path) -> None:
    state = State(tmp_path / "state.db", keys=KEYS)
    await fill(state)
    await back_up(state.database, tmp_path / "monday.db")
    await state.memory.remember("somebody else", "drink", "coffee")
    report = await restore(state.database, tmp_path / "monday.db", overwrites=True)
    assert report.kept is not None
    kept = State(report.kept, keys=KEYS)
    assert [fact.value for fact in await kept.memory.facts("somebody else")] == ["coffee"]
    await kept.aclose()
    await state.aclose()


async def test_other_backups_stay_registered(tmp_path: Path) -> None:
    state = State(tmp_path / "state.db", keys=KEYS)
    await fill(state)
    for name in ("monday", "tuesday"):
        await back_up(state.database, tmp_path / f"{name}.db")
    await restore(state.database, tmp_path / "monday.db", overwrites=True)
    known = {backup.path.name for backup in await registered_backups(state.database)}
    await state.aclose()
    assert known == {"monday.db", "tuesday.db"}


async def test_a_damaged_database_is_replaced_with_a_warning(tmp_path: Path) -> None:
    state = State(tmp_path / "state.db", keys=KEYS)
    await fill(state)
    await back_up(state.database, tmp_path / "monday.db")
    await state.aclose()
    await anyio.Path(tmp_path / "state.db").write_bytes(b"\xa5" * 50_000)
    with pytest.raises(ConfigError, match="--overwrite"):
        await restore(state.database, tmp_path / "monday.db")
    report = await restore(state.database, tmp_path / "monday.db", overwrites=True)
    assert report.unread is not None
    assert report.kept is not None
    assert (await check(state.database)).is_sound
    await state.aclose()


async def test_a_database_that_others_use_is_left_alone(tmp_path: Path) -> None:
    state = State(tmp_path / "state.db", keys=KEYS)
    await fill(state)
    await back_up(state.database, tmp_path / "monday.db")
    other = State(tmp_path / "state.db", keys=KEYS)
    await other.sessions.list()
    with pytest.raises(DatabaseBusyError):
        await restore(state.database, tmp_path / "monday.db", overwrites=True)
    assert len(await other.sessions.list()) == 3
    await other.aclose()
    await state.aclose()
    assert not [name for name in names_in(tmp_path) if "restoring" in name]


async def test_a_backup_of_another_key_changes_nothing(tmp_path: Path) -> None:
    state = State(tmp_path / "state.db", keys=KEYS)
    await fill(state)
    await back_up(state.database, tmp_path / "monday.db")
    await state.aclose()
    wrong = Database(tmp_path / "new.db", keys=KeyRing({"other": bytes(32)}))
    with pytest.raises(WrongKeyError, match="'test'"):
        await restore(wrong, tmp_path / "monday.db")
    assert not await anyio.Path(tmp_path / "new.db").exists()


@pytest.mark.parametrize("kept_bytes", [0, 1_000, 40_000])
async def test_a_backup_that_was_cut_off_changes_nothing(tmp_path: Path, kept_bytes: int) -> None:
    state = State(tmp_path / "state.db", keys=KEYS)
    await fill(state)
    backup = anyio.Path(tmp_path / "monday.db")
    await back_up(state.database, Path(backup))
    await backup.write_bytes((await backup.read_bytes())[:kept_bytes])
    with pytest.raises((DatabaseDamagedError, ConfigError)):
        await restore(state.database, Path(backup), overwrites=True)
    assert (await check(state.database)).is_sound
    await state.aclose()


async def test_a_backup_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.db"):
        await restore(Database(tmp_path / "new.db"), tmp_path / "none.db")
