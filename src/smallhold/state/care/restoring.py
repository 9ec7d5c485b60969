"""Going back to a backup: this file holds the restoring.

Everything happens in a copy, and only a copy that is whole, opens with the keys and has everybody
erased who was erased since takes the database's place. What was there before is kept beside it.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from anyio import to_thread
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from smallhold.exceptions import ConfigError, DatabaseDamagedError, DatabaseError
from smallhold.messages import JsonObject
from smallhold.state.care.backing_up import erase_in, tombstones
from smallhold.state.care.files import (
    copy_database,
    discard,
    keep,
    kept_path,
    partial_path,
    put_into_place,
    size_of,
)
from smallhold.state.care.registry import Backup, new_backup, path_of, register
from smallhold.state.care.row_copy import clear, copy_rows, is_empty
from smallhold.state.care.structure import (
    file_errors,
    is_ours,
    leave_log,
    opened_file,
    refuse_damage,
)
from smallhold.state.database import Database
from smallhold.state.memory.erased_files import Tombstone, tombstones_in_file
from smallhold.state.tables import BACKUPS, METADATA, STORE_INFO


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreReport:
    """What a restoring did."""

    database: str
    backup: str
    erased_facts: int
    """Facts of people who were erased since the backup was made; they did not come back."""
    kept: Path | None
    """Where the database is that was there before; `None` when there was none, or on a server."""
    unread: str | None = None
    """Why the database that was there could not tell whom it had erased; whoever was erased since
    the backup was made must then be erased again."""

    def to_dict(self) -> JsonObject:
        """Give the report as JSON."""
        return {
            "database": self.database,
            "backup": self.backup,
            "erased_facts": self.erased_facts,
            "kept": None if self.kept is None else str(self.kept),
            "unread": self.unread,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Before:
    """What must outlive the database that is replaced."""

    holds_something: bool = False
    tombstones: tuple[Tombstone, ...] = ()
    backups: tuple[dict[str, object], ...] = ()
    unread: str | None = None


async def restore(
    database: Database,
    backup: Path,
    *,
    overwrites: bool = False,
    clock: Callable[[], float] = time.time,
) -> RestoreReport:
    """Make a database what a backup of it holds.

    No process may have the database open meanwhile. A backup of PostgreSQL can be restored into
    SQLite, and the other way round.

    Args:
        database: Where to; with the keys that open the backup.
        backup: A file that `back_up` made.
        overwrites: Consent to replace a database that holds something.
        clock: Tells the Unix time in seconds.

    Raises:
        ConfigError: There is no such backup, or the database holds something and there is no
            consent.
        WrongKeyError: The keys do not open the backup.
        NewerFormatError: A newer version of Smallhold made it.
        DatabaseBusyError: A process has the database open.
        DatabaseError: The backup is damaged, or there is no room; the database is as it was.
    """
    await to_thread.run_sync(_check_backup, backup)
    await database.aclose()
    with tempfile.TemporaryDirectory(prefix="smallhold-") as folder:
        path = database.address.path
        if path is None:
            copy = Path(folder) / "restoring.db"
        else:
            copy = partial_path(path, purpose="restoring")
        try:
            return await _restored(database, backup, copy, overwrites=overwrites, now_s=clock())
        finally:
            discard(copy)


async def _restored(
    database: Database, backup: Path, copy: Path, *, overwrites: bool, now_s: float
) -> RestoreReport:
    path = database.address.path
    if path is None:
        before = await _before_on_server(database)
    else:
        before = await to_thread.run_sync(_before_in_file, path)
    if before.holds_something and not overwrites:
        raise ConfigError(
            field="database",
            value=database.name,
            remedy="it holds something; consent to replacing it with `--overwrite`",
        )
    await to_thread.run_sync(copy_database, backup, copy)
    erased_facts = await to_thread.run_sync(erase_in, copy, before.tombstones)
    renewed = Database(copy, keys=database.keys, durability=database.durability)
    try:
        async with renewed.writing() as connection:
            own = new_backup(backup, created_s=now_s, size_bytes=size_of(backup))
            await _note_backups(connection, renewed, before, own)
        if path is None:
            await _fill_server(database, renewed)
    finally:
        await renewed.aclose()
    kept = None if path is None else await to_thread.run_sync(_replace, path, copy, now_s)
    return RestoreReport(
        database=database.name,
        backup=str(backup),
        erased_facts=erased_facts,
        kept=kept,
        unread=before.unread,
    )


def _check_backup(backup: Path) -> None:
    refuse_damage(backup)
    if not is_ours(backup):
        raise ConfigError(
            field="backup", value=str(backup), remedy="it is no database of Smallhold; name another"
        )


async def _before_on_server(database: Database) -> _Before:
    if database.address.is_sqlite:
        raise ConfigError(field="database", value="in memory", remedy="restore into a file")
    async with database.reading(whole=True) as connection:
        rows = (await connection.execute(select(BACKUPS))).mappings().all()
        return _Before(
            holds_something=not await is_empty(connection),
            tombstones=await tombstones(connection),
            backups=tuple(dict[str, object](row) for row in rows),
        )


def _before_in_file(path: Path) -> _Before:
    """Read what a file tells, also one that is damaged or whose keys are lost."""
    if not path.exists():
        return _Before()
    try:
        with opened_file(path) as connection:
            rows = connection.execute("SELECT id, created_s, payload FROM backups").fetchall()
            names = [table.name for table in METADATA.sorted_tables if table is not STORE_INFO]
            counts = [
                connection.execute(f"SELECT EXISTS (SELECT 1 FROM {name})").fetchone()[0]  # noqa: S608 - our own tables
                for name in names
            ]
        with file_errors(path):
            told = tombstones_in_file(path)
    except DatabaseError as error:
        return _Before(holds_something=True, unread=error.problem)
    columns = ("id", "created_s", "payload")
    return _Before(
        holds_something=any(counts),
        tombstones=told,
        backups=tuple(dict[str, object](zip(columns, row, strict=True)) for row in rows),
    )


async def _note_backups(
    connection: AsyncConnection, renewed: Database, before: _Before, own: Backup
) -> None:
    """Carry over which backups there are; the one in hand cannot know of itself."""
    known = set((await connection.execute(select(BACKUPS.c.id))).scalars())
    missing = [row for row in before.backups if row["id"] not in known]
    if missing:
        await connection.execute(insert(BACKUPS), missing)
    rows = (await connection.execute(select(BACKUPS))).mappings().all()
    if own.path not in {path_of(row, renewed.sealer) for row in rows}:
        await register(connection, own, sealer=renewed.sealer)


async def _fill_server(database: Database, renewed: Database) -> None:
    try:
        async with renewed.reading(whole=True) as source, database.writing() as target:
            await clear(target)
            await copy_rows(source, target)
    finally:
        await database.aclose()


def _replace(path: Path, copy: Path, now_s: float) -> Path | None:
    leave_log(copy)
    kept = None
    if path.exists():
        # A damaged one is kept as it is, with its log.
        with suppress(DatabaseDamagedError):
            leave_log(path)
        kept = kept_path(path, why="replaced", now_s=now_s)
        keep(path, kept)
    put_into_place(copy, path)
    return kept
