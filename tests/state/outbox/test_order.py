from __future__ import annotations

import pytest

from smallhold.state import State
from smallhold.state.outbox import order


async def test_places_in_an_order_count_up_from_one_and_each_order_counts_for_itself(
    state: State,
) -> None:
    async with state.rows.writing() as connection:
        numbers = [await order.take_number(connection, queue) for queue in ("s:a", "s:a", "s:b")]
    assert numbers == [1, 2, 1]


async def test_a_place_is_given_back_when_its_transaction_is_undone(state: State) -> None:
    async def take_and_fail() -> None:
        async with state.rows.writing() as connection:
            await order.take_number(connection, "s:a")
            raise KeyError

    with pytest.raises(KeyError):
        await take_and_fail()
    async with state.rows.writing() as connection:
        assert await order.take_number(connection, "s:a") == 1


async def test_an_order_is_blocked_until_the_effect_that_blocks_it_is_put_right(
    state: State,
) -> None:
    await state.outbox.put(destination="d", body={}, session="a")
    async with state.rows.writing() as connection:
        await order.block(connection, "s:a", effect_id="e1")
        assert await order.refresh(connection, "s:a") is None
        await order.unblock(connection, "s:a", effect_id="another")
        assert await order.refresh(connection, "s:a") is None
        await order.unblock(connection, "s:a", effect_id="e1")
        assert await order.refresh(connection, "s:a") is not None


async def test_an_order_without_waiting_effects_is_not_due(state: State) -> None:
    async with state.rows.writing() as connection:
        await order.take_number(connection, "s:a")
        assert await order.refresh(connection, "s:a") is None
        row = await order.queue_row(connection, "s:a")
        assert row is not None
        assert row["due_s"] is None
        await order.forget(connection, "s:a")
        assert await order.queue_row(connection, "s:a") is None
