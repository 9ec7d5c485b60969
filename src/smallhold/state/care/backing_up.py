"""A copy to be kept: this file holds how backups are made.

A backup is always one SQLite file, of SQLite and PostgreSQL alike, so that there is one way to
check it, to erase somebody in it and to restore it. Its values stay sealed as they are.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from anyio import to_thread
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from smallhold.exceptions import ConfigError
from smallhold.state.care.files import (
    check_new,
    copy_database,
    create_private,
    discard,
    partial_path,
    put_into_place,
    size_of,
)
from smallhold.state.care.registry import Backup, new_backup, register
from smallhold.state.care.row_copy import copy_rows
from smallhold.state.care.structure import file_errors, leave_log, refuse_damage
from smallhold.state.database import Database
from smallhold.state.database.database import transaction
from smallhold.state.database.engines import BEGIN_OPTION, address_of, open_engine
from smallhold.state.database.migrating import migrate
from smallhold.state.memory.erased_files import KIND, Tombstone, erase_in_file
from smallhold.state.tables import TOMBSTONES


async def back_up(
    database: Database, target: Path, *, clock: Callable[[], float] = time.time
) -> Backup:
    """Copy a database into a new file, as it is at one moment; others may go on working.

    The file appears under its name only when it is whole, checked and on the disk, and it is
    registered, so that whoever erases somebody reaches it.

    Args:
        database: SQLite or PostgreSQL.
        target: The file to make.
        clock: Tells the Unix time in seconds.

    Raises:
        ConfigError: There is such a file already, or no such folder, or the database has no file.
        DatabaseFullError: There is no room; nothing is left of the attempt.
        DatabaseError: The database is damaged or cannot be used.
    """
    check_new(target, field="backup")
    await database.open()
    partial = partial_path(target, purpose="backup")
    created_s = clock()
    is_placed = False
    try:
        await _copy(database, partial)
        await to_thread.run_sync(refuse_damage, partial)
        async with database.writing() as connection:
            # Nobody can erase anybody now: what was erased before is erased in the copy as well,
            # and whoever erases afterwards finds the backup in the register.
            erased = await tombstones(connection)
            await to_thread.run_sync(erase_in, partial, erased)
            backup = new_backup(target, created_s=created_s, size_bytes=size_of(partial))
            await register(connection, backup, sealer=database.sealer)
            await to_thread.run_sync(put_into_place, partial, target)
            is_placed = True
    except BaseException:
        # One that is not registered would be out of reach for whoever erases somebody.
        discard(target if is_placed else partial)
        raise
    return backup


async def _copy(database: Database, partial: Path) -> None:
    path = database.address.path
    if path is not None:
        await to_thread.run_sync(copy_database, path, partial)
    elif database.address.is_sqlite:
        raise ConfigError(
            field="database", value="in memory", remedy="keep it in a file to have backups of it"
        )
    else:
        await _copy_server(database, partial)


async def _copy_server(database: Database, partial: Path) -> None:
    create_private(partial)
    engine = open_engine(address_of(partial), durability=database.durability, is_for_tenants=False)
    try:
        async with (
            transaction(engine, {BEGIN_OPTION: "BEGIN IMMEDIATE"}) as target,
            database.reading(whole=True) as source,
        ):
            await migrate(target, database=str(partial))
            await copy_rows(source, target)
    finally:
        await engine.dispose()
    await to_thread.run_sync(leave_log, partial)


def erase_in(path: Path, erased: Sequence[Tombstone]) -> int:
    """Erase in a SQLite file whoever was erased elsewhere; tell how many facts went.

    Raises:
        DatabaseError: The file cannot be written, or there is no room.
    """
    with file_errors(path):
        return erase_in_file(path, erased).facts


async def tombstones(connection: AsyncConnection) -> tuple[Tombstone, ...]:
    """Read whom a database has erased."""
    query = select(TOMBSTONES).where(TOMBSTONES.c.kind == KIND)
    rows = (await connection.execute(query)).mappings().all()
    return tuple(
        Tombstone(tenant=row["tenant"], key=row["key"], created_s=row["created_s"]) for row in rows
    )
