"""Conversations that outlive the process: this file holds the store of sessions."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable
from typing import Final, cast

from sqlalchemy import bindparam, select

from smallhold.messages import JsonObject, Message
from smallhold.state.database import TenantDatabase
from smallhold.state.sessions.branching import Branching
from smallhold.state.sessions.claims import Claims, quarantining
from smallhold.state.sessions.entries import FORMAT, Entry, Run, Session
from smallhold.state.sessions.log import RunLog
from smallhold.state.sessions.retention import Retention
from smallhold.state.sessions.rows import (
    Row,
    as_session,
    known_run,
    known_session,
    read_conversation,
    read_entries,
    refuse_unusable,
    runs_of_session,
)
from smallhold.state.sessions.transfer import EntryCheck, Transfer, any_entry
from smallhold.state.tables.sessions import SESSIONS

_LISTED: Final = (
    select(SESSIONS).order_by(SESSIONS.c.updated_s.desc(), SESSIONS.c.id).limit(bindparam("most"))
)
_OPEN: Final = (
    select(SESSIONS.c.open_run)
    .where(SESSIONS.c.open_run.is_not(None))
    .order_by(SESSIONS.c.updated_s)
)


def new_run_id() -> str:
    """Make an id for a run: the time in milliseconds, then chance, so that ids sort by age."""
    return f"{int(time.time() * 1000):012x}{secrets.token_hex(5)}"


class SessionStore:
    """The sessions of one tenant. Made by `State.sessions`.

    One run at a time works in a session. A run belongs to the process that works on it; when that
    has died, on this machine at once and on another after its lease, the run can be resumed.
    """

    def __init__(
        self,
        database: TenantDatabase,
        *,
        clock: Callable[[], float] = time.time,
        new_id: Callable[[], str] = new_run_id,
    ) -> None:
        """Make the store.

        Args:
            database: The tenant's part of the database.
            clock: Gives Unix time in seconds.
            new_id: Gives ids for runs.
        """
        self._rows = database
        self._clock = clock
        self._claims = Claims(rows=database, clock=clock, new_id=new_id)
        self._branching = Branching(rows=database, clock=clock, new_id=new_id)
        self._transfer = Transfer(rows=database, clock=clock, new_id=new_id)
        self._retention = Retention(rows=database, clock=clock)

    # What a run needs

    async def accept(self, session: str | None, payload: JsonObject, *, lease_s: float) -> RunLog:
        """Take a message: from now on its run is known and can be resumed.

        Args:
            session: The conversation; `None` for a message that stands alone, which gets a session
                of its own, named after its run.
            payload: What the message's entry holds; `message` is the message in JSON.
            lease_s: Seconds after which another machine may take the run over.

        Raises:
            ConfigError: the session's id cannot be stored.
            SessionBusyError: a process is working on the session's latest run.
            UnfinishedRunError: its latest run was interrupted, or waits for an approval.
            NewerFormatError: a newer version has written the session.
            QuarantinedSessionError: an entry of the session is damaged.
            StateError: the database cannot be used; nothing was stored.
        """
        return await self._claims.accept(session, payload, lease_s=lease_s)

    async def claim(self, run_id: str, *, lease_s: float) -> RunLog:
        """Go on with a run that was interrupted, waits or failed.

        Args:
            run_id: The run.
            lease_s: As for `accept`.

        Raises:
            UnknownRunError: there is no such run.
            SessionBusyError: a process is working on it.
            RunNotResumableError: it has ended or was given up, or another run followed it.
            NewerFormatError: as `accept`.
            QuarantinedSessionError: as `accept`.
            StateError: the database cannot be used; nothing was stored.
        """
        return await self._claims.claim(run_id, lease_s=lease_s)

    async def abandon(self, run_id: str) -> Run:
        """Give an interrupted or waiting run up: the session takes messages again.

        Its conversation is what it was before the run; what tools have done stays done.

        Raises:
            UnknownRunError: there is no such run.
            SessionBusyError: a process is working on it.
            RunNotResumableError: it has ended already.
        """
        return await self._claims.abandon(run_id)

    # Looking

    async def get(self, session: str) -> Session:
        """Tell what is known of a session. Raises `UnknownSessionError`."""
        async with self._rows.reading() as connection:
            return as_session(self._rows, await known_session(connection, session))

    async def list(self, *, limit: int = 100) -> tuple[Session, ...]:
        """List sessions, the one that was used last first."""
        async with self._rows.reading() as connection:
            found = (await connection.execute(_LISTED, {"most": limit})).mappings().all()
            return tuple(as_session(self._rows, cast("Row", row)) for row in found)

    async def run(self, run_id: str) -> Run:
        """Tell what is known of a run. Raises `UnknownRunError`."""
        async with self._rows.reading() as connection:
            return await known_run(connection, run_id)

    async def runs(self, session: str) -> tuple[Run, ...]:
        """List a session's runs in order. Raises `UnknownSessionError`."""
        async with self._rows.reading() as connection:
            await known_session(connection, session)
            return await runs_of_session(connection, session)

    async def unfinished(self) -> tuple[Run, ...]:
        """List the runs that have not ended, in all sessions: live, interrupted and waiting."""
        async with self._rows.reading() as connection:
            ids = (await connection.execute(_OPEN)).scalars().all()
            return tuple([await known_run(connection, run) for run in ids])

    async def entries(self, session: str, *, run: str | None = None) -> tuple[Entry, ...]:
        """Read a session's log, or what of it belongs to one run.

        Raises:
            UnknownSessionError: there is no such session.
            UnknownRunError: there is no such run.
            NewerFormatError: a newer version has written it.
            QuarantinedSessionError: an entry is not what was written.
            WrongKeyError: the keys do not open an entry.
        """
        apart = quarantining(self._rows, self._clock, session)
        async with apart, self._rows.reading() as connection:
            row = await known_session(connection, session)
            if row["format"] > FORMAT:
                refuse_unusable(row)
            first = 1
            if run is not None:
                first = (await known_run(connection, run)).first_seq
            found = await read_entries(
                self._rows, connection, session, first=first, last=row["head"]
            )
        return tuple(entry for entry in found if run is None or entry.run == run)

    async def conversation(self, session: str) -> tuple[Message, ...]:
        """Give a session's conversation as the next message will find it.

        Raises:
            UnknownSessionError: there is no such session.
            NewerFormatError: a newer version has written it.
            QuarantinedSessionError: an entry of it is damaged.
        """
        async with (
            quarantining(self._rows, self._clock, session),
            self._rows.reading() as connection,
        ):
            row = await known_session(connection, session)
            refuse_unusable(row)
            found, _ = await read_conversation(
                self._rows, connection, session, first=row["base"], last=row["head"]
            )
        return found

    # Changing whole sessions

    async def branch(self, session: str, *, to: str, at: int | str | None = None) -> Session:
        """Copy a session's log, up to an entry, into a new session.

        Where the copy ends in the middle of a run, that run can be resumed from there: so a
        conversation is replayed from any step.

        Args:
            session: The session to copy.
            to: Id of the new one.
            at: The last entry to copy: its number, or a run's id for the end of that run. `None`
                copies everything.

        Raises:
            UnknownSessionError: there is no such session.
            UnknownRunError: it has no such run.
            SessionExistsError: the new id is taken.
            ConfigError: the session has no such entry.
            DamagedRecordError: an entry up to there is damaged.
        """
        return await self._branching.branch(session, to=to, at=at)

    async def edit(self, session: str, *, at: int, text: str) -> Run:
        """Take a session back to one of its messages, and put another text in its place.

        The log keeps what happened. The run that is given has not been begun: `agent.resume` it.

        Args:
            session: The session.
            at: Number of the message's entry.
            text: What the user says instead.

        Raises:
            UnknownSessionError: there is no such session.
            ConfigError: that entry is no message, or the text is empty.
            SessionBusyError: a process is working on the session.
            UnfinishedRunError: its latest run must be resumed or abandoned first.
            QuarantinedSessionError: an entry of the session is damaged.
        """
        async with quarantining(self._rows, self._clock, session):
            return await self._branching.edit(session, at=at, text=text)

    async def export_lines(self, session: str) -> tuple[str, ...]:
        """Write a session as JSON Lines, a line each, without line breaks: what was said is in it.

        Raises:
            UnknownSessionError: there is no such session.
            NewerFormatError: a newer version has written it.
            DamagedRecordError: an entry is damaged.
        """
        return await self._transfer.export_lines(session)

    async def import_lines(
        self, lines: Iterable[str], *, to: str | None = None, check: EntryCheck = any_entry
    ) -> Session:
        """Take a session in that was exported; all of it or nothing.

        Runs keep their ids where these are free, and get new ones otherwise.

        Args:
            lines: What `export_lines` has written.
            to: Id for it; by default the one it had.
            check: Looks at each entry beside the checks that are made here; raises `ValueError`.

        Raises:
            SessionImportError: a line is not sound.
            SessionExistsError: the id is taken.
            NewerFormatError: a newer version has written it.
        """
        return await self._transfer.import_lines(lines, to=to, check=check)

    async def delete(self, session: str) -> None:
        """Delete a session with its runs, entries and approvals.

        Raises:
            UnknownSessionError: there is no such session.
            SessionBusyError: a process is working on it.
        """
        await self._retention.delete(session)

    async def prune(
        self,
        *,
        older_than_s: float | None = None,
        keep: int | None = None,
        unfinished: bool = False,
    ) -> tuple[str, ...]:
        """Delete sessions that have not been used for long.

        Args:
            older_than_s: Delete those that were last used so many seconds ago or more.
            keep: Delete all but so many that were used last.
            unfinished: Also delete sessions with a run that was interrupted or waits.

        Returns:
            Ids of the sessions that were deleted. One that a process is working on never is.

        Raises:
            ConfigError: neither limit is given, or one is below 0.
        """
        return await self._retention.prune(
            older_than_s=older_than_s, keep=keep, unfinished=unfinished
        )
