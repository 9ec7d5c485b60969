"""Who works on a run: this file holds how runs are begun, gone on with and given up."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, insert, update

from smallhold.exceptions import (
    DamagedRecordError,
    QuarantinedSessionError,
    RunNotResumableError,
    SessionBusyError,
)
from smallhold.messages import JsonObject, Message
from smallhold.state.database import TenantConnection, TenantDatabase
from smallhold.state.database.database import check_id
from smallhold.state.sessions.entries import FORMAT, Entry, EntryKind, Run, RunStatus
from smallhold.state.sessions.log import APPEND, RunLog, entry_values
from smallhold.state.sessions.ownership import this_process
from smallhold.state.sessions.rows import (
    Row,
    database_now,
    is_sqlite,
    known_run,
    known_session,
    read_conversation,
    read_entries,
    refuse_open,
    refuse_unusable,
    runs_of_session,
    session_row,
    working,
)
from smallhold.state.tables.sessions import RUNS, SESSIONS

TITLE_CHARS: Final = 80
"""How much of a session's first message a listing shows."""
_SET_SESSION: Final = update(SESSIONS).where(SESSIONS.c.id == bindparam("session_id"))
_ADD_SESSION: Final = insert(SESSIONS)
_SET_RUN: Final = update(RUNS).where(RUNS.c.id == bindparam("run_id"))


