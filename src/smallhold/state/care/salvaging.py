"""A file that SQLite can no longer read: this file holds how its rows are saved.

Every page is looked at by itself, so that neither a lost head nor a lost schema nor a lost way to a
page costs the rows on the others. Which table a row is of follows from its values: no two tables
have the same kinds of columns, or else the row's seal decides, which names the table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias

from sqlalchemy import Column, Float, Integer, LargeBinary, String, Table

from smallhold.exceptions import DatabaseError
from smallhold.state.care.sqlite_pages import PageFile
from smallhold.state.care.sqlite_records import Record, Value, page_records
from smallhold.state.database.migrating import NEWEST_REVISION
from smallhold.state.tables import METADATA

Row: TypeAlias = dict[str, Any]
IsSealed: TypeAlias = Callable[[Table[Any], Row], bool]
"""Tells whether a row's values open as values of a table's row."""
_REVISION_CHARS: Final = 4
_KINDS: Final[tuple[tuple[type[Any], tuple[type[Any], ...]], ...]] = (
    (String, (str,)),
    (Integer, (int,)),
    # Whole numbers are stored as integers, which take fewer bytes.
    (Float, (float, int)),
    (LargeBinary, (bytes,)),
)


@dataclass(slots=True, kw_only=True)
class Salvage:
    """Reads what can be read of a damaged file."""

    path: Path
    is_sealed: IsSealed
    unreadable: int = 0
    """Rows that were met and could not be read; how many lay on lost pages nobody knows."""
    _tables: tuple[tuple[Table[Any], tuple[Column[Any], ...]], ...] = field(init=False)

    def __post_init__(self) -> None:
        """Prepare the tables' columns in the order in which SQLite stores them."""
        self._tables = tuple((table, _stored_columns(table)) for table in METADATA.sorted_tables)

    def rows(self) -> Iterator[tuple[Table[Any], Row]]:
        """Give the rows of all tables, as the pages come.

        Raises:
            DatabaseError: Another version of Smallhold wrote the file, whose tables this one does
                not know.
        """
        with PageFile(self.path) as file:
            for number, page in file.pages():
                found = page_records(
                    page, number=number, usable_bytes=file.usable_bytes, page_of=file.page
                )
                for has_row_ids, record in found:
                    if record is None:
                        self.unreadable += 1
                        continue
                    self._refuse_other_version(record)
                    row = self._row_of(record, has_row_ids=has_row_ids)
                    if row is not None:
                        yield row

    def _row_of(self, record: Record, *, has_row_ids: bool) -> tuple[Table[Any], Row] | None:
        fitting = [
            (table, _as_row(columns, record))
            for table, columns in self._tables
            if _has_row_ids(table) == has_row_ids and _fits(columns, record)
        ]
        if len(fitting) > 1:
            return next((pair for pair in fitting if self.is_sealed(*pair)), None)
        return fitting[0] if fitting else None

    def _refuse_other_version(self, record: Record) -> None:
        match record:
            case (str() as revision,) if len(revision) == _REVISION_CHARS and revision.isdigit():
                if revision == NEWEST_REVISION:
                    return
                raise DatabaseError(
                    database=str(self.path),
                    problem=f"its structure is damaged, and its tables are of revision {revision}",
                    remedy="Repair it with the version of Smallhold that wrote it.",
                )
            case _:
                return


def _has_row_ids(table: Table[Any]) -> bool:
    return bool(table.dialect_options["sqlite"]["with_rowid"])


def _stored_columns(table: Table[Any]) -> tuple[Column[Any], ...]:
    if _has_row_ids(table):
        return tuple(table.c)
    # Such a table is the tree of its primary key, whose columns come first.
    keys = tuple(table.primary_key.columns)
    return (*keys, *(column for column in table.c if column not in set(keys)))


def _fits(columns: Sequence[Column[Any]], record: Record) -> bool:
    return len(columns) == len(record) and all(map(_may_hold, columns, record))


def _may_hold(column: Column[Any], value: Value) -> bool:
    if value is None:
        return bool(column.nullable)
    if isinstance(column.type, String) and isinstance(value, str):
        return column.type.length is None or len(value) <= column.type.length
    return any(isinstance(column.type, kind) and type(value) in types for kind, types in _KINDS)


def _as_row(columns: Sequence[Column[Any]], record: Record) -> Row:
    return {column.name: value for column, value in zip(columns, record, strict=True)}
