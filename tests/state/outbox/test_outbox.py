from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import anyio
import pytest
from tests.state.conftest import KEYS
from tests.state.set_clock import SetClock

from smallhold.exceptions import (
    ConfigError,
    EffectMismatchError,
    EffectSettledError,
    UnknownEffectError,
)
from smallhold.state import Database, State
from smallhold.state.outbox import DeliveryReport, Outbox, OutboxItem, OutboxStatus


async def accept(_item: OutboxItem) -> None:
    """Take any effect."""


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def outbox(state: State, clock: SetClock) -> Outbox:
    return Outbox(state.rows, clock=clock)


async def test_an_effect_waits_with_all_that_was_put(outbox: Outbox, clock: SetClock) -> None:
    put = await outbox.put(destination="orders", body={"order": 1042}, session="kiosk-7")
    assert await outbox.get(put.id) == put
    assert (put.number, put.status, put.created_s) == (1, "waiting", clock())
    assert put.idempotency_key == put.id
    assert await outbox.pending_count() == await outbox.pending_count(session="kiosk-7") == 1
    assert await outbox.pending_count(session="another") == 0


async def test_an_effect_outlives_the_process(database: Database, outbox: Outbox) -> None:
    put = await outbox.put(destination="d", body={})
    await database.aclose()
    assert await outbox.list() == (put,)


async def test_the_same_key_is_the_same_effect_also_after_it_was_sent(outbox: Outbox) -> None:
    first = await outbox.put(destination="d", body={"n": 1}, idempotency_key="k")
    assert await outbox.put(destination="d", body={"n": 1}, idempotency_key="k") == first
    await outbox.deliver(accept)
    again = await outbox.put(destination="d", body={"n": 1}, idempotency_key="k")
    assert (again.id, again.status) == (first.id, OutboxStatus.SENT)
    assert await outbox.deliver(accept) == DeliveryReport()


async def test_the_same_key_for_another_effect_is_refused(outbox: Outbox) -> None:
    await outbox.put(destination="d", body={"n": 1}, idempotency_key="k")
    with pytest.raises(EffectMismatchError):
        await outbox.put(destination="d", body={"n": 2}, idempotency_key="k")
    with pytest.raises(EffectMismatchError):
        await outbox.put(destination="d", body={"n": 1}, idempotency_key="k", session="a")


async def test_another_tenant_may_use_the_same_key(state: State, outbox: Outbox) -> None:
    await outbox.put(destination="d", body={"n": 1}, idempotency_key="k")
    other = state.for_tenant("another").outbox
    await other.put(destination="d", body={"n": 2}, idempotency_key="k")
    assert [item.body for item in await other.list()] == [{"n": 2}]


async def test_an_effect_is_kept_exactly_if_the_transaction_it_joined_is(
    state: State, outbox: Outbox
) -> None:
    async def put_and_fail() -> None:
        async with state.rows.writing() as connection:
            await outbox.put(destination="d", body={}, connection=connection)
            raise KeyError

    with pytest.raises(KeyError):
        await put_and_fail()
    assert await outbox.list() == ()
    async with state.rows.writing() as connection:
        await outbox.put(destination="d", body={}, connection=connection)
    assert await outbox.pending_count() == 1


async def test_a_sent_effect_is_listed_without_its_body(outbox: Outbox) -> None:
    put = await outbox.put(destination="d", body={"secret": "tulip"})
    await outbox.deliver(accept)
    sent = await outbox.get(put.id)
    assert (sent.status, sent.body, sent.attempts) == ("sent", {}, 1)


async def test_effects_are_listed_by_age_session_and_status(
    outbox: Outbox, clock: SetClock
) -> None:
    for number, session in enumerate(("a", "b", "a", None)):
        clock.now_s += 1
        await outbox.put(destination="d", body={"n": number}, session=session)
    assert [item.body["n"] for item in await outbox.list()] == [0, 1, 2, 3]
    assert [item.body["n"] for item in await outbox.list(session="a")] == [0, 2]
    assert len(await outbox.list(limit=2)) == 2
    assert await outbox.list(status=OutboxStatus.SENT) == ()


async def test_a_dropped_effect_is_never_sent(outbox: Outbox) -> None:
    put = await outbox.put(destination="d", body={})
    await outbox.drop(put.id)
    assert await outbox.deliver(accept) == DeliveryReport()
    with pytest.raises(EffectSettledError, match="dropped already"):
        await outbox.retry(put.id)


