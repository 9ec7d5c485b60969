"""Emptying the outbox: this file holds the loop that sends what is due."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, TypeAlias

import anyio

from smallhold.exceptions import RejectedEffectError, StateError
from smallhold.state.outbox.claims import Claimed, Claims
from smallhold.state.outbox.item import OutboxItem
from smallhold.state.outbox.outcome import DeliveryReport, Failed, Outcome, Rejected, Sent
from smallhold.state.outbox.policy import DeliveryPolicy

_log = logging.getLogger(__name__)

Send: TypeAlias = Callable[[OutboxItem], Awaitable[None]]
"""Sends one effect. Returning means that the receiver has it; `RejectedEffectError`, that it never
will; any other exception, that it may work later."""
RELEASE_LIMIT_S: Final = 2.0
"""How long a cancelled delivery may take to give its claim back."""


class Delivery:
    """One deliverer at work."""

    def __init__(self, claims: Claims, send: Send, *, policy: DeliveryPolicy) -> None:
        """Take what to do.

        Args:
            claims: Hands out effects.
            send: Sends one.
            policy: How hard to try.
        """
        self._claims = claims
        self._send = send
        self._policy = policy
        self._report = DeliveryReport()

    async def run(self) -> DeliveryReport:
        """Send until nothing is due, several orders at once, each order one after another."""
        async with anyio.create_task_group() as group:
            for _ in range(self._policy.parallel_sends):
                group.start_soon(self._work)
        return self._report

    async def _work(self) -> None:
        while (claimed := await self._claims.claim(self._policy)) is not None:
            following: Claimed | None = claimed
            while following is not None:
                following = await self._deliver(following)

    async def _deliver(self, claimed: Claimed) -> Claimed | None:
        is_settled = False
        try:
            outcome = await self._attempt(claimed.item)
            following = await self._claims.settle(claimed, outcome, self._policy)
            is_settled = True
        finally:
            if not is_settled:
                # Cancelled, or the database failed: whether it was sent is not known, so it will be
                # sent again with the same key, and need not wait until the claim runs out.
                await self._release(claimed)
        self._report = self._report.with_one(outcome)
        return following

    async def _attempt(self, item: OutboxItem) -> Outcome:
        try:
            with anyio.fail_after(self._policy.send_timeout_s):
                await self._send(item)
        except RejectedEffectError as error:
            _log.warning("outbox.rejected", extra={"effect": item.id, "attempts": item.attempts})
            return Rejected(error=error.reason)
        except Exception as error:  # noqa: BLE001 - whatever it is, the effect is tried again
            kind = type(error).__name__
            extra = {"effect": item.id, "attempts": item.attempts, "error": kind}
            _log.info("outbox.failed", extra=extra)
            return Failed(error=f"{kind}: {error}" if str(error) else kind)
        return Sent()

    async def _release(self, claimed: Claimed) -> None:
        with anyio.move_on_after(RELEASE_LIMIT_S, shield=True), suppress(StateError):
            await self._claims.release(claimed)
