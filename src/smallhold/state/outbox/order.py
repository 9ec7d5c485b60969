"""The order of effects: this file holds the statements that keep it.

All of them run inside a transaction that writes, of which there is one at a time.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import RowMapping, bindparam, delete, insert, select, update

from smallhold.state.database import TenantConnection
from smallhold.state.outbox.item import OutboxStatus
from smallhold.state.tables.outbox import OUTBOX, OUTBOX_QUEUES

_Q: Final = OUTBOX_QUEUES.c
_O: Final = OUTBOX.c
_QUEUE: Final = select(OUTBOX_QUEUES).where(_Q.id == bindparam("wanted_queue"))
_INSERT: Final = insert(OUTBOX_QUEUES)
_UPDATE: Final = update(OUTBOX_QUEUES).where(_Q.id == bindparam("wanted_queue"))
_DELETE: Final = delete(OUTBOX_QUEUES).where(_Q.id == bindparam("wanted_queue"))
_HEAD: Final = (
    select(OUTBOX)
    .where(_O.queue == bindparam("wanted_queue"), _O.status == OutboxStatus.WAITING.value)
    .order_by(_O.number)
    .limit(1)
)


async def take_number(connection: TenantConnection, queue: str) -> int:
    """Give the next place in an order, from 1, and begin the order if there is none."""
    row = await queue_row(connection, queue)
    number = 1 if row is None else row["last_number"] + 1
    if row is None:
        await connection.execute(_INSERT, {"id": queue, "last_number": number})
    else:
        await connection.execute(_UPDATE, {"wanted_queue": queue, "last_number": number})
    return number


async def queue_row(connection: TenantConnection, queue: str) -> RowMapping | None:
    """Read what is known of an order; `None` when there is none."""
    return (await connection.execute(_QUEUE, {"wanted_queue": queue})).mappings().first()


async def head_row(connection: TenantConnection, queue: str) -> RowMapping | None:
    """Read the first effect that waits in an order."""
    return (await connection.execute(_HEAD, {"wanted_queue": queue})).mappings().first()


async def block(connection: TenantConnection, queue: str, *, effect_id: str) -> None:
    """Let nothing of an order be sent until this effect has been retried or dropped."""
    await connection.execute(_UPDATE, {"wanted_queue": queue, "blocked_by": effect_id})


async def unblock(connection: TenantConnection, queue: str, *, effect_id: str) -> None:
    """Open an order again, if it is this effect that blocks it."""
    row = await queue_row(connection, queue)
    if row is not None and row["blocked_by"] == effect_id:
        await connection.execute(_UPDATE, {"wanted_queue": queue, "blocked_by": None})


async def claim(
    connection: TenantConnection, queue: str, *, word: str | None, until_s: float | None
) -> None:
    """Write who may settle an order's first effect, and until when; `None`: nobody."""
    values = {"wanted_queue": queue, "claim": word, "claimed_until_s": until_s}
    await connection.execute(_UPDATE, values)


async def refresh(connection: TenantConnection, queue: str) -> RowMapping | None:
    """Note when an order's first effect is due. To be called after every change of its effects.

    Returns:
        The first effect; `None` when none waits or the order is blocked.
    """
    row, head = await queue_row(connection, queue), await head_row(connection, queue)
    if row is None or row["blocked_by"] is not None:
        head = None
    due_s = None if head is None else head["due_s"]
    await connection.execute(_UPDATE, {"wanted_queue": queue, "due_s": due_s})
    return head


async def forget(connection: TenantConnection, queue: str) -> None:
    """Forget an order; its effects must be gone."""
    await connection.execute(_DELETE, {"wanted_queue": queue})