async def test_a_sent_effect_can_neither_be_retried_nor_dropped(outbox: Outbox) -> None:
    put = await outbox.put(destination="d", body={})
    await outbox.deliver(accept)
    for change in (outbox.retry, outbox.drop):
        with pytest.raises(EffectSettledError, match="sent already"):
            await change(put.id)


async def test_an_effect_that_does_not_exist_is_named(outbox: Outbox) -> None:
    for change in (outbox.get, outbox.retry, outbox.drop):
        with pytest.raises(UnknownEffectError, match="nothing-here"):
            await change("nothing-here")


async def test_a_body_that_is_no_json_is_refused(outbox: Outbox) -> None:
    with pytest.raises(ConfigError, match="body"):
        await outbox.put(destination="d", body={"n": float("nan")})


async def test_retrying_ends_the_pause_after_a_failure(outbox: Outbox) -> None:
    put = await outbox.put(destination="d", body={})

    async def fail(_item: OutboxItem) -> None:
        raise ConnectionError

    await outbox.deliver(fail)
    await outbox.retry(put.id)
    assert await outbox.deliver(accept) == DeliveryReport(sent=1)


async def test_what_was_settled_long_ago_can_be_forgotten_and_nothing_else(
    outbox: Outbox, clock: SetClock
) -> None:
    for session in (None, "a"):
        await outbox.put(destination="d", body={"n": 1}, session=session)
    await outbox.deliver(accept)
    clock.now_s += 100
    await outbox.put(destination="d", body={"n": 2}, session="a")
    assert await outbox.forget(settled_before_s=clock.now_s) == 2
    (left,) = await outbox.list()
    assert (left.body, left.number) == ({"n": 2}, 2)


async def test_a_deleted_session_takes_its_effects_along(outbox: Outbox) -> None:
    for session in ("a", "b"):
        await outbox.put(destination="d", body={}, session=session)
    await outbox.remove(session="a")
    assert [item.session for item in await outbox.list()] == ["b"]
    assert (await outbox.put(destination="d", body={}, session="a")).number == 1


async def test_waiting_for_an_empty_outbox_ends_when_it_is_empty(state: State) -> None:
    outbox = state.outbox
    await outbox.put(destination="d", body={})
    async with anyio.create_task_group() as group:
        group.start_soon(outbox.keep_delivering, accept)
        with anyio.fail_after(20):
            assert await outbox.wait_until_empty() == 0
        await outbox.put(destination="d", body={})
        with anyio.fail_after(20):
            assert await outbox.wait_until_empty(timeout_s=15) == 0
        group.cancel_scope.cancel()


async def test_waiting_in_vain_tells_how_many_are_left(outbox: Outbox) -> None:
    await outbox.put(destination="d", body={})
    assert await outbox.wait_until_empty(timeout_s=0.05) == 1


KILLED = """
import os, signal, sys, anyio
from smallhold.security import KeyRing
from smallhold.state import State
async def send(item) -> None:
    print(item.idempotency_key, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
async def main() -> None:
    await State(sys.argv[1], keys=KeyRing({"test": bytes(range(32))})).outbox.deliver(send)
anyio.run(main)
"""


async def test_an_effect_is_sent_again_with_its_key_after_a_crash_in_mid_send(
    tmp_path: Path,
) -> None:
    place = tmp_path / "state.db"
    clock = SetClock()
    state = State(place, keys=KEYS)
    put = await state.outbox.put(destination="d", body={}, idempotency_key="order-1042")
    dead = await anyio.to_thread.run_sync(
        lambda: subprocess.run(
            [sys.executable, "-c", KILLED, str(place)], capture_output=True, check=False, text=True
        )
    )
    assert dead.returncode == -9
    keys: list[str] = []

    async def send(item: OutboxItem) -> None:
        keys.append(item.idempotency_key)

    assert await state.outbox.deliver(send) == DeliveryReport(), "the dead one's claim still holds"
    clock.now_s = put.created_s + 3_600
    assert await Outbox(state.rows, clock=clock).deliver(send) == DeliveryReport(sent=1)
    await state.aclose()
    assert [dead.stdout.strip(), *keys] == ["order-1042"] * 2
