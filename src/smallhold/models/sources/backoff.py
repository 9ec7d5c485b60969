"""When to try again and when to give up: this file holds the patience of a download."""

from __future__ import annotations

import logging
from typing import Final

import anyio
import httpx2

from smallhold.exceptions import SourceUnavailableError
from smallhold.models.sources.http_protocol import BadAnswerError

ATTEMPTS: Final = 4
"""Attempts in a row that may bring nothing new before the source counts as unavailable."""
OUTAGE_ATTEMPTS: Final = 8
"""As many when the server delivered before and cannot be reached now: about 90 s of no network."""
MAX_BACKOFF_S: Final = 30.0
RETRY_AFTER_MAX_S: Final = 120.0
"""A server that asks to wait for longer than this is left for the next source."""
PROGRESS_BYTES: Final = 64 << 10
"""An attempt that brings less brought nothing, so that a server which sends a few bytes each time
is given up too."""

_LOG = logging.getLogger(__name__)


class Backoff:
    """Pauses after failures; several connections that fail at one time fail once."""

    def __init__(self, *, source: str, pause_s: float) -> None:
        self._source = source
        self._pause_s = pause_s
        self._furthest_bytes = 0
        self._has_delivered = False
        self._fruitless = 0
        self._until_s = 0.0
        self.epoch = 0
        """Number of failures so far; a request notes it when it begins."""

    def began_at(self, arrived_bytes: int) -> None:
        """Note what had arrived earlier and thus is no merit of this attempt."""
        self._furthest_bytes = max(self._furthest_bytes, arrived_bytes)

    async def rest(self, error: Exception, *, arrived_bytes: int, epoch: int) -> None:
        """Wait until another attempt makes sense.

        Args:
            error: What went wrong.
            arrived_bytes: What has arrived in all.
            epoch: The epoch in which the request began. If others have failed since, the network
                failed for all of them, which counts once.

        Raises:
            SourceUnavailableError: No further attempt makes sense.
        """
        if epoch == self.epoch:
            self.epoch += 1
            self._count(error, arrived_bytes=arrived_bytes)
        await anyio.sleep_until(self._until_s)

    def _count(self, error: Exception, *, arrived_bytes: int) -> None:
        has_progress = arrived_bytes - self._furthest_bytes >= PROGRESS_BYTES
        self._has_delivered |= has_progress
        self._furthest_bytes = max(self._furthest_bytes, arrived_bytes)
        self._fruitless = 0 if has_progress else self._fruitless + 1
        extra = {"source": self._source, "arrived_bytes": arrived_bytes, "error": in_words(error)}
        _LOG.info("pull.attempt_failed", extra=extra)
        is_outage = self._has_delivered and isinstance(
            error, httpx2.ConnectError | httpx2.ConnectTimeout
        )
        if self._fruitless >= (OUTAGE_ATTEMPTS if is_outage else ATTEMPTS):
            raise SourceUnavailableError(source=self._source, reason=in_words(error)) from error
        self._until_s = anyio.current_time() + self._pause(error)

    def _pause(self, error: Exception) -> float:
        doubled_s = self._pause_s * 2.0 ** max(0, self._fruitless - 1)
        pause_s = min(doubled_s, MAX_BACKOFF_S)
        asked_s = error.retry_after_s if isinstance(error, BadAnswerError) else None
        if asked_s is not None and asked_s > RETRY_AFTER_MAX_S:
            reason = f"{in_words(error)} and asks to come back in {asked_s:,.0f} s"
            raise SourceUnavailableError(source=self._source, reason=reason) from error
        return pause_s if asked_s is None else max(pause_s, asked_s)


def in_words(error: Exception) -> str:
    """Say what an error of the network was."""
    if isinstance(error, httpx2.TimeoutException):
        return "the connection stalled"
    return str(error) or type(error).__name__
