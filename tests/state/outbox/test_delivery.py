from __future__ import annotations

from collections import defaultdict

import anyio
import pytest
from tests.state.set_clock import SetClock

from smallhold.exceptions import RejectedEffectError
from smallhold.state import Database, State
from smallhold.state.outbox import (
    DeliveryPolicy,
    DeliveryReport,
    OnRejection,
    Outbox,
    OutboxItem,
    OutboxStatus,
)

EAGER = DeliveryPolicy(first_pause_s=1.0)


class Receiver:
    """Takes effects in; a real receiver would look at the idempotency keys as this one does."""

    def __init__(self) -> None:
        self.taken: dict[str | None, list[int]] = defaultdict(list)
        self.keys: list[str] = []
        self.busy: set[str | None] = set()

    async def __call__(self, item: OutboxItem) -> None:
        assert item.session is None or item.session not in self.busy, "two of a session at once"
        self.busy.add(item.session)
        await anyio.sleep(0.001)
        self.busy.discard(item.session)
        self.keys.append(item.idempotency_key)
        number = item.body["n"]
        assert isinstance(number, int)
        self.taken[item.session].append(number)


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def outbox(state: State, clock: SetClock) -> Outbox:
    return Outbox(state.rows, clock=clock, chance=lambda: 1.0)


async def fill(outbox: Outbox, *, sessions: int, each: int) -> None:
    for number in range(each):
        for session in range(sessions):
            await outbox.put(destination="d", body={"n": number}, session=f"s{session}")


async def test_each_session_is_sent_in_order_and_all_is_sent_once(outbox: Outbox) -> None:
    await fill(outbox, sessions=5, each=4)
    receiver = Receiver()
    assert await outbox.deliver(receiver) == DeliveryReport(sent=20)
    assert receiver.taken == {f"s{number}": [0, 1, 2, 3] for number in range(5)}
    assert await outbox.deliver(receiver) == DeliveryReport()


async def test_several_deliverers_share_the_work_and_keep_the_order(
    database: Database, outbox: Outbox, clock: SetClock
) -> None:
    await fill(outbox, sessions=4, each=4)
    receiver = Receiver()
    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(Outbox(State(database).rows, clock=clock).deliver, receiver)
    assert receiver.taken == {f"s{number}": [0, 1, 2, 3] for number in range(4)}
    assert len(receiver.keys) == len(set(receiver.keys)) == 16


async def test_without_a_network_nothing_is_lost_and_one_session_waits_for_no_other(
    outbox: Outbox, clock: SetClock
) -> None:
    await fill(outbox, sessions=2, each=2)
    receiver = Receiver()

    async def send(item: OutboxItem) -> None:
        if item.session == "s0" and clock() < SetClock()() + 1.0:
            raise ConnectionError
        await receiver(item)

    assert await outbox.deliver(send, policy=EAGER) == DeliveryReport(sent=2, failed=1)
    assert receiver.taken == {"s1": [0, 1]}
    clock.now_s += 1.0
    assert await outbox.deliver(send, policy=EAGER) == DeliveryReport(sent=2)
    assert receiver.taken["s0"] == [0, 1]


async def test_every_attempt_at_an_effect_has_the_same_key(outbox: Outbox, clock: SetClock) -> None:
    await outbox.put(destination="d", body={}, idempotency_key="order-1042")
    keys: list[str] = []

    async def send(item: OutboxItem) -> None:
        keys.append(item.idempotency_key)
        if len(keys) < 3:
            raise ConnectionError

    for _ in range(3):
        await outbox.deliver(send, policy=EAGER)
        clock.now_s += 10.0
    assert keys == ["order-1042"] * 3


async def test_a_send_that_hangs_is_given_up_and_repeated(outbox: Outbox) -> None:
    put = await outbox.put(destination="d", body={})
    policy = DeliveryPolicy(send_timeout_s=0.05)
    report = await outbox.deliver(lambda _item: anyio.sleep(30), policy=policy)
    assert report == DeliveryReport(failed=1)
    assert "TimeoutError" in ((await outbox.get(put.id)).error or "")


