"""One database, many tenants: this file holds the compilers that keep them apart.

Every table in a statement's FROM, however deep, is written as a subquery of one tenant's rows, at
the last moment before the statement becomes SQL. A query across tenants can therefore not be
written by forgetting a condition. SQLite and PostgreSQL both flatten such subqueries, so that
indexes serve as before. What cannot be held to one tenant is refused.
"""

from __future__ import annotations

import re
from typing import Any, Final, cast

from sqlalchemy import Delete, Insert, Select, Table, Update, bindparam
from sqlalchemy.dialects.postgresql.base import PGCompiler
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.sql import CompoundSelect
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.compiler import SQLCompiler

from smallhold.exceptions import CrossTenantError
from smallhold.state.tables.metadata import TENANT_COLUMN

TENANT_PARAMETER: Final = "this_tenant"
"""Name of the bound parameter in every statement; not that of a column, which inserts use."""
_OTHER_ROWS: Final = re.compile(rf"{TENANT_COLUMN}_m\d+")
"""SQLAlchemy's names for the values of an insert of several rows in one statement."""
_GIVEN_AWAY: Final = re.compile(rf"(?:SET|,) {TENANT_COLUMN}\s*=")


class _OneTenant(SQLCompiler):
    """Writes tables as one tenant's part of them."""

    def visit_table(self, table: Table[Any], *args: Any, **options: Any) -> Any:
        inherited: Any = super()
        written: str = inherited.visit_table(table, *args, **options)
        if not options.get("asfrom") or options.get("iscrud"):
            return written
        if TENANT_COLUMN not in table.c:
            raise CrossTenantError(problem=f"the table {table.name} belongs to no tenant")
        name = self.preparer.quote(TENANT_COLUMN)
        parameter = bindparam(TENANT_PARAMETER, type_=table.c[TENANT_COLUMN].type)
        # Names are quoted by the dialect, and the tenant is a bound parameter.
        rows = f"(SELECT * FROM {written} WHERE {name} = {self.process(parameter)})"  # noqa: S608
        alias = options.get("enclosing_alias")
        # The alias of a table names the subquery itself.
        is_named = alias is not None and alias.element is table
        return rows if is_named else f"{rows} AS {written}"

    def visit_column(self, column: Any, *args: Any, **options: Any) -> Any:
        if column.is_literal and column.name != "*":
            raise CrossTenantError(problem=f"it holds SQL as text: {column.name[:80]!r}")
        inherited: Any = super()
        return inherited.visit_column(column, *args, **options)

    def visit_textclause(self, textclause: Any, *args: Any, **options: Any) -> Any:
        del args, options
        raise CrossTenantError(problem=f"it holds SQL as text: {textclause.text[:80]!r}")

    def visit_textual_select(self, taf: Any, *args: Any, **options: Any) -> Any:
        return self.visit_textclause(taf.element, *args, **options)

    def visit_insert(self, insert_stmt: Any, *args: Any, **options: Any) -> Any:
        inherited: Any = super()
        written: str = inherited.visit_insert(insert_stmt, *args, **options)
        if any(_OTHER_ROWS.fullmatch(name) for name in self.binds) or _GIVEN_AWAY.search(written):
            raise CrossTenantError(problem="rows are given as a list of parameters, not in values")
        return written

    def visit_update(self, update_stmt: Any, *args: Any, **options: Any) -> Any:
        inherited: Any = super()
        written: str = inherited.visit_update(update_stmt, *args, **options)
        if _GIVEN_AWAY.search(written):
            raise CrossTenantError(problem="it gives a row to another tenant")
        return written


class OneTenantSQLite(_OneTenant, SQLiteCompiler):
    """For SQLite."""


class OneTenantPostgreSQL(_OneTenant, PGCompiler):
    """For PostgreSQL."""


def for_one_tenant(statement: Executable) -> Executable:
    """Hold a statement's target to one tenant; what it reads is held by the compiler.

    Args:
        statement: SQLAlchemy Core over the tables of the state.

    Raises:
        CrossTenantError: It is none of select, insert, update and delete, or it changes a tenant.
    """
    match statement:
        case Select() | CompoundSelect():
            return cast("Executable", statement)
        case Update() | Delete():
            table = _target(statement.table)
            mine = table.c[TENANT_COLUMN] == bindparam(TENANT_PARAMETER)
            return statement.where(mine)
        case Insert():
            _target(statement.table)
            if statement.select is not None:
                raise CrossTenantError(problem="an insert takes values, not a query")
            return statement
        case _:
            kind = type(statement).__name__
            raise CrossTenantError(problem=f"it is a {kind}, not a select, insert, update, delete")


def _target(table: object) -> Table[Any]:
    target = cast("Table[Any] | None", table if isinstance(table, Table) else None)
    if target is None or TENANT_COLUMN not in target.c:
        raise CrossTenantError(problem=f"{table} is no table of tenants")
    return target
