"""From one database into another: this file holds how all rows are copied."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from smallhold.state.care.batches import Batches
from smallhold.state.tables import METADATA, STORE_INFO


async def copy_rows(source: AsyncConnection, target: AsyncConnection) -> int:
    """Copy all rows, as they are sealed, into empty tables.

    Args:
        source: A transaction that sees one moment of the whole database.
        target: A transaction that writes in another database with the same tables.

    Returns:
        How many rows.
    """
    copied = 0
    for table in METADATA.sorted_tables:
        batches = Batches(table=table, columns=tuple(table.c))
        after: tuple[Any, ...] | None = None
        while True:
            rows = (await source.execute(batches.query(after=after))).mappings().all()
            if rows:
                await target.execute(insert(table), [dict(row) for row in rows])
                copied += len(rows)
                after = batches.key_of(rows[-1])
            if len(rows) < batches.rows:
                break
    return copied


async def clear(target: AsyncConnection) -> None:
    """Delete all rows, those of the database's own settings included."""
    for table in reversed(METADATA.sorted_tables):
        await target.execute(table.delete())


async def is_empty(target: AsyncConnection) -> bool:
    """Tell whether nobody has stored anything yet."""
    for table in METADATA.sorted_tables:
        if table is STORE_INFO:
            continue
        if await target.scalar(select(func.count()).select_from(table)):
            return False
    return True
