"""Conversations for as long as the process lives: this file holds runs that nothing outlives."""

from __future__ import annotations

import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from smallhold.agents.deadline import Deadline
from smallhold.agents.output_types import OutputType
from smallhold.agents.record import TurnRecord
from smallhold.agents.result import Result
from smallhold.agents.runs.journal import SilentJournal
from smallhold.agents.runs.keeping import RunInHand
from smallhold.exceptions import ConfigError, SessionBusyError
from smallhold.messages import Message


@dataclass(slots=True)
class _Memory(SilentJournal):
    """Puts a finished turn's messages into the session."""

    conversation: list[Message]

    async def closed(
        self, record: TurnRecord, result: Result[object], *, is_rejected: bool
    ) -> None:
        """Keep a finished turn; one that was rejected leaves the session as it was."""
        del result
        if not is_rejected:
            self.conversation[:] = record.conversation


@dataclass(slots=True, kw_only=True)
class VolatileRuns:
    """Keeps conversations in memory."""

    sessions: dict[str, list[Message]] = field(default_factory=dict[str, list[Message]])
    busy: set[str] = field(default_factory=set[str])

    @asynccontextmanager
    async def begin(
        self,
        message: Message,
        *,
        session: str | None,
        output: OutputType[object] | None,
        limit_s: float,
    ) -> AsyncGenerator[RunInHand]:
        """Accept a message. Raises `SessionBusyError`."""
        del output
        if session in self.busy:
            raise SessionBusyError(session=session)
        conversation = [] if session is None else self.sessions.setdefault(session, [])
        record = TurnRecord(
            deadline=Deadline(limit_s=limit_s), conversation=[*conversation, message]
        )
        run = RunInHand(
            run_id=secrets.token_hex(8),
            session=session,
            record=record,
            journal=_Memory(conversation),
        )
        if session is not None:
            self.busy.add(session)
        try:
            yield run
        finally:
            if session is not None:
                self.busy.discard(session)

    @asynccontextmanager
    async def resume(
        self, run_id: str, *, output: OutputType[object] | None, limit_s: float
    ) -> AsyncGenerator[RunInHand | Result[object]]:
        """Refuse: nothing of a run was kept. Raises `ConfigError`."""
        del output, limit_s
        raise ConfigError(
            field="run_id",
            value=run_id,
            remedy="runs are resumed by an agent that keeps them; make it with `state=`",
        )
        yield  # the body must be a generator
