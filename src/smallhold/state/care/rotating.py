"""Changing the keys of a database in use: this file holds the rotation.

Every value is opened and sealed anew with the active key, a few rows at a time, while other
processes read and write. A value's first bytes tell its key, so that the database itself finds what
is left to do: a rotation that was cut off goes on where it ended when it is run again.

A database in the clear is encrypted in the same way. A mark in it, present from before the first
value is encrypted until after the last, lets processes with the key read both kinds meanwhile.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from anyio import to_thread
from sqlalchemy import (
    LargeBinary,
    RowMapping,
    bindparam,
    delete,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from smallhold.exceptions import ConfigError, WrongKeyError
from smallhold.messages import JsonObject
from smallhold.security import KeyRing
from smallhold.security.encryption import SEALED_VERSION
from smallhold.state.care.batches import Batches
from smallhold.state.care.checking import opening_problem
from smallhold.state.care.finding import Finding
from smallhold.state.care.sealed_columns import SEALED_COLUMNS, SealedColumn
from smallhold.state.database import Database
from smallhold.state.database.engines import open_engine
from smallhold.state.database.index_secret import ENCRYPTING, info_payload
from smallhold.state.database.sealing import Sealer
from smallhold.state.memory.erased_files import rewrite_file
from smallhold.state.tables import BACKUPS, METADATA, STORE_INFO

BATCH_ROWS: Final = 100
"""Rows that are sealed anew in one transaction: others wait for milliseconds."""
_log = logging.getLogger(__name__)
_NEW_INFO: Final = insert(STORE_INFO)
_MARK: Final = select(STORE_INFO.c.value).where(STORE_INFO.c.name == ENCRYPTING)
_DROP_MARK: Final = delete(STORE_INFO).where(STORE_INFO.c.name == ENCRYPTING)


@dataclass(frozen=True, slots=True, kw_only=True)
class RotationReport:
    """What a rotation did."""

    key_id: str
    """The key that everything readable is sealed with now."""
    resealed: int
    """Values that were sealed anew."""
    unreadable: tuple[Finding, ...]
    """What could not be opened, and was left as it is."""
    is_rewritten: bool
    """Whether the database's file was written anew, so that no old value is left in freed pages."""
    backups: int
    """Registered backups; they keep the keys that they were made with."""

    def to_dict(self) -> JsonObject:
        """Give the report as JSON."""
        return {
            "key_id": self.key_id,
            "resealed": self.resealed,
            "unreadable": [finding.to_dict() for finding in self.unreadable],
            "is_rewritten": self.is_rewritten,
            "backups": self.backups,
        }


async def rotate(
    database: Database, *, batch_rows: int = BATCH_ROWS, rewrites: bool = True
) -> RotationReport:
    """Seal everything with the active key; encrypt a database that lies in the clear.

    Give all processes the old and the new key before, the old one active; then make the new one
    active everywhere; then rotate; then drop the old one.

    Args:
        database: Opened with all keys that are in use; its active key is the one to seal with.
        batch_rows: Rows in one transaction.
        rewrites: Write the file anew in the end, which needs as much free space as it takes.

    Raises:
        ConfigError: The database has no keys.
        WrongKeyError: The keys do not open the database.
        StateError: The database cannot be used; what was done stays, and running again goes on.
    """
    keys = database.keys
    if keys is None:
        raise ConfigError(field="keys", value="(none)", remedy="give the key to seal with")
    was_plain = await _begin_encryption(database, keys)
    resealed = 0
    for sealed in SEALED_COLUMNS:
        resealed += await _reseal(database, keys, sealed, batch_rows=batch_rows)
    unreadable: list[Finding] = []
    async with database.writing() as connection:
        # Alone now: what others have written meanwhile is sealed, and the mark can go.
        for sealed in SEALED_COLUMNS:
            done, problems = await _reseal_rest(connection, database, keys, sealed)
            resealed += done
            unreadable += problems
        await connection.execute(_DROP_MARK)
        backups = int(await connection.scalar(select(func.count()).select_from(BACKUPS)) or 0)
    await database.aclose()
    return RotationReport(
        key_id=keys.active,
        resealed=resealed,
        unreadable=tuple(unreadable),
        is_rewritten=rewrites and (resealed > 0 or was_plain) and await _rewritten(database),
        backups=backups,
    )


