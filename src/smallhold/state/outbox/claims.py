"""Who sends what: this file holds how deliverers claim effects and settle them.

A claim is a random word in the row of an order. Whoever wrote it may send the order's first effect;
only with that word can it be settled. A deliverer that was too slow or died finds another word
there and changes nothing.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import RowMapping, bindparam, or_, select, update

from smallhold.exceptions import DamagedRecordError, WrongKeyError
from smallhold.state.database import TenantConnection, TenantDatabase
from smallhold.state.outbox import order
from smallhold.state.outbox.item import OutboxItem, OutboxStatus
from smallhold.state.outbox.outcome import Failed, Outcome, Rejected, Sent
from smallhold.state.outbox.policy import (
    CLAIM_MARGIN_S,
    LONGEST_PAUSE_LIMIT_S,
    SEND_TIMEOUT_LIMIT_S,
    DeliveryPolicy,
    OnRejection,
    pause_s,
)
from smallhold.state.outbox.records import item_of, values_of
from smallhold.state.tables.outbox import OUTBOX, OUTBOX_QUEUES

_log = logging.getLogger(__name__)

_Q: Final = OUTBOX_QUEUES.c
# Times further ahead than any policy can have set them come from a clock that was set back since.
_DUE: Final = (
    select(_Q.id)
    .where(
        or_(_Q.due_s <= bindparam("now_s"), _Q.due_s > bindparam("latest_due_s")),
        or_(
            _Q.claim.is_(None),
            _Q.claimed_until_s <= bindparam("now_s"),
            _Q.claimed_until_s > bindparam("latest_claim_s"),
        ),
    )
    .order_by(_Q.due_s, _Q.id)
    .limit(1)
)
_EFFECT: Final = select(OUTBOX).where(OUTBOX.c.id == bindparam("wanted_id"))
_UPDATE: Final = update(OUTBOX).where(OUTBOX.c.id == bindparam("wanted_id"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """An effect that this deliverer alone may send."""

    item: OutboxItem
    queue: str
    word: str


class Claims:
    """Hands out effects, each to one deliverer at a time."""

    def __init__(
        self,
        database: TenantDatabase,
        *,
        clock: Callable[[], float],
        chance: Callable[[], float],
        new_word: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        """Take a tenant's part of a database.

        Args:
            database: Where the effects are.
            clock: Tells the Unix time in seconds.
            chance: Gives evenly distributed random numbers from 0 to 1.
            new_word: Makes words that nobody else has.
        """
        self._database = database
        self._clock = clock
        self._chance = chance
        self._new_word = new_word

    async def claim(self, policy: DeliveryPolicy) -> Claimed | None:
        """Claim the effect that has been due for the longest; `None` when none is due."""
        now_s = self._clock()
        parameters = {
            "now_s": now_s,
            "latest_due_s": now_s + LONGEST_PAUSE_LIMIT_S,
            "latest_claim_s": now_s + SEND_TIMEOUT_LIMIT_S + CLAIM_MARGIN_S,
        }
        async with self._database.reading() as connection:
            if (await connection.execute(_DUE, parameters)).first() is None:
                return None
        async with self._database.writing() as connection:
            while (found := (await connection.execute(_DUE, parameters)).first()) is not None:
                claimed = await self._take(connection, found.id, policy, word=self._new_word())
                if claimed is not None:
                    return claimed
        return None

    async def settle(
        self, claimed: Claimed, outcome: Outcome, policy: DeliveryPolicy
    ) -> Claimed | None:
        """Note what came of an attempt.

        Returns:
            The next effect of the same order, claimed, if it is due; `None` ends the claim.
        """
        now_s = self._clock()
        async with self._database.writing() as connection:
            if not await self._is_ours(connection, claimed):
                _log.warning("outbox.claim_lost", extra={"effect": claimed.item.id})
                return None
            row = await self._effect(connection, claimed.item.id)
            if row is not None:
                await self._note(connection, row, outcome, policy)
            head = await order.refresh(connection, claimed.queue)
            if head is not None and head["due_s"] <= now_s and not isinstance(outcome, Failed):
                return await self._take(connection, claimed.queue, policy, word=claimed.word)
            await order.claim(connection, claimed.queue, word=None, until_s=None)
        return None

    async def release(self, claimed: Claimed) -> None:
        """End a claim without a result: nobody knows whether the effect was sent."""
        async with self._database.writing() as connection:
            if await self._is_ours(connection, claimed):
                await order.claim(connection, claimed.queue, word=None, until_s=None)

    async def _take(
        self, connection: TenantConnection, queue: str, policy: DeliveryPolicy, *, word: str
    ) -> Claimed | None:
        """Claim an order's first effect, and count the attempt before it begins."""
        head = await order.head_row(connection, queue)
        if head is None:
            await order.refresh(connection, queue)
            return None
        try:
            item, content = item_of(head, self._database)
        except (DamagedRecordError, WrongKeyError):
            _log.exception("outbox.effect_damaged", extra={"effect": head["id"]})
            await self._set_aside(connection, head)
            return None
        item = replace(item, attempts=item.attempts + 1)
        await self._store(connection, item, content)
        until_s = self._clock() + policy.claim_s
        await order.claim(connection, queue, word=word, until_s=until_s)
        return Claimed(item=item, queue=queue, word=word)

    async def _note(
        self,
        connection: TenantConnection,
        row: RowMapping,
        outcome: Outcome,
        policy: DeliveryPolicy,
    ) -> None:
        item, content = item_of(row, self._database)
        now_s = self._clock()
        match outcome:
            case Sent():
                # Also when it was dropped meanwhile: it has been sent, and the list says so.
                item = replace(item, status=OutboxStatus.SENT, settled_s=now_s, body={}, error=None)
            case _ if item.status is not OutboxStatus.WAITING:
                return
            case Failed() if policy.max_attempts is None or item.attempts < policy.max_attempts:
                wait_s = pause_s(policy, attempts=item.attempts, chance=self._chance())
                item = replace(item, due_s=now_s + wait_s, error=outcome.error)
            case Failed() | Rejected():
                item = replace(
                    item, status=OutboxStatus.REJECTED, settled_s=now_s, error=outcome.error
                )
                if policy.on_rejection is OnRejection.BLOCK:
                    await order.block(connection, row["queue"], effect_id=item.id)
        await self._store(connection, item, content)

    async def _set_aside(self, connection: TenantConnection, head: RowMapping) -> None:
        """Reject an effect that cannot be read; what is left of it stays for `state check`."""
        values = {"status": OutboxStatus.REJECTED.value, "settled_s": self._clock()}
        await connection.execute(_UPDATE, {"wanted_id": head["id"], **values})
        await order.block(connection, head["queue"], effect_id=head["id"])
        await order.claim(connection, head["queue"], word=None, until_s=None)
        await order.refresh(connection, head["queue"])

    async def _is_ours(self, connection: TenantConnection, claimed: Claimed) -> bool:
        row = await order.queue_row(connection, claimed.queue)
        return row is not None and row["claim"] == claimed.word

    async def _effect(self, connection: TenantConnection, effect_id: str) -> RowMapping | None:
        return (await connection.execute(_EFFECT, {"wanted_id": effect_id})).mappings().first()

    async def _store(self, connection: TenantConnection, item: OutboxItem, content: str) -> None:
        values = values_of(item, self._database, content=content)
        await connection.execute(_UPDATE, {"wanted_id": item.id, **values})
