"""Effects that outlive the process: this file holds the outbox."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import replace
from typing import Final

import anyio
from sqlalchemy import ColumnElement, bindparam, delete, func, insert, select, update

from smallhold.exceptions import EffectMismatchError, EffectSettledError, UnknownEffectError
from smallhold.messages import JsonObject
from smallhold.state.database import TenantConnection, TenantDatabase
from smallhold.state.outbox import order
from smallhold.state.outbox.claims import Claims
from smallhold.state.outbox.delivery import Delivery, Send
from smallhold.state.outbox.item import OutboxItem, OutboxStatus
from smallhold.state.outbox.outcome import DeliveryReport
from smallhold.state.outbox.policy import DeliveryPolicy
from smallhold.state.outbox.records import content_hash, item_of, queue_of, values_of
from smallhold.state.tables.outbox import OUTBOX

LOOK_EVERY_S: Final = 1.0
"""How often `keep_delivering` looks for what another process has put. A look that finds nothing
reads one row of an index."""
EMPTY_LOOK_S: Final = 0.2
"""How often `wait_until_empty` counts."""

_O: Final = OUTBOX.c
_IS_WAITING: Final = _O.status == OutboxStatus.WAITING.value
_BY_ID: Final = select(OUTBOX).where(_O.id == bindparam("wanted_id"))
_BY_KEY: Final = select(OUTBOX).where(_O.idempotency_key == bindparam("wanted_key"))
_INSERT: Final = insert(OUTBOX)
_UPDATE: Final = update(OUTBOX).where(_O.id == bindparam("wanted_id"))
_DELETE: Final = delete(OUTBOX).where(_O.id == bindparam("wanted_id"))
_OF_SESSION: Final = delete(OUTBOX).where(_O.session == bindparam("wanted_session"))
_SETTLED_BEFORE: Final = select(_O.id, _O.queue, _O.session).where(
    _O.status.in_([OutboxStatus.SENT.value, OutboxStatus.DROPPED.value]),
    _O.settled_s < bindparam("before_s"),
)


class Outbox:
    """The effects of one tenant that wait for a network. Made by `State.outbox`.

    An effect is sent at least once, and with the same `idempotency_key` at every attempt: a process
    that dies between sending and noting it down leaves an effect that will be sent again.
    """

    def __init__(
        self,
        database: TenantDatabase,
        *,
        clock: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,  # noqa: S311 - spreads retries, hides nothing
        new_id: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        """Take a tenant's part of a database.

        Args:
            database: Where the effects are.
            clock: Tells the Unix time in seconds.
            chance: Gives evenly distributed random numbers from 0 to 1, for the pauses.
            new_id: Makes ids.
        """
        self._database = database
        self._clock = clock
        self._new_id = new_id
        self._claims = Claims(database, clock=clock, chance=chance)

    async def put(
        self,
        *,
        destination: str,
        body: JsonObject,
        session: str | None = None,
        idempotency_key: str | None = None,
        connection: TenantConnection | None = None,
    ) -> OutboxItem:
        """Keep an effect until it can be sent.

        Args:
            destination: Whatever tells the function that sends where to.
            body: What to send.
            session: Effects of one session are sent in the order in which they were put; effects
                without a session in any order.
            idempotency_key: Names the effect: putting it again gives the one that is there, also
                after it was sent. By default its id, so that every call is another effect.
            connection: An open transaction to become a part of, so that the effect is kept exactly
                if what it follows from is; by default one of its own.

        Raises:
            EffectMismatchError: The key stands for another destination, body or session.
            ConfigError: The body is no plain JSON.
        """
        effect_id, now_s = self._new_id(), self._clock()
        key = effect_id if idempotency_key is None else idempotency_key
        content = content_hash(destination=destination, body=body, session=session)
        hidden_key = await self._database.blind(key)
        async with self._joined(connection) as opened:
            row = (await opened.execute(_BY_KEY, {"wanted_key": hidden_key})).mappings().first()
            if row is not None:
                item, stored_content = item_of(row, self._database)
                if stored_content != content:
                    raise EffectMismatchError(effect_id=item.id)
                return item
            queue = queue_of(session=session, effect_id=effect_id)
            item = OutboxItem(
                id=effect_id,
                session=session,
                number=await order.take_number(opened, queue),
                destination=destination,
                body=body,
                idempotency_key=key,
                status=OutboxStatus.WAITING,
                attempts=0,
                created_s=now_s,
                due_s=now_s,
            )
            values = values_of(item, self._database, content=content)
            await opened.execute(_INSERT, {**values, "queue": queue, "idempotency_key": hidden_key})
            await order.refresh(opened, queue)
            return item

    async def deliver(self, send: Send, *, policy: DeliveryPolicy | None = None) -> DeliveryReport:
        """Send everything that is due, then return. Any number of processes may do so at once.

        Args:
            send: Sends one effect; see `Send` for what its ending means.
            policy: How hard to try.
        """
        return await Delivery(self._claims, send, policy=policy or DeliveryPolicy()).run()

    async def keep_delivering(
        self,
        send: Send,
        *,
        policy: DeliveryPolicy | None = None,
        look_every_s: float = LOOK_EVERY_S,
    ) -> None:
        """Send whatever becomes due, until cancelled."""
        while True:
            await self.deliver(send, policy=policy)
            await anyio.sleep(look_every_s)

    async def get(self, effect_id: str) -> OutboxItem:
        """Read an effect. Raises `UnknownEffectError` when there is none."""
        async with self._database.reading() as connection:
            return (await self._found(connection, effect_id))[0]

    async def list(
        self,
        *,
        session: str | None = None,
        status: OutboxStatus | None = None,
        limit: int = 100,
    ) -> tuple[OutboxItem, ...]:
        """List effects, the oldest first, at most `limit`."""
        conditions: list[ColumnElement[bool]] = []
        if session is not None:
            conditions.append(_O.session == session)
        if status is not None:
            conditions.append(_O.status == status.value)
        statement = select(OUTBOX).where(*conditions).limit(limit)
        ordered = statement.order_by(_O.created_s, _O.queue, _O.number)
        async with self._database.reading() as connection:
            rows = (await connection.execute(ordered)).mappings().all()
        return tuple(item_of(row, self._database)[0] for row in rows)

    async def pending_count(self, *, session: str | None = None) -> int:
        """Count the effects that wait, of one session or of all."""
        conditions = [_IS_WAITING] if session is None else [_IS_WAITING, _O.session == session]
        counted = select(func.count()).select_from(OUTBOX).where(*conditions)
        async with self._database.reading() as connection:
            return int((await connection.execute(counted)).scalar_one())

    async def wait_until_empty(
        self, *, session: str | None = None, timeout_s: float | None = None
    ) -> int:
        """Wait until nothing waits any more; somebody must be delivering.

        Returns:
            How many effects still wait: above 0 only when the time was up.
        """
        with anyio.move_on_after(timeout_s):
            while await self.pending_count(session=session):  # noqa: ASYNC110 - see below
                # Another process may deliver, which no event of this one would tell.
                await anyio.sleep(EMPTY_LOOK_S)
        return await self.pending_count(session=session)

    async def retry(self, effect_id: str) -> OutboxItem:
        """Let an effect be sent at once, also one that was rejected.

        Raises:
            UnknownEffectError: There is no such effect.
            EffectSettledError: It was sent or dropped.
        """
        return await self._put_right(effect_id, status=OutboxStatus.WAITING)

    async def drop(self, effect_id: str) -> OutboxItem:
        """Decide that an effect will not be sent; those behind it in its session may go on.

        One that is being sent at this moment may arrive all the same; the list then says so.

        Raises:
            UnknownEffectError: There is no such effect.
            EffectSettledError: It was sent or dropped before.
        """
        return await self._put_right(effect_id, status=OutboxStatus.DROPPED)

    async def forget(self, *, settled_before_s: float) -> int:
        """Forget effects that were sent or dropped before a time, and their idempotency keys.

        Returns:
            How many.
        """
        async with self._database.writing() as connection:
            before = {"before_s": settled_before_s}
            rows = (await connection.execute(_SETTLED_BEFORE, before)).all()
            for row in rows:
                await connection.execute(_DELETE, {"wanted_id": row.id})
                if row.session is None:
                    await order.forget(connection, row.queue)
        return len(rows)

    async def remove(self, *, session: str, connection: TenantConnection | None = None) -> None:
        """Forget all of a session's effects, also those that wait, as when it is deleted."""
        async with self._joined(connection) as opened:
            await opened.execute(_OF_SESSION, {"wanted_session": session})
            await order.forget(opened, queue_of(session=session, effect_id=""))

    async def _put_right(self, effect_id: str, *, status: OutboxStatus) -> OutboxItem:
        now_s = self._clock()
        async with self._database.writing() as connection:
            item, content, queue = await self._found(connection, effect_id)
            if item.status in {OutboxStatus.SENT, OutboxStatus.DROPPED}:
                raise EffectSettledError(effect_id=effect_id, status=item.status)
            if status is OutboxStatus.WAITING:
                item = replace(item, status=status, due_s=now_s, settled_s=None)
            else:
                item = replace(item, status=status, settled_s=now_s, body={})
            values = values_of(item, self._database, content=content)
            await connection.execute(_UPDATE, {"wanted_id": effect_id, **values})
            await order.unblock(connection, queue, effect_id=effect_id)
            await order.refresh(connection, queue)
        return item

    async def _found(
        self, connection: TenantConnection, effect_id: str
    ) -> tuple[OutboxItem, str, str]:
        row = (await connection.execute(_BY_ID, {"wanted_id": effect_id})).mappings().first()
        if row is None:
            raise UnknownEffectError(effect_id=effect_id)
        item, content = item_of(row, self._database)
        return item, content, row["queue"]

    def _joined(
        self, connection: TenantConnection | None
    ) -> AbstractAsyncContextManager[TenantConnection]:
        return self._database.writing() if connection is None else nullcontext(connection)
