"""Reading a whole table without holding anybody up: this file holds how it is cut into batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, RowMapping, Select, Table, select, tuple_

BATCH_ROWS: Final = 500
"""Rows that are read at once: milliseconds of work, a megabyte with vectors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batches:
    """A walk through a table in the order of its primary key."""

    table: Table[Any]
    columns: tuple[ColumnElement[Any], ...]
    """What to read, the primary key's columns among it."""
    where: ColumnElement[bool] | None = None
    rows: int = BATCH_ROWS

    def query(self, *, after: Sequence[Any] | None) -> Select[Any]:
        """Write the query of the batch that follows a key; `None` begins."""
        keys = tuple(self.table.primary_key.columns)
        query = select(*self.columns).order_by(*keys).limit(self.rows)
        if after is not None:
            query = query.where(tuple_(*keys) > tuple_(*after))
        return query if self.where is None else query.where(self.where)

    def key_of(self, row: RowMapping) -> tuple[Any, ...]:
        """Give a row's primary key."""
        return tuple(row[column.name] for column in self.table.primary_key.columns)
