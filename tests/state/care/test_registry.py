from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select, update

from smallhold.exceptions import ConfigError, DamagedRecordError
from smallhold.state import Database
from smallhold.state.care.registry import (
    Backup,
    forget_backup,
    new_backup,
    path_of,
    register,
    registered_backups,
)
from smallhold.state.tables import BACKUPS


async def registered(database: Database, name: str, *, created_s: float) -> Backup:
    backup = new_backup(Path("/backups") / name, created_s=created_s, size_bytes=4096)
    async with database.writing() as connection:
        await register(connection, backup, sealer=database.sealer)
    return backup


async def test_backups_are_listed_by_age_until_they_are_forgotten(database: Database) -> None:
    late = await registered(database, "late.db", created_s=20.0)
    early = await registered(database, "early.db", created_s=10.0)
    assert await registered_backups(database) == (early, late)
    await forget_backup(database, early.id)
    assert await registered_backups(database) == (late,)
    with pytest.raises(ConfigError, match=early.id):
        await forget_backup(database, early.id)


async def test_a_damaged_record_is_told_and_has_no_path(database: Database) -> None:
    await registered(database, "late.db", created_s=20.0)
    async with database.writing() as connection:
        wrong = database.sealer.seal({"v": 1}, tenant="", table="backups", row="x")
        await connection.execute(update(BACKUPS).values(id="x", payload=wrong))
        row = (await connection.execute(select(BACKUPS))).mappings().one()
    assert path_of(row, database.sealer) is None
    with pytest.raises(DamagedRecordError, match="backups x"):
        await registered_backups(database)