async def reject(item: OutboxItem) -> None:
    if item.body["n"] == 0:
        raise RejectedEffectError(reason="no such order")


async def test_a_rejected_effect_blocks_its_session_until_it_is_dropped(outbox: Outbox) -> None:
    await fill(outbox, sessions=1, each=2)
    assert await outbox.deliver(reject) == DeliveryReport(rejected=1)
    (rejected,) = await outbox.list(status=OutboxStatus.REJECTED)
    assert rejected.error == "no such order"
    assert await outbox.deliver(reject) == DeliveryReport()
    await outbox.drop(rejected.id)
    assert await outbox.deliver(reject) == DeliveryReport(sent=1)


async def test_a_rejected_effect_is_skipped_where_that_was_chosen(outbox: Outbox) -> None:
    await fill(outbox, sessions=1, each=3)
    policy = DeliveryPolicy(on_rejection=OnRejection.SKIP)
    assert await outbox.deliver(reject, policy=policy) == DeliveryReport(rejected=1, sent=2)


async def test_a_rejected_effect_is_sent_first_when_it_is_retried(outbox: Outbox) -> None:
    await fill(outbox, sessions=1, each=2)
    await outbox.deliver(reject)
    (rejected,) = await outbox.list(status=OutboxStatus.REJECTED)
    await outbox.retry(rejected.id)
    receiver = Receiver()
    assert await outbox.deliver(receiver) == DeliveryReport(sent=2)
    assert receiver.taken == {"s0": [0, 1]}


async def test_an_effect_that_fails_too_often_counts_as_rejected(
    outbox: Outbox, clock: SetClock
) -> None:
    await outbox.put(destination="d", body={})
    policy = DeliveryPolicy(max_attempts=2)

    async def fail(_item: OutboxItem) -> None:
        raise ConnectionError

    assert await outbox.deliver(fail, policy=policy) == DeliveryReport(failed=1)
    clock.now_s += 1_000.0
    await outbox.deliver(fail, policy=policy)
    assert [item.status for item in await outbox.list()] == ["rejected"]


async def test_a_delivery_that_is_cancelled_gives_its_effect_back(outbox: Outbox) -> None:
    await outbox.put(destination="d", body={"n": 1}, session="a")
    started = anyio.Event()

    async def hang(_item: OutboxItem) -> None:
        started.set()
        await anyio.sleep_forever()

    async with anyio.create_task_group() as group:
        group.start_soon(outbox.deliver, hang)
        await started.wait()
        group.cancel_scope.cancel()
    receiver = Receiver()
    assert await outbox.deliver(receiver) == DeliveryReport(sent=1)


async def test_an_effect_dropped_while_it_is_sent_counts_as_sent(outbox: Outbox) -> None:
    put = await outbox.put(destination="d", body={})

    async def send(item: OutboxItem) -> None:
        await outbox.drop(item.id)

    await outbox.deliver(send)
    assert (await outbox.get(put.id)).status is OutboxStatus.SENT


async def test_an_effect_removed_while_it_is_sent_stays_removed(outbox: Outbox) -> None:
    await outbox.put(destination="d", body={}, session="a")

    async def send(_item: OutboxItem) -> None:
        await outbox.remove(session="a")

    await outbox.deliver(send)
    assert await outbox.list() == ()


async def test_what_is_put_while_sending_is_sent_in_the_same_delivery(outbox: Outbox) -> None:
    await outbox.put(destination="d", body={"n": 0}, session="a")
    receiver = Receiver()

    async def send(item: OutboxItem) -> None:
        await receiver(item)
        if item.body["n"] == 0:
            await outbox.put(destination="d", body={"n": 1}, session="a")

    await outbox.deliver(send)
    assert receiver.taken == {"a": [0, 1]}
