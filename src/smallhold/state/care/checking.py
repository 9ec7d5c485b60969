"""Looking for damage: this file holds the check of a whole database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from anyio import to_thread
from sqlalchemy import RowMapping

from smallhold.exceptions import (
    DamagedRecordError,
    DatabaseDamagedError,
    WrongKeyError,
)
from smallhold.state.care.batches import Batches
from smallhold.state.care.finding import CheckReport, Finding, FindingKind
from smallhold.state.care.relations import RELATIONS
from smallhold.state.care.sealed_columns import SEALED_COLUMNS, SealedColumn
from smallhold.state.care.structure import structural_problems
from smallhold.state.database import Database
from smallhold.state.tables import ENTRIES, SESSIONS

_SESSION_COLUMN: Final = {SESSIONS.name: "id", ENTRIES.name: "session"}


async def check(database: Database) -> CheckReport:
    """Look at everything that is stored; nothing is changed, and others may go on working.

    Every page of a SQLite file, every sealed value, the numbering of every session's steps, and
    whether each row has what it belongs to. A PostgreSQL server checks its pages by itself
    (`pg_amcheck`).

    Raises:
        ConfigError: There is no such file.
        WrongKeyError: The keys do not open the database.
        NewerFormatError: A newer version of Smallhold has written it.
        DatabaseError: It cannot be reached.
    """
    found = _Found()
    path = database.address.path
    if path is not None:
        problems = await to_thread.run_sync(structural_problems, path)
        found.findings += [Finding(kind=FindingKind.FILE, problem=problem) for problem in problems]
    try:
        await database.open()
    except (DatabaseDamagedError, DamagedRecordError) as error:
        found.broken(str(error))
        return found.report(database)
    for sealed in SEALED_COLUMNS:
        await _look_at(sealed, database, found)
    for relation in RELATIONS:
        try:
            async with database.reading(whole=True) as connection:
                rows = (await connection.execute(relation.query)).mappings().all()
        except DatabaseDamagedError as error:
            found.broken(str(error), table=relation.table)
        else:
            found.findings += [relation.finding(row) for row in rows]
    return found.report(database)


async def _look_at(sealed: SealedColumn, database: Database, found: _Found) -> None:
    batches = Batches(table=sealed.table, columns=(*sealed.keys, sealed.column))
    after: tuple[Any, ...] | None = None
    while True:
        try:
            async with database.reading(whole=True) as connection:
                rows = (await connection.execute(batches.query(after=after))).mappings().all()
        except DatabaseDamagedError as error:
            found.broken(str(error), table=sealed.table.name)
            return
        found.add(_opened(sealed, rows, database), rows=0 if sealed.is_optional else len(rows))
        found.values += sum(row[sealed.column.name] is not None for row in rows)
        if len(rows) < batches.rows:
            return
        after = batches.key_of(rows[-1])


def _opened(
    sealed: SealedColumn, rows: Iterable[RowMapping], database: Database
) -> Iterable[Finding]:
    for row in rows:
        finding = opening_problem(sealed, row, database)
        if finding is not None:
            yield finding


def opening_problem(sealed: SealedColumn, row: RowMapping, database: Database) -> Finding | None:
    """Open a row's value; say what is wrong, `None` if nothing is."""
    data = row[sealed.column.name]
    if data is None and sealed.is_optional:
        return None
    tenant, name = sealed.tenant_of(row), sealed.row_name(row)
    kind, problem = FindingKind.PAYLOAD, ""
    try:
        # A damaged file may hold text or nothing where bytes belong.
        value = data if isinstance(data, bytes) else b""
        database.sealer.unseal_bytes(value, tenant=tenant, table=sealed.seal_name, row=name)
    except DamagedRecordError as error:
        problem = error.problem
    except WrongKeyError as error:
        if error.key_id not in error.known:
            kind = FindingKind.KEY
            problem = f"it was sealed with the key {error.key_id!r}, which is not at hand"
        else:
            problem = f"the key {error.key_id!r} does not open it: it is not what was written here"
    else:
        return None
    session_column = _SESSION_COLUMN.get(sealed.table.name)
    return Finding(
        kind=kind,
        problem=problem,
        table=sealed.table.name,
        row=name,
        tenant=tenant,
        session=None if session_column is None else row[session_column],
        column=sealed.column.name,
        key=tuple(row[column.name] for column in sealed.keys),
    )


@dataclass(slots=True)
class _Found:
    """What has been found so far."""

    findings: list[Finding] = field(default_factory=list[Finding])
    rows: int = 0
    values: int = 0

    def add(self, findings: Iterable[Finding], *, rows: int) -> None:
        self.findings += findings
        self.rows += rows

    def broken(self, problem: str, *, table: str = "") -> None:
        self.findings.append(Finding(kind=FindingKind.FILE, problem=problem, table=table))

    def report(self, database: Database) -> CheckReport:
        return CheckReport(
            database=database.name,
            rows=self.rows,
            values=self.values,
            findings=tuple(self.findings),
        )
