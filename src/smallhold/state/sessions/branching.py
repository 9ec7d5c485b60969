"""Other ways that a conversation could go: this file holds branches and edits of sessions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import bindparam, insert, update

from smallhold.exceptions import (
    ConfigError,
    SessionExistsError,
    UnknownRunError,
)
from smallhold.messages import JsonObject, JsonValue
from smallhold.state.database import TenantConnection, TenantDatabase
from smallhold.state.database.database import check_id
from smallhold.state.sessions.conversations import message_json, read_change
from smallhold.state.sessions.entries import FORMAT, Entry, EntryKind, Run, RunStatus, Session
from smallhold.state.sessions.log import APPEND, entry_values
from smallhold.state.sessions.rows import (
    Row,
    as_session,
    known_run,
    known_session,
    read_conversation,
    read_entries,
    refuse_open,
    refuse_unusable,
    session_row,
)
from smallhold.state.tables.sessions import RUNS, SESSIONS

_ADD_SESSION: Final = insert(SESSIONS)
_ADD_RUN: Final = insert(RUNS)
_SET_SESSION: Final = update(SESSIONS).where(SESSIONS.c.id == bindparam("session_id"))
_ENDS: Final = {
    EntryKind.ENDED: RunStatus.ENDED,
    EntryKind.FAILED: RunStatus.FAILED,
    EntryKind.EDITED: RunStatus.ABANDONED,
}
ABANDONED: Final = "abandoned"
"""What the last entry of a run that was given up says as its error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSession:
    """A session that is written with a whole log at once."""

    id: str
    title: JsonValue
    entries: Sequence[Entry]
    parent: str | None = None
    parent_seq: int | None = None


def runs_in(entries: Sequence[Entry]) -> dict[str, tuple[Entry, RunStatus]]:
    """Find the runs of a log by their ids: each one's message, and where it stands at the end."""
    found: dict[str, tuple[Entry, RunStatus]] = {}
    for entry in entries:
        first = found[entry.run][0] if entry.run in found else entry
        if entry.kind is EntryKind.MESSAGE:
            first = entry
        status = _ENDS.get(entry.kind, RunStatus.RUNNING)
        if entry.kind is EntryKind.FAILED and entry.payload.get("error") == ABANDONED:
            status = RunStatus.ABANDONED
        found[entry.run] = (first, status)
    return found


def base_of(entries: Sequence[Entry]) -> int:
    """Find the last entry that holds the conversation whole; 0 where none does."""
    base = 0
    for entry in entries:
        if entry.kind in {EntryKind.ENDED, EntryKind.EDITED}:
            base = entry.seq if read_change(entry.payload.get("conversation")).is_whole else base
    return base


async def write_session(
    rows: TenantDatabase, connection: TenantConnection, new: NewSession, *, now_s: float
) -> None:
    """Write a session with its log; a run that has not ended at its end can be resumed."""
    runs = runs_in(new.entries)
    last_run = new.entries[-1].run if new.entries else None
    is_open = last_run is not None and runs[last_run][1] is RunStatus.RUNNING
    title: JsonObject = {"v": 1, "title": new.title}
    await connection.execute(
        _ADD_SESSION,
        {
            "id": new.id,
            "format": FORMAT,
            "created_s": new.entries[0].created_s if new.entries else now_s,
            "updated_s": now_s,
            "head": len(new.entries),
            "base": base_of(new.entries),
            "turns": len(runs),
            "open_run": last_run if is_open else None,
            "parent": new.parent,
            "parent_seq": new.parent_seq,
            "payload": rows.seal(title, table=SESSIONS.name, row=new.id),
        },
    )
    values = [run_values(*found, session=new.id, now_s=now_s) for found in runs.values()]
    if values:
        await connection.execute(_ADD_RUN, values)
    if new.entries:
        added = [entry_values(rows, entry, session=new.id) for entry in new.entries]
        await connection.execute(APPEND, added)