async def _begin_encryption(database: Database, keys: KeyRing) -> bool:
    """Put the mark into a database that lies in the clear; tell whether it does."""
    url = database.address.url.render_as_string(hide_password=False)
    plain = Database(url, durability=database.durability)
    try:
        async with plain.writing() as connection:
            if await connection.scalar(_MARK) is None:
                # Sealed with the key, so that nobody without it can have a database read in part.
                mark = info_payload(Sealer(keys=keys), ENCRYPTING, b"1")
                await connection.execute(_NEW_INFO, {"name": ENCRYPTING, "value": mark})
    except WrongKeyError:
        return False
    finally:
        await plain.aclose()
    return True


async def _reseal(
    database: Database, keys: KeyRing, sealed: SealedColumn, *, batch_rows: int
) -> int:
    batches = _old_values(sealed, keys, rows=batch_rows)
    after: tuple[Any, ...] | None = None
    resealed = 0
    while True:
        async with database.writing() as connection:
            rows = (await connection.execute(batches.query(after=after))).mappings().all()
            done, _ = await _seal_anew(connection, database, sealed, rows)
        resealed += done
        if len(rows) < batch_rows:
            return resealed
        after = batches.key_of(rows[-1])


async def _reseal_rest(
    connection: AsyncConnection, database: Database, keys: KeyRing, sealed: SealedColumn
) -> tuple[int, list[Finding]]:
    batches = _old_values(sealed, keys, rows=BATCH_ROWS)
    after: tuple[Any, ...] | None = None
    resealed, problems = 0, list[Finding]()
    while True:
        rows = (await connection.execute(batches.query(after=after))).mappings().all()
        done, found = await _seal_anew(connection, database, sealed, rows)
        resealed += done
        problems += found
        if len(rows) < BATCH_ROWS:
            return resealed, problems
        after = batches.key_of(rows[-1])


async def _seal_anew(
    connection: AsyncConnection,
    database: Database,
    sealed: SealedColumn,
    rows: Sequence[RowMapping],
) -> tuple[int, list[Finding]]:
    sealer = database.sealer
    changes: list[dict[str, Any]] = []
    problems: list[Finding] = []
    for row in rows:
        problem = opening_problem(sealed, row, database)
        if problem is not None:
            problems.append(problem)
            continue
        place = {
            "tenant": sealed.tenant_of(row),
            "table": sealed.seal_name,
            "row": sealed.row_name(row),
        }
        plain = sealer.unseal_bytes(row[sealed.column.name], **place)
        keyed = {f"old_{key.name}": row[key.name] for key in sealed.keys}
        changes.append({**keyed, "new_value": sealer.seal_bytes(plain, **place)})
    if changes:
        of_row = [key == bindparam(f"old_{key.name}") for key in sealed.keys]
        change: dict[str, Any] = {sealed.column.name: bindparam("new_value")}
        await connection.execute(update(sealed.table).where(*of_row).values(change), changes)
    return len(changes), problems


def _old_values(sealed: SealedColumn, keys: KeyRing, *, rows: int) -> Batches:
    """Walk through the values that are not sealed with the active key."""
    key_id = keys.active.encode()
    head = bytes((SEALED_VERSION, len(key_id))) + key_id
    beginning = func.substr(sealed.column, 1, len(head), type_=LargeBinary())
    return Batches(
        table=sealed.table,
        columns=(*sealed.keys, sealed.column),
        where=beginning != literal(head, LargeBinary()),
        rows=rows,
    )


async def _rewritten(database: Database) -> bool:
    path = database.address.path
    if path is not None:
        try:
            return await to_thread.run_sync(rewrite_file, path)
        except sqlite3.Error as error:
            _log.warning("state.not_rewritten", extra={"error": str(error)})
            return False
    if database.address.is_sqlite:
        return False
    engine = open_engine(database.address, durability=database.durability, is_for_tenants=False)
    try:
        async with engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            for table in METADATA.sorted_tables:
                await connection.exec_driver_sql(f"VACUUM (FULL) {table.name}")
    finally:
        await engine.dispose()
    return True
