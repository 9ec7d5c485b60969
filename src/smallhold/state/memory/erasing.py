"""Forgetting somebody for good: this file holds the eraser of a subject.

First the rows go, in one transaction with the tombstone; from that moment no process recalls
anything. Then every place that may still hold bytes of them is cleaned, and what could not be
cleaned is said.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from anyio import to_thread
from sqlalchemy import String, bindparam, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from smallhold.state.care.registry import path_of
from smallhold.state.database import Database
from smallhold.state.database.engines import open_engine
from smallhold.state.memory.erased_files import (
    BUSY_WAIT_S,
    KIND,
    Tombstone,
    erase_in_file,
    rewrite_file,
    tombstone_key,
)
from smallhold.state.memory.erasure import ErasureReport, Outcome, Place, PlaceReport
from smallhold.state.memory.fact_index import drop_everywhere
from smallhold.state.tables.memory import FACTS, SUBJECTS
from smallhold.state.tables.store import BACKUPS, TOMBSTONES

_TENANT: Final = bindparam("of_tenant", type_=String())
_KEY: Final = bindparam("of_key", type_=String())
_COUNT: Final = select(func.count(FACTS.c.id), func.count(FACTS.c.vector)).where(
    FACTS.c.tenant == _TENANT, FACTS.c.subject_key == _KEY
)
_DROP_FACTS: Final = delete(FACTS).where(FACTS.c.tenant == _TENANT, FACTS.c.subject_key == _KEY)
_DROP_SUBJECT: Final = delete(SUBJECTS).where(
    SUBJECTS.c.tenant == _TENANT, SUBJECTS.c.subject_key == _KEY
)
_DROP_TOMBSTONE: Final = delete(TOMBSTONES).where(
    TOMBSTONES.c.tenant == _TENANT, TOMBSTONES.c.kind == KIND, TOMBSTONES.c.key == _KEY
)
_NEW_TOMBSTONE: Final = insert(TOMBSTONES)
_BACKUPS: Final = select(BACKUPS).order_by(BACKUPS.c.created_s, BACKUPS.c.id)
_SERVERS_OWN: Final = (
    "PostgreSQL's own write-ahead log, replicas and dumps are in its administrator's hands"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Eraser:
    """Removes subjects of one tenant from all places of a database."""

    database: Database
    tenant: str
    wait_s: float = BUSY_WAIT_S
    """The most seconds to wait for other processes at each place."""

    async def erase(self, subject_key: str, *, now_s: float) -> ErasureReport:
        """Remove a subject, its history, vectors and keyed hashes, everywhere.

        Args:
            subject_key: The keyed hash of its name.
            now_s: Unix time.

        Raises:
            StateError: The rows could not be removed; nothing was.
        """
        tombstone = Tombstone(tenant=self.tenant, key=tombstone_key(subject_key), created_s=now_s)
        async with self.database.writing() as connection:
            facts, vectors = await self._remove(connection, subject_key, tombstone)
            backups = await self._backups(connection)
        indexes = drop_everywhere(subject_key)
        places = [
            PlaceReport(
                place=Place.PROCESS,
                name="indexes in memory",
                outcome=Outcome.ERASED if indexes else Outcome.NOTHING,
            ),
            *await self._clean_database(),
        ]
        for name, path in backups:
            places.append(await self._clean_backup(name, path, tombstone))
        return ErasureReport(facts=facts, vectors=vectors, erased_s=now_s, places=tuple(places))

    async def _remove(
        self, connection: AsyncConnection, subject_key: str, tombstone: Tombstone
    ) -> tuple[int, int]:
        of = {"of_tenant": self.tenant, "of_key": subject_key}
        facts, vectors = (await connection.execute(_COUNT, of)).one()
        await connection.execute(_DROP_FACTS, of)
        await connection.execute(_DROP_SUBJECT, of)
        await connection.execute(_DROP_TOMBSTONE, of | {"of_key": tombstone.key})
        row = {
            "tenant": tombstone.tenant,
            "kind": KIND,
            "key": tombstone.key,
            "created_s": tombstone.created_s,
        }
        await connection.execute(_NEW_TOMBSTONE, row)
        return facts, vectors

    async def _backups(self, connection: AsyncConnection) -> list[tuple[str, Path | None]]:
        rows = (await connection.execute(_BACKUPS)).mappings().all()
        return [(row["id"], path_of(row, self.database.sealer)) for row in rows]

    async def _clean_database(self) -> list[PlaceReport]:
        address = self.database.address
        if not address.is_sqlite:
            return await self._clean_server()
        if address.path is None:
            return [PlaceReport(place=Place.DATABASE, name="in memory", outcome=Outcome.ERASED)]
        return await to_thread.run_sync(partial(_clean_file, address.path, wait_s=self.wait_s))

    async def _clean_server(self) -> list[PlaceReport]:
        engine = open_engine(
            self.database.address, durability=self.database.durability, is_for_tenants=False
        )
        try:
            async with engine.connect() as connection:
                await connection.execution_options(isolation_level="AUTOCOMMIT")
                for table in (FACTS, SUBJECTS, TOMBSTONES):
                    await connection.exec_driver_sql(f"VACUUM (FULL) {table.name}")
        finally:
            await engine.dispose()
        name = self.database.name
        return [
            PlaceReport(place=Place.DATABASE, name=name, outcome=Outcome.ERASED),
            PlaceReport(place=Place.LOG, name=name, outcome=Outcome.LEFT, detail=_SERVERS_OWN),
        ]

    async def _clean_backup(
        self, name: str, path: Path | None, tombstone: Tombstone
    ) -> PlaceReport:
        if path is None:
            return _covered(name, "its record cannot be read")
        try:
            done = await to_thread.run_sync(
                partial(erase_in_file, path, [tombstone], wait_s=self.wait_s)
            )
        except (sqlite3.Error, OSError) as error:
            return _covered(str(path), str(error))
        return PlaceReport(
            place=Place.BACKUP,
            name=str(path),
            outcome=Outcome.ERASED if done.facts else Outcome.NOTHING,
        )


def _clean_file(path: Path, *, wait_s: float) -> list[PlaceReport]:
    try:
        is_log_cut = rewrite_file(path, wait_s=wait_s)
    except sqlite3.Error as error:
        return [
            PlaceReport(
                place=Place.DATABASE,
                name=str(path),
                outcome=Outcome.LEFT,
                detail=f"the rows are gone, freed pages may hold copies of them ({error}); "
                "erase again when the file is free and the disk has room for a copy of it",
            )
        ]
    database = PlaceReport(place=Place.DATABASE, name=str(path), outcome=Outcome.ERASED)
    log = PlaceReport(place=Place.LOG, name=f"{path}-wal", outcome=Outcome.ERASED)
    if not is_log_cut:
        detail = "another process is reading; erase again when it has ended"
        log = PlaceReport(place=Place.LOG, name=f"{path}-wal", outcome=Outcome.LEFT, detail=detail)
    return [database, log]


def _covered(name: str, problem: str) -> PlaceReport:
    return PlaceReport(
        place=Place.BACKUP,
        name=name,
        outcome=Outcome.COVERED,
        detail=f"out of reach ({problem}); a restore removes the subject from it, and whoever "
        "holds a copy must delete it",
    )
