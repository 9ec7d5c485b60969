"""Runs that outlive the process: this file holds how their steps are written down and found again.

Each step is in the database before it shows outside. Decision and first call share a transaction,
so that a run with one call makes four: message, decision, result, answer.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import anyio

from smallhold.agents.deadline import Deadline
from smallhold.agents.output_types import OutputType
from smallhold.agents.record import TurnRecord, call_messages
from smallhold.agents.result import Ending, Result
from smallhold.agents.runs.keeping import RunInHand
from smallhold.agents.runs.restoring import (
    refuse_other_output,
    restored_record,
    restored_result,
)
from smallhold.agents.runs.stored import (
    DecisionPayload,
    EndedPayload,
    ResultPayload,
    StartedPayload,
    StoredPlanned,
    StoredProgress,
    StoredStep,
    message_payload,
)
from smallhold.exceptions import (
    DamagedRecordError,
    QuarantinedSessionError,
    RunTakenOverError,
    StateError,
)
from smallhold.messages import JsonObject, Message, ToolCall
from smallhold.state import State
from smallhold.state.approvals import Approval, ApprovalRequest
from smallhold.state.sessions import (
    Change,
    EntryKind,
    RunLog,
    RunStatus,
    StoredChange,
    change_between,
    session_of_run,
)
from smallhold.state.sessions import written as as_json
from smallhold.tools import AnyTool

LEASE_GRACE_S: Final = 30.0
"""What a run's lease lasts beyond its own time limit. A run never works longer than its limit; this
is for the last commit, and for clocks of two machines that do not run alike."""
_FAREWELL_S: Final = 10.0
"""How long a cancelled run may take to write that down. Source: `BUSY_TIMEOUT_S`, after which the
database itself gives up."""

_log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class DurableJournal:
    """Writes the steps of one run to its log."""

    log: RunLog
    known: tuple[Message, ...]
    """The conversation as the log's entries give it."""
    decisions: int = 0
    """Decisions that have been written."""

    async def acting(self, record: TurnRecord, *, starts: ToolCall | None) -> None:
        """Write the decision, unless it is written, and that a call is started."""
        steps: list[tuple[EntryKind, JsonObject]] = []
        if record.decisions >= self.decisions:
            steps.append((EntryKind.DECISION, self._decision(record)))
        if starts is not None:
            started = StartedPayload(v=1, call=starts.id)
            steps.append((EntryKind.CALL_STARTED, as_json(started)))
        if steps:
            await self.log.append(*steps)
        self.decisions = record.decisions + 1
        self.known = tuple(record.conversation)

    async def acted(self, record: TurnRecord) -> None:
        """Write what the latest call came to."""
        payload = ResultPayload(
            v=1, step=StoredStep.of(record.steps[-1]), progress=StoredProgress.of(record)
        )
        await self.log.append((EntryKind.RESULT, as_json(payload)))
        if not record.remaining:
            self.known = after_calls(record)

    async def closed(
        self, record: TurnRecord, result: Result[object], *, is_rejected: bool
    ) -> None:
        """Write the answer; of a run that waits there is nothing more to write."""
        if result.ending is Ending.AWAITING_APPROVAL:
            await self.log.wait()
            return
        before = self.log.conversation
        after = before if is_rejected else tuple(record.conversation)
        # The log writes the change itself: it knows when the whole is due.
        payload = EndedPayload.of(
            result,
            change=Change(keep=0, then=()),
            output=None if record.output is None else record.spoken,
        )
        await self.log.end(as_json(payload), conversation=after)

    async def failed(self, error: BaseException) -> None:
        """Write that the run failed, so that its session takes messages; or leave it as it is."""
        if isinstance(error, StateError | RunTakenOverError):
            # Nothing can be written, or nothing of ours: the run is found as it was.
            self.log.leave()
            return
        payload: JsonObject = {"v": 1, "error": type(error).__name__, "message": str(error)}
        # Shielded: a cancelled run has no other moment to say so.
        with anyio.move_on_after(_FAREWELL_S, shield=True):
            try:
                await self.log.fail(payload)
            except (StateError, RunTakenOverError) as unwritten:
                extra = {"run": self.log.run, "error": type(unwritten).__name__}
                _log.warning("run.failure_not_written", extra=extra)
        self.log.leave()

    def _decision(self, record: TurnRecord) -> JsonObject:
        change = change_between(self.known, record.conversation)
        return as_json(
            DecisionPayload(
                v=1,
                calls=[StoredPlanned.of(planned) for planned in record.planned],
                conversation=StoredChange.of(change),
                progress=StoredProgress.of(record),
            )
        )