def session_of_run(run: str) -> str:
    """Name the session of a message that stands alone."""
    return f"run-{run}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """Gives runs to this process, and to no other."""

    rows: TenantDatabase
    clock: Callable[[], float]
    new_id: Callable[[], str]

    async def accept(self, session: str | None, payload: JsonObject, *, lease_s: float) -> RunLog:
        """Take a message; see `SessionStore.accept`."""
        run = self.new_id()
        name = session_of_run(run) if session is None else session
        check_id("session", name)
        now_s = self.clock()
        async with quarantining(self.rows, self.clock, name), self.rows.writing() as connection:
            row = await session_row(connection, name)
            conversation: tuple[Message, ...] = ()
            changes = 0
            if row is None:
                head = 1
                await self._add_session(connection, name, payload, run=run, now_s=now_s)
            else:
                await refuse_open(connection, row)
                head = row["head"] + 1
                conversation, changes = await self._conversation(connection, row)
                values = {
                    "session_id": name, "head": head, "turns": row["turns"] + 1,
                    "open_run": run, "updated_s": now_s,
                }  # fmt: skip
                await connection.execute(_SET_SESSION, values)
            message = Entry(
                seq=head, run=run, kind=EntryKind.MESSAGE, created_s=now_s, payload=payload
            )
            await self._add_run(connection, message, session=name, lease_s=lease_s)
            await connection.execute(APPEND, entry_values(self.rows, message, session=name))
        working.add(run)
        return RunLog(
            rows=self.rows,
            session=name,
            run=run,
            epoch=1,
            head=head,
            conversation=conversation,
            changes=changes,
            entries=(message,),
            clock=self.clock,
        )

    async def claim(self, run_id: str, *, lease_s: float) -> RunLog:
        """Go on with a run that was interrupted, waits or failed; see `SessionStore.claim`."""
        session = await self._session_of(run_id)
        now_s = self.clock()
        async with quarantining(self.rows, self.clock, session), self.rows.writing() as connection:
            run = await known_run(connection, run_id)
            row = await known_session(connection, session)
            refuse_unusable(row)
            await self._refuse_claim(connection, run)
            head, epoch = row["head"] + 1, run.epoch + 1
            conversation, changes = await self._conversation(connection, row)
            entries = await read_entries(
                self.rows, connection, session, first=run.first_seq, last=row["head"]
            )
            resumed = Entry(
                seq=head,
                run=run_id,
                kind=EntryKind.RESUMED,
                created_s=now_s,
                payload={"v": 1, "epoch": epoch},
            )
            values = {
                "session_id": session, "head": head, "open_run": run_id, "updated_s": now_s,
            }  # fmt: skip
            await connection.execute(_SET_SESSION, values)
            await self._take(connection, run_id, epoch=epoch, lease_s=lease_s)
            await connection.execute(APPEND, entry_values(self.rows, resumed, session=session))
        working.add(run_id)
        return RunLog(
            rows=self.rows,
            session=session,
            run=run_id,
            epoch=epoch,
            head=head,
            conversation=conversation,
            changes=changes,
            entries=entries,
            clock=self.clock,
        )

    async def abandon(self, run_id: str) -> Run:
        """Give an interrupted or waiting run up; see `SessionStore.abandon`."""
        async with self.rows.writing() as connection:
            run = await known_run(connection, run_id)
            row = await known_session(connection, run.session)
            if run.is_live:
                raise SessionBusyError(session=run.session)
            if row["open_run"] != run_id:
                raise RunNotResumableError(run=run_id, problem=f"is {run.status.value} already")
            now_s = self.clock()
            entry = Entry(
                seq=row["head"] + 1,
                run=run_id,
                kind=EntryKind.FAILED,
                created_s=now_s,
                payload={"v": 1, "error": "abandoned"},
            )
            values = {
                "session_id": run.session, "head": entry.seq, "open_run": None, "updated_s": now_s,
            }  # fmt: skip
            await connection.execute(_SET_SESSION, values)
            await connection.execute(
                _SET_RUN,
                {
                    "run_id": run_id,
                    "status": RunStatus.ABANDONED.value,
                    "epoch": run.epoch + 1,
                    "owner": "",
                    "updated_s": now_s,
                },
            )
            await connection.execute(APPEND, entry_values(self.rows, entry, session=run.session))
            return await known_run(connection, run_id)

    async def _session_of(self, run_id: str) -> str:
        async with self.rows.reading() as connection:
            return (await known_run(connection, run_id)).session

    async def _conversation(
        self, connection: TenantConnection, row: Row
    ) -> tuple[tuple[Message, ...], int]:
        return await read_conversation(
            self.rows, connection, row["id"], first=row["base"], last=row["head"]
        )

    async def _refuse_claim(self, connection: TenantConnection, run: Run) -> None:
        if run.is_live:
            raise SessionBusyError(session=run.session)
        if run.status in {RunStatus.ENDED, RunStatus.ABANDONED}:
            problem = "has ended" if run.status is RunStatus.ENDED else "was given up"
            raise RunNotResumableError(run=run.id, problem=problem)
        if run.status is RunStatus.FAILED:
            runs = await runs_of_session(connection, run.session)
            if runs[-1].id != run.id:
                raise RunNotResumableError(
                    run=run.id, problem="failed, and its session has gone on without it"
                )

    async def _add_session(
        self,
        connection: TenantConnection,
        name: str,
        payload: JsonObject,
        *,
        run: str,
        now_s: float,
    ) -> None:
        title: JsonObject = {"v": 1, "title": title_of(payload)}
        await connection.execute(
            _ADD_SESSION,
            {
                "id": name,
                "format": FORMAT,
                "created_s": now_s,
                "updated_s": now_s,
                "head": 1,
                "base": 0,
                "turns": 1,
                "open_run": run,
                "payload": self.rows.seal(title, table=SESSIONS.name, row=name),
            },
        )

    async def _add_run(
        self, connection: TenantConnection, message: Entry, *, session: str, lease_s: float
    ) -> None:
        lease = database_now(is_sqlite=is_sqlite(connection)) + bindparam("lease_s")
        await connection.execute(
            insert(RUNS).values(lease_until_s=lease),
            {
                "id": message.run,
                "session": session,
                "status": RunStatus.RUNNING.value,
                "epoch": 1,
                "owner": str(this_process()),
                "first_seq": message.seq,
                "started_s": message.created_s,
                "updated_s": message.created_s,
                "lease_s": lease_s,
            },
        )

    async def _take(
        self, connection: TenantConnection, run_id: str, *, epoch: int, lease_s: float
    ) -> None:
        lease = database_now(is_sqlite=is_sqlite(connection)) + bindparam("lease_s")
        await connection.execute(
            _SET_RUN.values(lease_until_s=lease),
            {
                "run_id": run_id,
                "status": RunStatus.RUNNING.value,
                "epoch": epoch,
                "owner": str(this_process()),
                "updated_s": self.clock(),
                "lease_s": lease_s,
            },
        )


@asynccontextmanager
async def quarantining(
    rows: TenantDatabase, clock: Callable[[], float], session: str
) -> AsyncGenerator[None]:
    """Set a session apart when an entry of it turns out to be damaged.

    Raises:
        QuarantinedSessionError: one is.
    """
    try:
        yield
    except DamagedRecordError as error:
        async with rows.writing() as connection:
            values = {"session_id": session, "quarantined_s": clock()}
            await connection.execute(_SET_SESSION, values)
        raise QuarantinedSessionError(session=session, problem=str(error)) from error


def title_of(payload: JsonObject) -> str:
    """Give the beginning of a message, on one line."""
    message = payload.get("message")
    content = message.get("content") if isinstance(message, dict) else None
    words = " ".join(content.split()) if isinstance(content, str) else ""
    return words if len(words) <= TITLE_CHARS else f"{words[: TITLE_CHARS - 1]}…"