def run_values(
    message: Entry, status: RunStatus, *, session: str, now_s: float
) -> Mapping[str, Any]:
    """Write a run that no process works on as a row.

    In the middle of a log an unfinished run was followed by others: it has failed.
    """
    return {
        "id": message.run,
        "session": session,
        "status": status.value,
        "epoch": 1,
        "owner": "",
        "lease_until_s": 0.0,
        "first_seq": message.seq,
        "started_s": message.created_s,
        "updated_s": now_s,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Branching:
    """Copies and rewinds sessions."""

    rows: TenantDatabase
    clock: Callable[[], float]
    new_id: Callable[[], str]

    async def branch(self, session: str, *, to: str, at: int | str | None) -> Session:
        """Copy a session's log; see `SessionStore.branch`."""
        check_id("session", to)
        async with self.rows.writing() as connection:
            row = await known_session(connection, session)
            if row["format"] > FORMAT:
                refuse_unusable(row)
            if await session_row(connection, to) is not None:
                raise SessionExistsError(session=to)
            last = await self._last(connection, row, at)
            found = await read_entries(self.rows, connection, session, first=1, last=last)
            ids: dict[str, str] = {}
            for entry in found:
                ids.setdefault(entry.run, self.new_id())
            copied = tuple(replace(entry, run=ids[entry.run]) for entry in found)
            new = NewSession(
                id=to,
                title=as_session(self.rows, row).title,
                entries=copied,
                parent=session,
                parent_seq=last,
            )
            await write_session(self.rows, connection, new, now_s=self.clock())
            return as_session(self.rows, await known_session(connection, to))

    async def _last(self, connection: TenantConnection, row: Row, at: int | str | None) -> int:
        if at is None:
            return int(row["head"])
        if isinstance(at, int):
            if not 1 <= at <= row["head"]:
                raise ConfigError(
                    field="at", value=at, remedy=f"the session's entries are 1 to {row['head']}"
                )
            return at
        run = await known_run(connection, at)
        if run.session != row["id"]:
            raise UnknownRunError(run=at)
        found = await read_entries(
            self.rows, connection, run.session, first=run.first_seq, last=row["head"]
        )
        return max(entry.seq for entry in found if entry.run == at)

    async def edit(self, session: str, *, at: int, text: str) -> Run:
        """Put another text in a message's place; see `SessionStore.edit`."""
        if not text.strip():
            raise ConfigError(field="text", value=text, remedy="give what the user says instead")
        async with self.rows.writing() as connection:
            row = await known_session(connection, session)
            refuse_unusable(row)
            await refuse_open(connection, row)
            message = await self._message(connection, row, at)
            before, _ = await read_conversation(
                self.rows, connection, session, first=1, last=at - 1
            )
            whole: JsonObject = {"keep": 0, "then": [message_json(one) for one in before]}
            run, head, now_s = self.new_id(), row["head"], self.clock()
            edited = Entry(
                seq=head + 1,
                run=run,
                kind=EntryKind.EDITED,
                created_s=now_s,
                payload={"v": 1, "before": at, "conversation": whole},
            )
            again = Entry(
                seq=head + 2,
                run=run,
                kind=EntryKind.MESSAGE,
                created_s=now_s,
                payload=_with_text(message.payload, text),
            )
            values = {
                "session_id": session, "head": head + 2, "base": head + 1, "open_run": run,
                "turns": row["turns"] + 1, "updated_s": now_s,
            }  # fmt: skip
            await connection.execute(_SET_SESSION, values)
            await connection.execute(
                _ADD_RUN, run_values(again, RunStatus.RUNNING, session=session, now_s=now_s)
            )
            added = [entry_values(self.rows, one, session=session) for one in (edited, again)]
            await connection.execute(APPEND, added)
            return await known_run(connection, run)

    async def _message(self, connection: TenantConnection, row: Row, at: int) -> Entry:
        found = await read_entries(self.rows, connection, row["id"], first=at, last=at)
        if not found or found[0].kind is not EntryKind.MESSAGE:
            raise ConfigError(
                field="at",
                value=at,
                remedy=("name the entry of a user's message; `smallhold sessions show` lists them"),
            )
        return found[0]


def _with_text(payload: JsonObject, text: str) -> JsonObject:
    message = payload.get("message")
    kept = message if isinstance(message, dict) else {"role": "user"}
    return {**payload, "message": {**kept, "content": text}}
