"""Writing one run down: this file holds the log that a run appends its steps to.

Every append says after which entry it comes. Where another process has appended meanwhile, nothing
is written and the run ends here: two processes can never both believe that they go on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import bindparam, insert, update

from smallhold.exceptions import RunTakenOverError
from smallhold.messages import JsonObject, Message
from smallhold.state.database import TenantConnection, TenantDatabase
from smallhold.state.sessions.conversations import Change, change_between
from smallhold.state.sessions.entries import Entry, EntryKind, RunStatus
from smallhold.state.sessions.rows import row_name, working
from smallhold.state.tables.sessions import ENTRIES, RUNS, SESSIONS

WHOLE_EVERY: Final = 32
"""Turns after which a conversation is written whole again, so that opening a session never reads
more changes than these. A whole one is as long as the model's window at most."""

APPEND: Final = insert(ENTRIES)
_ADVANCE: Final = update(SESSIONS).where(
    SESSIONS.c.id == bindparam("session_id"),
    SESSIONS.c.head == bindparam("was"),
    SESSIONS.c.open_run == bindparam("run_id"),
)
_SET_RUN: Final = update(RUNS).where(
    RUNS.c.id == bindparam("run_id"), RUNS.c.epoch == bindparam("was_epoch")
)

Step = tuple[EntryKind, JsonObject]
"""An entry that has not been written yet: its kind and payload."""


def entry_values(
    rows: TenantDatabase, entry: Entry, *, session: str
) -> dict[str, str | int | float | bytes]:
    """Write an entry as a row."""
    name = row_name(session, entry.seq)
    return {
        "session": session,
        "seq": entry.seq,
        "run": entry.run,
        "kind": entry.kind.value,
        "created_s": entry.created_s,
        "payload": rows.seal(entry.payload, table=ENTRIES.name, row=name),
    }


@dataclass(slots=True, kw_only=True)
class RunLog:
    """The log of one run under way. Made by `SessionStore.accept` and `SessionStore.claim`."""

    rows: TenantDatabase
    session: str
    run: str
    epoch: int
    head: int
    """Number of the newest entry that this log knows of."""
    conversation: tuple[Message, ...] = ()
    """The session's conversation before the run."""
    changes: int = 0
    """How many entries that conversation was read from."""
    entries: tuple[Entry, ...] = ()
    """What the run has written before, in an earlier process perhaps; its message comes first."""
    clock: Callable[[], float] = field(default=time.time)

    async def append(self, *steps: Step) -> None:
        """Write steps down, all or none; they are durable when this returns.

        Raises:
            RunTakenOverError: another process has appended meanwhile; nothing was written.
            DatabaseFullError: the disk is full; nothing was written, and the run can be resumed.
            StateError: the database cannot be used.
        """
        async with self.rows.writing() as connection:
            await self._advance(connection, steps, {})
        self.head += len(steps)

    async def end(
        self, payload: JsonObject, *, conversation: Sequence[Message], others: Sequence[Step] = ()
    ) -> None:
        """Write the run's answer down, with what the conversation becomes.

        Args:
            payload: What else the entry holds.
            conversation: The session's messages afterwards.
            others: Steps that are written before it, in the same transaction.

        Raises:
            RunTakenOverError: as `append`.
            StateError: as `append`.
        """
        change = change_between(self.conversation, conversation)
        if self.changes >= WHOLE_EVERY:
            change = Change(keep=0, then=tuple(conversation))
        ended: Step = (EntryKind.ENDED, {**payload, "conversation": change.to_json()})
        steps = (*others, ended)
        base = {"base": self.head + len(steps)} if change.is_whole else {}
        await self._close(steps, status=RunStatus.ENDED, values={"open_run": None, **base})

    async def fail(self, payload: JsonObject) -> None:
        """Write down that the run ended without an answer; raises as `append`."""
        steps = ((EntryKind.FAILED, payload),)
        await self._close(steps, status=RunStatus.FAILED, values={"open_run": None})

    async def wait(self, *steps: Step) -> None:
        """Leave the run until somebody has decided; raises as `append`.

        The session takes no other message meanwhile.
        """
        await self._close(steps, status=RunStatus.WAITING, values={})

    def leave(self) -> None:
        """Stop working on the run in this process, whatever has been written."""
        working.discard(self.run)

    async def _close(
        self,
        steps: Sequence[Step],
        *,
        status: RunStatus,
        values: dict[str, str | int | float | None],
    ) -> None:
        now_s = self.clock()
        async with self.rows.writing() as connection:
            await self._advance(connection, steps, values | {"updated_s": now_s})
            changed = await connection.execute(
                _SET_RUN,
                {
                    "run_id": self.run,
                    "was_epoch": self.epoch,
                    "status": status.value,
                    "owner": "",
                    "updated_s": now_s,
                },
            )
            if changed.rowcount != 1:
                raise RunTakenOverError(run=self.run)
        self.head += len(steps)
        self.leave()

    async def _advance(
        self,
        connection: TenantConnection,
        steps: Sequence[Step],
        values: dict[str, str | int | float | None],
    ) -> None:
        now_s = self.clock()
        moved = await connection.execute(
            _ADVANCE,
            {
                "session_id": self.session,
                "was": self.head,
                "run_id": self.run,
                "head": self.head + len(steps),
                **values,
            },
        )
        if moved.rowcount != 1:
            raise RunTakenOverError(run=self.run)
        if steps:
            added = [
                Entry(
                    seq=self.head + number,
                    run=self.run,
                    kind=kind,
                    created_s=now_s,
                    payload=payload,
                )
                for number, (kind, payload) in enumerate(steps, start=1)
            ]
            values_of = [entry_values(self.rows, entry, session=self.session) for entry in added]
            await connection.execute(APPEND, values_of)
