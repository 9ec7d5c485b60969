"""Promises of `smallhold.models.sources.backoff`: this file holds tests of downloads' patience."""

from __future__ import annotations

import anyio
import httpx2
import pytest

from smallhold.exceptions import SourceUnavailableError
from smallhold.models.sources.backoff import (
    ATTEMPTS,
    OUTAGE_ATTEMPTS,
    PROGRESS_BYTES,
    RETRY_AFTER_MAX_S,
    Backoff,
    in_words,
)
from smallhold.models.sources.http_protocol import BadAnswerError

pytestmark = pytest.mark.anyio

BROKEN = BadAnswerError("it broke")
UNREACHABLE = httpx2.ConnectError("no route")


def backoff(*, pause_s: float = 0.0) -> Backoff:
    return Backoff(source="hub", pause_s=pause_s)


async def fail(patience: Backoff, error: Exception, *, arrived_bytes: int = 0) -> None:
    await patience.rest(error, arrived_bytes=arrived_bytes, epoch=patience.epoch)


async def failures_until_given_up(patience: Backoff, error: Exception, *, arrived: int) -> int:
    for count in range(1, 100):
        try:
            await fail(patience, error, arrived_bytes=arrived)
        except SourceUnavailableError:
            return count
    return 100


async def test_a_server_that_brings_nothing_is_given_up() -> None:
    assert await failures_until_given_up(backoff(), BROKEN, arrived=0) == ATTEMPTS


async def test_progress_gives_new_attempts() -> None:
    patience = backoff()
    for number in range(1, 50):
        await fail(patience, BROKEN, arrived_bytes=number * PROGRESS_BYTES)


async def test_a_few_bytes_each_time_are_no_progress() -> None:
    patience = backoff()
    for number in range(1, ATTEMPTS):
        await fail(patience, BROKEN, arrived_bytes=number * 10)
    with pytest.raises(SourceUnavailableError):
        await fail(patience, BROKEN, arrived_bytes=ATTEMPTS * 10)


async def test_what_had_arrived_before_is_no_progress() -> None:
    patience = backoff()
    patience.began_at(10 * PROGRESS_BYTES)
    arrived = 10 * PROGRESS_BYTES
    assert await failures_until_given_up(patience, BROKEN, arrived=arrived) == ATTEMPTS


async def test_a_lost_network_is_waited_for_longer_once_something_came() -> None:
    patience = backoff()
    await fail(patience, BROKEN, arrived_bytes=PROGRESS_BYTES)
    arrived = PROGRESS_BYTES
    assert await failures_until_given_up(patience, UNREACHABLE, arrived=arrived) == OUTAGE_ATTEMPTS
    assert await failures_until_given_up(backoff(), UNREACHABLE, arrived=0) == ATTEMPTS


async def test_connections_that_fail_together_fail_once() -> None:
    patience = backoff()
    epoch = patience.epoch
    for _ in range(20):
        await patience.rest(BROKEN, arrived_bytes=0, epoch=epoch)
    assert patience.epoch == 1


async def test_pauses_double() -> None:
    patience = backoff(pause_s=0.05)
    pauses: list[float] = []
    for _ in range(3):
        began_s = anyio.current_time()
        await fail(patience, BROKEN)
        pauses.append(anyio.current_time() - began_s)
    assert pauses[0] >= 0.05
    assert pauses[2] >= 0.2


async def test_a_server_that_says_when_to_come_back_is_obeyed() -> None:
    began_s = anyio.current_time()
    await fail(backoff(), BadAnswerError("busy", retry_after_s=0.2))
    assert anyio.current_time() - began_s >= 0.2


async def test_a_server_that_asks_for_too_long_is_left() -> None:
    busy = BadAnswerError("busy", retry_after_s=RETRY_AFTER_MAX_S + 1)
    with pytest.raises(SourceUnavailableError, match="busy and asks to come back in 121 s"):
        await fail(backoff(), busy)


def test_a_timeout_is_told_in_words() -> None:
    assert in_words(httpx2.ReadTimeout("")) == "the connection stalled"
    assert in_words(httpx2.ReadError("")) == "ReadError"
