"""Where sealed values lie: this file holds the list of all columns that keep them.

Whoever adds a column of bytes adds it here; a test compares the list with the tables.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Table

from smallhold.exceptions import StateError
from smallhold.state.database import Sealer
from smallhold.state.tables import (
    APPROVALS,
    BACKUPS,
    CHUNKS,
    COLLECTIONS,
    DOCUMENT_INDEXES,
    DOCUMENTS,
    ENTRIES,
    FACTS,
    OUTBOX,
    SESSIONS,
    STORE_INFO,
)
from smallhold.state.tables.memory import SUBJECTS
from smallhold.state.tables.metadata import TENANT_COLUMN

RowName = Callable[[Mapping[Any, Any]], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedColumn:
    """A column of sealed values."""

    column: Column[Any]
    row_name: RowName
    """Names the row as it was named when the value was sealed."""
    seal_name: str
    """The table's name in the seal; another than the table's own where a row has two values."""
    is_optional: bool = False

    @property
    def table(self) -> Table[Any]:
        """The column's table."""
        return self.column.table

    @property
    def keys(self) -> tuple[ColumnElement[Any], ...]:
        """The columns of the table's primary key."""
        return tuple(self.table.primary_key.columns)

    def tenant_of(self, row: Mapping[Any, Any]) -> str:
        """Tell whose row it is; nobody's in the tables of the whole database."""
        return row[TENANT_COLUMN] if TENANT_COLUMN in self.table.c else ""


def _named_by(*columns: str) -> RowName:
    return lambda row: "/".join(str(row[column]) for column in columns)


def _payload(table: Table[Any], *columns: str) -> SealedColumn:
    return SealedColumn(
        column=table.c["payload"], row_name=_named_by(*columns), seal_name=table.name
    )


SEALED_COLUMNS: Final = (
    SealedColumn(
        column=STORE_INFO.c["value"], row_name=_named_by("name"), seal_name=STORE_INFO.name
    ),
    _payload(BACKUPS, "id"),
    _payload(SESSIONS, "id"),
    _payload(ENTRIES, "session", "seq"),
    _payload(APPROVALS, "id"),
    _payload(OUTBOX, "id"),
    _payload(SUBJECTS, "subject_key"),
    _payload(FACTS, "id"),
    SealedColumn(
        column=FACTS.c["vector"],
        row_name=_named_by("id"),
        seal_name=f"{FACTS.name}.vector",
        is_optional=True,
    ),
    _payload(COLLECTIONS, "id"),
    _payload(DOCUMENTS, "id"),
    _payload(CHUNKS, "document", "number"),
    _payload(DOCUMENT_INDEXES, "document"),
)
"""All of them, those of the whole database first."""


def opens_as(sealer: Sealer, table: Table[Any], row: Mapping[Any, Any]) -> bool:
    """Tell whether a row's values open as values of a table; a row without any does not."""
    opened = False
    for sealed in SEALED_COLUMNS:
        data = row[sealed.column.name] if sealed.table is table else None
        if data is None:
            continue
        try:
            sealer.unseal_bytes(
                data,
                tenant=sealed.tenant_of(row),
                table=sealed.seal_name,
                row=sealed.row_name(row),
            )
        except StateError:
            return False
        opened = True
    return opened
