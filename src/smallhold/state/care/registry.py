"""Which backups there are: this file holds the register of them.

Whoever erases somebody must reach the backups too, so that the database knows where they are.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import RowMapping, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from smallhold.exceptions import ConfigError, DamagedRecordError, StateError
from smallhold.messages import JsonObject
from smallhold.state.database import Database, Sealer
from smallhold.state.tables import BACKUPS

_ALL: Final = select(BACKUPS).order_by(BACKUPS.c.created_s, BACKUPS.c.id)
_INSERT: Final = insert(BACKUPS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A copy of a database."""

    id: str
    path: Path
    """An absolute path on the machine that made it."""
    created_s: float
    """Unix seconds of the moment that it holds."""
    size_bytes: int

    def to_dict(self) -> JsonObject:
        """Give it as JSON."""
        return {
            "id": self.id,
            "path": str(self.path),
            "created_s": self.created_s,
            "size_bytes": self.size_bytes,
        }


def new_backup(path: Path, *, created_s: float, size_bytes: int) -> Backup:
    """Describe a backup under a new id."""
    return Backup(
        id=uuid.uuid4().hex, path=path.absolute(), created_s=created_s, size_bytes=size_bytes
    )


async def register(connection: AsyncConnection, backup: Backup, *, sealer: Sealer) -> None:
    """Note a backup down, in a transaction of the whole database."""
    payload = sealer.seal(
        {"v": 1, "path": str(backup.path), "size_bytes": backup.size_bytes},
        tenant="",
        table=BACKUPS.name,
        row=backup.id,
    )
    row = {"id": backup.id, "created_s": backup.created_s, "payload": payload}
    await connection.execute(_INSERT, row)


async def registered_backups(database: Database) -> tuple[Backup, ...]:
    """List the backups that were made of a database, the oldest first.

    Raises:
        StateError: The database cannot be used, or a record in it is damaged.
    """
    async with database.reading(whole=True) as connection:
        rows = (await connection.execute(_ALL)).mappings().all()
    return tuple(
        _backup(row["id"], row["created_s"], row["payload"], database.sealer) for row in rows
    )


async def forget_backup(database: Database, backup_id: str) -> None:
    """Take a backup off the register, once its file is gone for good.

    Raises:
        ConfigError: There is no such backup.
    """
    async with database.writing() as connection:
        gone = await connection.execute(delete(BACKUPS).where(BACKUPS.c.id == backup_id))
    if not gone.rowcount:
        raise ConfigError(
            field="backup", value=backup_id, remedy="`smallhold state backups` lists them"
        )


def path_of(row: RowMapping, sealer: Sealer) -> Path | None:
    """Read where a registered backup is; `None` when its record cannot be read."""
    try:
        return _backup(row["id"], row["created_s"], row["payload"], sealer).path
    except StateError:
        return None


def _backup(backup_id: str, created_s: float, payload: bytes, sealer: Sealer) -> Backup:
    told = sealer.unseal(payload, tenant="", table=BACKUPS.name, row=backup_id)
    match told:
        case {"path": str() as path, "size_bytes": int() as size_bytes}:
            return Backup(id=backup_id, path=Path(path), created_s=created_s, size_bytes=size_bytes)
        case _:
            raise DamagedRecordError(
                record=f"{BACKUPS.name} {backup_id}", problem="it does not tell of a backup"
            )
