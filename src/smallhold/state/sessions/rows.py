"""From rows to values: this file holds the statements that read sessions.

All of them are constants, which SQLAlchemy compiles once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Final, cast

from sqlalchemy import ColumnElement, Float, bindparam, extract, func, select
from sqlalchemy import cast as as_type

from smallhold.exceptions import (
    DamagedRecordError,
    NewerFormatError,
    QuarantinedSessionError,
    SessionBusyError,
    UnfinishedRunError,
    UnknownRunError,
    UnknownSessionError,
)
from smallhold.messages import JsonObject, JsonValue, Message
from smallhold.state.database import TenantConnection, TenantDatabase
from smallhold.state.sessions.conversations import read_change
from smallhold.state.sessions.entries import FORMAT, Entry, EntryKind, Run, RunStatus, Session
from smallhold.state.sessions.ownership import Owner, is_alive, process_started, this_process
from smallhold.state.tables.sessions import ENTRIES, RUNS, SESSIONS

Row = Mapping[str, Any]

_EPOCH_DAY: Final = 2440587.5
"""The Julian day on which Unix time begins. Source: SQLite documentation, date functions."""
_DAY_S: Final = 86_400.0
CONVERSATION_KINDS: Final = (EntryKind.ENDED.value, EntryKind.EDITED.value)
"""Entries that change a session's conversation."""

SESSION: Final = select(SESSIONS).where(SESSIONS.c.id == bindparam("session_id"))
ENTRIES_OF: Final = (
    select(ENTRIES)
    .where(
        ENTRIES.c.session == bindparam("session_id"),
        ENTRIES.c.seq >= bindparam("first"),
        ENTRIES.c.seq <= bindparam("last"),
    )
    .order_by(ENTRIES.c.seq)
)
CHANGES: Final = (
    select(ENTRIES.c.seq, ENTRIES.c.kind, ENTRIES.c.payload)
    .where(
        ENTRIES.c.session == bindparam("session_id"),
        ENTRIES.c.seq >= bindparam("first"),
        ENTRIES.c.seq <= bindparam("last"),
        ENTRIES.c.kind.in_(CONVERSATION_KINDS),
    )
    .order_by(ENTRIES.c.seq)
)

working: Final[set[str]] = set()
"""Ids of the runs that this process works on."""


def database_now(*, is_sqlite: bool) -> ColumnElement[float]:
    """Write the database's own time in Unix seconds."""
    if is_sqlite:
        return (func.julianday("now") - _EPOCH_DAY) * _DAY_S
    return as_type(extract("epoch", func.clock_timestamp()), Float)


@cache
def runs_of(*, is_sqlite: bool, by_session: bool) -> Any:
    """Make the statement that reads runs, with `is_lease_over`."""
    now = database_now(is_sqlite=is_sqlite)
    statement = select(RUNS, (RUNS.c.lease_until_s < now).label("is_lease_over"))
    if by_session:
        return statement.where(RUNS.c.session == bindparam("session_id")).order_by(RUNS.c.first_seq)
    return statement.where(RUNS.c.id == bindparam("run_id"))


def is_sqlite(connection: TenantConnection) -> bool:
    """Whether the database is a file, which the processes of one machine share."""
    return connection.connection.dialect.name == "sqlite"


def row_name(session: str, seq: int) -> str:
    """Name an entry's row for its seal."""
    return f"{session}/{seq}"


async def session_row(connection: TenantConnection, session: str) -> Row | None:
    """Read a session's row."""
    found = await connection.execute(SESSION, {"session_id": session})
    return cast("Row | None", found.mappings().first())


async def known_session(connection: TenantConnection, session: str) -> Row:
    """Read a session's row. Raises `UnknownSessionError`."""
    row = await session_row(connection, session)
    if row is None:
        raise UnknownSessionError(session=session)
    return row


async def known_run(connection: TenantConnection, run: str) -> Run:
    """Read a run, and whether somebody works on it. Raises `UnknownRunError`."""
    statement = runs_of(is_sqlite=is_sqlite(connection), by_session=False)
    row = (await connection.execute(statement, {"run_id": run})).mappings().first()
    if row is None:
        raise UnknownRunError(run=run)
    return as_run(cast("Row", row), is_one_machine=is_sqlite(connection))


async def runs_of_session(connection: TenantConnection, session: str) -> tuple[Run, ...]:
    """Read a session's runs in order."""
    statement = runs_of(is_sqlite=is_sqlite(connection), by_session=True)
    found = (await connection.execute(statement, {"session_id": session})).mappings().all()
    return tuple(as_run(cast("Row", row), is_one_machine=is_sqlite(connection)) for row in found)


def as_run(row: Row, *, is_one_machine: bool) -> Run:
    """Make a run of its row."""
    status = RunStatus(row["status"])
    return Run(
        id=row["id"],
        session=row["session"],
        status=status,
        epoch=row["epoch"],
        first_seq=row["first_seq"],
        started_s=row["started_s"],
        updated_s=row["updated_s"],
        is_live=status is RunStatus.RUNNING
        and is_alive(
            Owner.parse(row["owner"]),
            here=this_process(),
            works_here=row["id"] in working,
            is_lease_over=bool(row["is_lease_over"]),
            is_one_machine=is_one_machine,
            started_at=process_started,
        ),
    )