def after_calls(record: TurnRecord) -> tuple[Message, ...]:
    """Give the conversation as it will be once the latest decision's calls are in it."""
    return (*record.conversation, *call_messages(record.spoken, record.acted))


@dataclass(frozen=True, slots=True, kw_only=True)
class DurableApprover:
    """Asks in the database, where people and programs find it."""

    state: State
    run: str
    session: str

    async def ask(self, call: ToolCall, tool: AnyTool, *, why: str) -> Approval | None:
        """Ask, or look up what was decided."""
        waits_s = tool.approval_timeout_s
        return await self.state.approvals.request(
            ApprovalRequest(
                run=self.run,
                call_id=call.id,
                tool=tool.name,
                arguments=call.arguments,
                why=why,
                session=self.session,
                expires_s=None if waits_s is None else self.state.clock() + waits_s,
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DurableRuns:
    """Keeps runs and conversations in the state's database."""

    state: State

    @asynccontextmanager
    async def begin(
        self,
        message: Message,
        *,
        session: str | None,
        output: OutputType[object] | None,
        limit_s: float,
    ) -> AsyncGenerator[RunInHand]:
        """Accept a message: from here on the run can be resumed.

        Raises:
            SessionBusyError: the session is answering another message.
            UnfinishedRunError: its latest run was interrupted, or waits for an approval.
            StateError: the state cannot be used.
        """
        payload = message_payload(message, output=output)
        deadline = Deadline(limit_s=limit_s)
        log = await self.state.sessions.accept(session, payload, lease_s=limit_s + LEASE_GRACE_S)
        record = TurnRecord(deadline=deadline, conversation=[*log.conversation, message])
        try:
            yield self._in_hand(log, record, session=session)
        finally:
            log.leave()

    @asynccontextmanager
    async def resume(
        self, run_id: str, *, output: OutputType[object] | None, limit_s: float
    ) -> AsyncGenerator[RunInHand | Result[object]]:
        """Go on with a run, or give its result where it is over.

        Raises:
            UnknownRunError: there is no such run.
            SessionBusyError: a process is working on it.
            RunNotResumableError: it was given up, or failed and another one followed.
            ConfigError: it was begun with another `output`.
            StateError: the state cannot be used, or an entry is damaged.
        """
        sessions = self.state.sessions
        run = await sessions.run(run_id)
        if run.status is RunStatus.ENDED:
            found = await sessions.entries(run.session, run=run_id)
            result = restored_result(found, output=output)
            if result is not None:
                yield result
                return
        refuse_other_output(await sessions.entries(run.session, run=run_id), output)
        deadline = Deadline(limit_s=limit_s)
        log = await sessions.claim(run_id, lease_s=limit_s + LEASE_GRACE_S)
        try:
            record = self._restored(log, deadline)
            name = None if log.session == session_of_run(run_id) else log.session
            yield self._in_hand(log, record, session=name)
        finally:
            log.leave()

    def _restored(self, log: RunLog, deadline: Deadline) -> TurnRecord:
        try:
            return restored_record(log.entries, conversation=log.conversation, deadline=deadline)
        except DamagedRecordError as error:
            raise QuarantinedSessionError(session=log.session, problem=str(error)) from error

    def _in_hand(self, log: RunLog, record: TurnRecord, *, session: str | None) -> RunInHand:
        is_decided = bool(record.planned)
        known = record.conversation if record.remaining or not is_decided else after_calls(record)
        journal = DurableJournal(
            log=log, known=tuple(known), decisions=record.decisions + is_decided
        )
        return RunInHand(
            run_id=log.run,
            session=session,
            record=record,
            journal=journal,
            approver=DurableApprover(state=self.state, run=log.run, session=log.session),
        )
