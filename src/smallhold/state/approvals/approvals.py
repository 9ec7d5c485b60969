"""Requests that outlive the process: this file holds the store of approvals."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any, Final

import anyio
from sqlalchemy import ColumnElement, Select, bindparam, delete, insert, select, update

from smallhold.exceptions import SmallholdError, UnknownApprovalError
from smallhold.messages import JsonObject
from smallhold.state.approvals.approval import Approval, ApprovalRequest, ApprovalStatus
from smallhold.state.approvals.clock_drift import ClockDrift
from smallhold.state.approvals.deciding import (
    Decision,
    check_same,
    decided,
    expired,
    is_due,
    new_approval,
)
from smallhold.state.approvals.records import approval_of, values_of
from smallhold.state.database import TenantConnection, TenantDatabase
from smallhold.state.tables import APPROVALS

FIRST_LOOK_S: Final = 0.1
"""`wait` looks again after this long, then after ever longer pauses."""
LONGEST_PAUSE_S: Final = 2.0
"""A person does not notice two seconds after a decision; thirty looks a minute cost nothing."""
_PAUSE_GROWTH: Final = 1.5

_C: Final = APPROVALS.c
_AGE: Final = (_C.created_s, _C.id)
_YOUTH: Final = (_C.created_s.desc(), _C.id.desc())
_BY_ID: Final = select(APPROVALS).where(_C.id == bindparam("wanted_id"))
_BY_CALL: Final = select(APPROVALS).where(
    _C.run == bindparam("wanted_run"), _C.call_id == bindparam("wanted_call")
)
_INSERT: Final = insert(APPROVALS)
_UPDATE: Final = update(APPROVALS).where(_C.id == bindparam("wanted_id"))
_DELETE: Final = delete(APPROVALS).where(_C.session == bindparam("wanted_session"))


def new_approval_id() -> str:
    """Make an id that no other approval has, short enough to be typed."""
    return uuid.uuid4().hex[:16]


class Approvals:
    """The requests for approval of one tenant. Made by `State.approvals`.

    A request is bound to the arguments that it shows; a decision is final; an expired request stays
    expired, also when the clock is set back. Several processes may use it at once.
    """

    def __init__(
        self,
        database: TenantDatabase,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        new_id: Callable[[], str] = new_approval_id,
    ) -> None:
        """Take a tenant's part of a database.

        Args:
            database: Where the requests are.
            clock: Tells the Unix time in seconds.
            monotonic: Tells seconds that never jump, to notice that `clock` did.
            new_id: Makes ids.
        """
        self._database = database
        self._clock = clock
        self._new_id = new_id
        self._drift = ClockDrift(clock=clock, monotonic=monotonic)

    async def request(
        self, wanted: ApprovalRequest, *, connection: TenantConnection | None = None
    ) -> Approval:
        """Ask for approval of a call; asking again for the same call gives the same approval.

        Args:
            wanted: The call, and why it needs a yes.
            connection: An open transaction to become a part of, such as the one that stores that
                the run waits; by default one of its own.

        Returns:
            The request, or what became of it when the same call came before.

        Raises:
            ApprovalMismatchError: The same call came before, with another tool or arguments.
            ConfigError: The arguments are no plain JSON, or it would be expired at once.
        """
        now_s = self._clock()
        async with self._joined(connection) as opened:
            parameters = {"wanted_run": wanted.run, "wanted_call": wanted.call_id}
            found = await self._first(opened, _BY_CALL, parameters)
            if found is not None:
                check_same(found, wanted)
                return await self._noted(opened, found, now_s=now_s)
            approval = new_approval(wanted, approval_id=self._new_id(), now_s=now_s)
            await opened.execute(_INSERT, values_of(approval, self._database))
            return approval

    async def find(self, run: str, call_id: str) -> Approval | None:
        """Find the approval of a run's call; `None` when none was asked for."""
        found = await self._seen(_BY_CALL, {"wanted_run": run, "wanted_call": call_id})
        return found[0] if found else None

    async def get(self, approval_id: str) -> Approval:
        """Read an approval. Raises `UnknownApprovalError` when there is none."""
        found = await self._seen(_BY_ID, {"wanted_id": approval_id})
        if not found:
            raise UnknownApprovalError(approval_id=approval_id)
        return found[0]

    async def pending(self, session: str | None = None) -> tuple[Approval, ...]:
        """List what waits for a person, the oldest first; of one session, or of all."""
        conditions = [_C.status == ApprovalStatus.PENDING.value]
        if session is not None:
            conditions.append(_C.session == session)
        found = await self._seen(select(APPROVALS).where(*conditions).order_by(*_AGE))
        return tuple(item for item in found if item.status is ApprovalStatus.PENDING)

    async def history(
        self, *, session: str | None = None, run: str | None = None, limit: int = 100
    ) -> tuple[Approval, ...]:
        """List the latest requests in every state, the oldest of them first."""
        conditions: list[ColumnElement[bool]] = []
        if session is not None:
            conditions.append(_C.session == session)
        if run is not None:
            conditions.append(_C.run == run)
        latest = select(APPROVALS).where(*conditions).order_by(*_YOUTH).limit(limit)
        return tuple(reversed(await self._seen(latest)))

    async def approve(
        self,
        approval_id: str,
        *,
        by: str,
        comment: str | None = None,
        arguments_hash: str | None = None,
    ) -> Approval:
        """Say yes.

        Args:
            approval_id: The request.
            by: Who decides.
            comment: What they say to it.
            arguments_hash: `Approval.arguments_hash` of what they were shown; a yes to anything
                else is refused.

        Raises:
            UnknownApprovalError: There is no such request.
            ApprovalDecidedError: It was decided before.
            ApprovalExpiredError: Nobody decided in time.
            ApprovalMismatchError: It is for other arguments than were shown.
        """
        yes = ApprovalStatus.APPROVED
        decision = Decision(status=yes, by=by, comment=comment, shown_hash=arguments_hash)
        return await self._decide(approval_id, decision)

    async def deny(
        self,
        approval_id: str,
        *,
        by: str,
        comment: str | None = None,
        arguments_hash: str | None = None,
    ) -> Approval:
        """Say no; `comment` may tell the agent why. Raises as `approve` does."""
        no = ApprovalStatus.DENIED
        decision = Decision(status=no, by=by, comment=comment, shown_hash=arguments_hash)
        return await self._decide(approval_id, decision)

    async def edit(
        self,
        approval_id: str,
        arguments: JsonObject,
        *,
        by: str,
        comment: str | None = None,
        arguments_hash: str | None = None,
    ) -> Approval:
        """Say yes to the call with other arguments; whether the tool takes them is checked later.

        Raises as `approve` does, and `ConfigError` for arguments that are no plain JSON.
        """
        decision = Decision(
            status=ApprovalStatus.APPROVED,
            by=by,
            comment=comment,
            shown_hash=arguments_hash,
            edited_arguments=arguments,
        )
        return await self._decide(approval_id, decision)

    async def wait(self, approval_id: str, *, timeout_s: float | None = None) -> Approval:
        """Wait until a request is decided or expired, in whatever process.

        Args:
            approval_id: The request.
            timeout_s: How long to wait at most; `None` waits on.

        Returns:
            What was decided; still pending when the time was up.
        """
        deadline_s = float("inf") if timeout_s is None else anyio.current_time() + timeout_s
        pause_s = FIRST_LOOK_S
        while True:
            found = await self.get(approval_id)
            left_s = deadline_s - anyio.current_time()
            if found.status is not ApprovalStatus.PENDING or left_s <= 0:
                return found
            await anyio.sleep(min(pause_s, left_s))
            pause_s = min(pause_s * _PAUSE_GROWTH, LONGEST_PAUSE_S)

    async def remove(self, *, session: str, connection: TenantConnection | None = None) -> None:
        """Forget a session's requests, as when the session is deleted."""
        async with self._joined(connection) as opened:
            await opened.execute(_DELETE, {"wanted_session": session})

    async def _decide(self, approval_id: str, decision: Decision) -> Approval:
        now_s = self._clock()
        refusal: SmallholdError | None = None
        async with self._database.writing() as connection:
            found = await self._first(connection, _BY_ID, {"wanted_id": approval_id})
            if found is None:
                raise UnknownApprovalError(approval_id=approval_id)
            found = await self._noted(connection, found, now_s=now_s)
            try:
                done = decided(found, decision, now_s=now_s)
            except SmallholdError as error:
                # Raised outside of the block, which keeps that it has expired.
                done, refusal = found, error
            else:
                await self._store(connection, done)
        if refusal is not None:
            raise refusal
        return done

    async def _seen(
        self, statement: Select[Any], parameters: dict[str, Any] | None = None
    ) -> tuple[Approval, ...]:
        """Read approvals; of those that have expired, note it first."""
        now_s = self._clock()
        async with self._database.reading() as connection:
            rows = (await connection.execute(statement, parameters)).mappings().all()
        found = tuple(approval_of(row, self._database) for row in rows)
        if not any(is_due(approval, now_s=now_s) for approval in found):
            return found
        async with self._database.writing() as connection:
            noted: list[Approval] = []
            for approval in found:
                # Read anew: somebody may have decided it since.
                latest = await self._first(connection, _BY_ID, {"wanted_id": approval.id})
                if latest is not None:
                    noted.append(await self._noted(connection, latest, now_s=now_s))
            return tuple(noted)

    async def _first(
        self, connection: TenantConnection, statement: Select[Any], parameters: dict[str, Any]
    ) -> Approval | None:
        row = (await connection.execute(statement, parameters)).mappings().first()
        return None if row is None else approval_of(row, self._database)

    async def _noted(
        self, connection: TenantConnection, found: Approval, *, now_s: float
    ) -> Approval:
        """Store that a request has expired, if it has: from then on no clock revives it."""
        if not is_due(found, now_s=now_s):
            return found
        gone = expired(found, now_s=now_s, note=self._drift.note())
        await self._store(connection, gone)
        return gone

    async def _store(self, connection: TenantConnection, approval: Approval) -> None:
        values = values_of(approval, self._database)
        await connection.execute(_UPDATE, {"wanted_id": approval.id, **values})

    def _joined(
        self, connection: TenantConnection | None
    ) -> AbstractAsyncContextManager[TenantConnection]:
        return self._database.writing() if connection is None else nullcontext(connection)
