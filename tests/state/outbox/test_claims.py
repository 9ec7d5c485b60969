from __future__ import annotations

import logging

import anyio
import pytest
from sqlalchemy import update
from tests.state.set_clock import SetClock

from smallhold.state import Database, State
from smallhold.state.outbox import DeliveryPolicy, Outbox, OutboxStatus
from smallhold.state.outbox.claims import Claimed, Claims
from smallhold.state.outbox.outcome import Failed, Sent
from smallhold.state.tables.outbox import OUTBOX

POLICY = DeliveryPolicy(first_pause_s=8.0, send_timeout_s=20.0)


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def outbox(state: State, clock: SetClock) -> Outbox:
    return Outbox(state.rows, clock=clock)


@pytest.fixture
def claims(state: State, clock: SetClock) -> Claims:
    return Claims(state.rows, clock=clock, chance=lambda: 1.0)


async def claimed(claims: Claims) -> Claimed:
    found = await claims.claim(POLICY)
    assert found is not None
    return found


async def test_a_claimed_effect_is_given_to_nobody_else(outbox: Outbox, claims: Claims) -> None:
    await outbox.put(destination="d", body={"n": 1}, session="a")
    await outbox.put(destination="d", body={"n": 2}, session="a")
    first = await claimed(claims)
    assert first.item.body == {"n": 1}
    assert await claims.claim(POLICY) is None


async def test_an_attempt_is_counted_before_it_begins(outbox: Outbox, claims: Claims) -> None:
    put = await outbox.put(destination="d", body={})
    await claimed(claims)
    assert (await outbox.get(put.id)).attempts == 1


async def test_effects_of_other_sessions_are_given_out_meanwhile(
    outbox: Outbox, claims: Claims
) -> None:
    for session in ("a", "b", None, None):
        await outbox.put(destination="d", body={}, session=session)
    sessions = [(await claimed(claims)).item.session for _ in range(4)]
    assert sorted(map(str, sessions)) == ["None", "None", "a", "b"]
    assert await claims.claim(POLICY) is None


async def test_settling_hands_on_the_next_of_the_same_session(
    outbox: Outbox, claims: Claims
) -> None:
    for number in (1, 2):
        await outbox.put(destination="d", body={"n": number}, session="a")
    following = await claims.settle(await claimed(claims), Sent(), POLICY)
    assert following is not None
    assert following.item.body == {"n": 2}
    assert await claims.claim(POLICY) is None
    assert await claims.settle(following, Sent(), POLICY) is None
    assert await outbox.pending_count() == 0


async def test_a_failed_effect_waits_its_pause_and_holds_up_its_session(
    outbox: Outbox, claims: Claims, clock: SetClock
) -> None:
    first = await outbox.put(destination="d", body={"n": 1}, session="a")
    await outbox.put(destination="d", body={"n": 2}, session="a")
    assert await claims.settle(await claimed(claims), Failed(error="offline"), POLICY) is None
    assert await claims.claim(POLICY) is None
    clock.now_s += 7.9
    assert await claims.claim(POLICY) is None
    clock.now_s += 0.2
    again = await claimed(claims)
    assert (again.item.id, again.item.attempts, again.item.error) == (first.id, 2, "offline")


async def test_a_claim_of_a_dead_deliverer_runs_out(
    outbox: Outbox, claims: Claims, clock: SetClock
) -> None:
    put = await outbox.put(destination="d", body={})
    await claimed(claims)
    clock.now_s += POLICY.claim_s - 1
    assert await claims.claim(POLICY) is None
    clock.now_s += 1
    assert (await claimed(claims)).item.id == put.id


async def test_who_lost_a_claim_settles_nothing(
    outbox: Outbox, claims: Claims, clock: SetClock, caplog: pytest.LogCaptureFixture
) -> None:
    put = await outbox.put(destination="d", body={})
    slow = await claimed(claims)
    clock.now_s += POLICY.claim_s
    fast = await claimed(claims)
    with caplog.at_level(logging.WARNING):
        await claims.settle(slow, Sent(), POLICY)
    assert "outbox.claim_lost" in caplog.text
    assert (await outbox.get(put.id)).status is OutboxStatus.WAITING
    await claims.settle(fast, Sent(), POLICY)
    assert (await outbox.get(put.id)).status is OutboxStatus.SENT


async def test_a_released_effect_can_be_claimed_at_once(outbox: Outbox, claims: Claims) -> None:
    await outbox.put(destination="d", body={})
    await claims.release(await claimed(claims))
    assert (await claimed(claims)).item.attempts == 2


async def test_a_clock_set_back_by_years_holds_nothing_up(
    outbox: Outbox, claims: Claims, clock: SetClock
) -> None:
    await outbox.put(destination="d", body={"n": 1}, session="a")
    await claimed(claims)
    await outbox.put(destination="d", body={"n": 2}, session="b")
    clock.now_s -= 10 * 365 * 86_400
    assert {(await claimed(claims)).item.session for _ in range(2)} == {"a", "b"}


async def test_many_who_claim_at_once_never_get_the_same_effect(
    database: Database, outbox: Outbox, clock: SetClock
) -> None:
    for number in range(6):
        await outbox.put(destination="d", body={}, session=f"s{number}")
    seen: list[str] = []

    async def take() -> None:
        mine = Claims(State(database).rows, clock=clock, chance=lambda: 1.0)
        while (found := await mine.claim(POLICY)) is not None:
            seen.append(found.item.id)

    async with anyio.create_task_group() as group:
        for _ in range(4):
            group.start_soon(take)
    assert len(seen) == len(set(seen)) == 6


async def test_an_effect_that_cannot_be_read_is_rejected_and_the_others_are_sent(
    state: State, outbox: Outbox, claims: Claims, caplog: pytest.LogCaptureFixture
) -> None:
    broken = await outbox.put(destination="d", body={"n": 1}, session="a")
    await outbox.put(destination="d", body={"n": 2}, session="b")
    async with state.rows.writing() as connection:
        damage = update(OUTBOX).where(OUTBOX.c.id == broken.id).values(payload=b"\x00oops")
        await connection.execute(damage)
    with caplog.at_level(logging.ERROR):
        assert (await claimed(claims)).item.body == {"n": 2}
        assert await claims.claim(POLICY) is None
    assert "outbox.effect_damaged" in caplog.text
    assert await outbox.pending_count() == 1
