"""Making a damaged database serve again: this file holds the repair.

Nothing is thrown away. A damaged session is marked and refuses work, with all its rows in place;
other damaged rows are moved into a file beside the database; a file with broken structure is kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from anyio import to_thread

from smallhold.exceptions import DatabaseDamagedError
from smallhold.messages import JsonObject
from smallhold.state.care.checking import check
from smallhold.state.care.files import (
    create_private,
    discard,
    keep,
    kept_path,
    partial_path,
    put_into_place,
)
from smallhold.state.care.finding import CheckReport
from smallhold.state.care.mending import Mending, look_through
from smallhold.state.care.salvaging import Salvage
from smallhold.state.care.sealed_columns import opens_as
from smallhold.state.care.setting_aside import set_aside
from smallhold.state.care.structure import (
    leave_log,
    opened_file,
    refuse_damage,
    structural_problems,
)
from smallhold.state.database import Database, Sealer
from smallhold.state.database.database import transaction
from smallhold.state.database.engines import BEGIN_OPTION, address_of, open_engine
from smallhold.state.database.migrating import migrate
from smallhold.state.tables import STORE_INFO

ASIDE_ENDING: Final = ".damaged-rows.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairReport:
    """What a repair did."""

    database: str
    quarantined: tuple[tuple[str, str], ...]
    """Tenant and id of each session that was marked as damaged, its rows in place."""
    rows_set_aside: int
    """Rows that were moved into `aside`."""
    aside: Path | None
    """The file of these rows; `None` when there were none."""
    kept: Path | None
    """Where the file with the broken structure is; `None` when the structure was sound."""
    unreadable: int
    """Rows that were met in that file and could not be read. How many lay on lost pages nobody
    knows; `left` tells which sessions miss steps."""
    left: CheckReport
    """What a check finds now. Sessions that are marked are among it."""

    def to_dict(self) -> JsonObject:
        """Give the report as JSON."""
        return {
            "database": self.database,
            "quarantined": [list(pair) for pair in self.quarantined],
            "rows_set_aside": self.rows_set_aside,
            "aside": None if self.aside is None else str(self.aside),
            "kept": None if self.kept is None else str(self.kept),
            "unreadable": self.unreadable,
            "left": self.left.to_dict(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rebuilt:
    """A file that was written anew from what could be read."""

    kept: Path
    unreadable: int


async def repair(
    database: Database, *, aside: Path | None = None, clock: Callable[[], float] = time.time
) -> RepairReport:
    """Make a database serve again, without what is damaged.

    No process may have the database open where its file's structure is broken.

    Args:
        database: With its keys.
        aside: A file for damaged rows, by default beside the database; needed for PostgreSQL.
        clock: Tells the Unix time in seconds.

    Raises:
        WrongKeyError: The keys do not open the database, or what proves them is damaged; then only
            a backup helps.
        DatabaseDamagedError: What proves the keys cannot be read; only a backup helps.
        DatabaseBusyError: A process has the database open.
        DatabaseError: The database cannot be used, or there is no room.
    """
    path = database.address.path
    now_s = clock()
    rebuilt: _Rebuilt | None = None
    if path is not None and await to_thread.run_sync(structural_problems, path):
        await database.aclose()
        rebuilt = await _rebuild(database, path, now_s=now_s)
    found = await check(database)
    mending = Mending(now_s=now_s)
    place = aside if aside is not None else _beside(path)
    async with database.writing() as connection:
        for finding in found.findings:
            await mending.mend(connection, database, finding)
        if mending.rows:
            # On the disk before they are gone from the database.
            await to_thread.run_sync(lambda: set_aside(place, mending.rows, now_s=now_s))
    await look_through(database, mending.queues)
    return RepairReport(
        database=database.name,
        quarantined=tuple(sorted(mending.quarantined)),
        rows_set_aside=len(mending.rows),
        aside=place if mending.rows else None,
        kept=None if rebuilt is None else rebuilt.kept,
        unreadable=0 if rebuilt is None else rebuilt.unreadable,
        left=await check(database),
    )


def _beside(path: Path | None) -> Path:
    """Name the file for damaged rows; a server's database gets one in the current folder."""
    return Path(f"state{ASIDE_ENDING}") if path is None else Path(f"{path}{ASIDE_ENDING}")


async def _rebuild(database: Database, path: Path, *, now_s: float) -> _Rebuilt:
    """Write the file anew from what can be read of it; the old one is kept."""
    # Others must not write into a file that is being left behind. That the log cannot be moved
    # into a damaged file does not matter, since it is read and kept with it.
    with suppress(DatabaseDamagedError):
        await to_thread.run_sync(leave_log, path)
    fresh = partial_path(path, purpose="repair")
    try:
        create_private(fresh)
        engine = open_engine(
            address_of(fresh), durability=database.durability, is_for_tenants=False
        )
        try:
            async with transaction(engine, {BEGIN_OPTION: "BEGIN IMMEDIATE"}) as connection:
                await migrate(connection, database=str(fresh))
        finally:
            await engine.dispose()
        is_sealed = partial(opens_as, Sealer(keys=database.keys))
        salvage = Salvage(path=path, is_sealed=is_sealed)
        return await to_thread.run_sync(_exchange, fresh, salvage, now_s)
    finally:
        discard(fresh)


def _exchange(fresh: Path, salvage: Salvage, now_s: float) -> _Rebuilt:
    leave_log(fresh)
    refused, path = 0, salvage.path
    with opened_file(fresh) as connection:
        connection.execute("BEGIN IMMEDIATE")
        for table, row in salvage.rows():
            columns, marks = ", ".join(row), ", ".join("?" * len(row))
            statement = f"INSERT OR IGNORE INTO {table.name} ({columns}) VALUES ({marks})"  # noqa: S608 - names of our own
            done = connection.execute(statement, tuple(row.values()))
            refused += done.rowcount < 1
        held = connection.execute(f"SELECT count(*) FROM {STORE_INFO.name}").fetchone()[0]  # noqa: S608 - as above
        connection.execute("COMMIT")
    if not held:
        # Nothing could be looked up or proved without the database's own secret.
        raise DatabaseDamagedError(
            database=str(path), problem="what proves its keys cannot be read; only a backup helps"
        )
    refuse_damage(fresh)
    kept = kept_path(path, why="damaged", now_s=now_s)
    keep(path, kept)
    put_into_place(fresh, path)
    return _Rebuilt(kept=kept, unreadable=refused + salvage.unreadable)