def as_session(rows: TenantDatabase, row: Row) -> Session:
    """Make a session's summary of its row; a title that cannot be read is left out."""
    return Session(
        id=row["id"],
        title=_title(rows, row),
        created_s=row["created_s"],
        updated_s=row["updated_s"],
        entries=row["head"],
        turns=row["turns"],
        open_run=row["open_run"],
        parent=row["parent"],
        parent_seq=row["parent_seq"],
        is_quarantined=row["quarantined_s"] is not None,
        format=row["format"],
    )


def _title(rows: TenantDatabase, row: Row) -> str:
    try:
        payload = rows.unseal(row["payload"], table=SESSIONS.name, row=row["id"])
    except DamagedRecordError:
        return ""
    title = payload.get("title") if isinstance(payload, dict) else None
    return title if isinstance(title, str) else ""


def refuse_unusable(row: Row) -> None:
    """Refuse a session that nothing may be appended to.

    Raises:
        NewerFormatError: a newer version has written it.
        QuarantinedSessionError: an entry of it is damaged.
    """
    if row["format"] > FORMAT:
        raise NewerFormatError(
            what=f"The session {row['id']!r}", found=str(row["format"]), supported=f"up to {FORMAT}"
        )
    if row["quarantined_s"] is not None:
        raise QuarantinedSessionError(
            session=row["id"], problem="an entry of it was found to be damaged"
        )


async def refuse_open(connection: TenantConnection, row: Row) -> None:
    """Refuse another message to a session that cannot take one.

    Raises:
        NewerFormatError: a newer version has written it.
        QuarantinedSessionError: an entry of it is damaged.
        SessionBusyError: a process is working on its latest run.
        UnfinishedRunError: that was interrupted, or waits for an approval.
    """
    refuse_unusable(row)
    if row["open_run"] is None:
        return
    run = await known_run(connection, row["open_run"])
    if run.is_live:
        raise SessionBusyError(session=row["id"])
    raise UnfinishedRunError(
        session=row["id"], run=run.id, waits_for_approval=run.status is RunStatus.WAITING
    )


def unsealed(rows: TenantDatabase, session: str, row: Row) -> JsonObject:
    """Read an entry's payload.

    Raises:
        DamagedRecordError: it is not what was written.
        WrongKeyError: the keys do not open it.
    """
    name = row_name(session, row["seq"])
    payload = rows.unseal(row["payload"], table=ENTRIES.name, row=name)
    if not isinstance(payload, dict):
        raise DamagedRecordError(record=f"{ENTRIES.name} {name}", problem="it is no JSON object")
    return payload


def as_entries(rows: TenantDatabase, session: str, found: Iterable[Row]) -> tuple[Entry, ...]:
    """Make entries of their rows; raises as `unsealed` does."""
    return tuple(
        Entry(
            seq=row["seq"],
            run=row["run"],
            kind=_kind(session, row),
            created_s=row["created_s"],
            payload=unsealed(rows, session, row),
        )
        for row in found
    )


def _kind(session: str, row: Row) -> EntryKind:
    try:
        return EntryKind(row["kind"])
    except ValueError as error:
        record = f"{ENTRIES.name} {row_name(session, row['seq'])}"
        raise DamagedRecordError(record=record, problem="it is of no known kind") from error


async def read_entries(
    rows: TenantDatabase, connection: TenantConnection, session: str, *, first: int, last: int
) -> tuple[Entry, ...]:
    """Read entries of a session; raises as `unsealed` does."""
    values = {"session_id": session, "first": first, "last": last}
    found = (await connection.execute(ENTRIES_OF, values)).mappings().all()
    return as_entries(rows, session, cast("Sequence[Row]", found))


async def read_conversation(
    rows: TenantDatabase, connection: TenantConnection, session: str, *, first: int, last: int
) -> tuple[tuple[Message, ...], int]:
    """Read what a session's conversation is after an entry.

    Args:
        rows: The tenant's part of the database.
        connection: An open transaction.
        session: Its id.
        first: The entry that holds the conversation whole, or 1.
        last: The last entry that counts.

    Returns:
        The messages, and how many changes made them.

    Raises:
        DamagedRecordError: an entry is not what was written.
        WrongKeyError: the keys do not open an entry.
    """
    values = {"session_id": session, "first": first, "last": last}
    found = (await connection.execute(CHANGES, values)).mappings().all()
    conversation: tuple[Message, ...] = ()
    for row in cast("Sequence[Row]", found):
        payload = unsealed(rows, session, row)
        conversation = changed(conversation, payload, record=row_name(session, row["seq"]))
    return conversation, len(found)


def changed(
    conversation: tuple[Message, ...], payload: JsonObject, *, record: str
) -> tuple[Message, ...]:
    """Apply an entry's change to a conversation. Raises `DamagedRecordError`."""
    change: JsonValue = payload.get("conversation")
    try:
        return read_change(change).applied(conversation)
    except ValueError as error:
        raise DamagedRecordError(record=f"{ENTRIES.name} {record}", problem=str(error)) from error
