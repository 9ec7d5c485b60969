"""One tenant's view of the database: this file holds its connections and its payloads."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Protocol

from sqlalchemy import CursorResult, Insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.base import Executable

from smallhold.exceptions import DamagedRecordError, WrongKeyError
from smallhold.messages import JsonValue
from smallhold.state.database.sealing import Sealer
from smallhold.state.database.tenancy import TENANT_PARAMETER, for_one_tenant
from smallhold.state.tables.metadata import TENANT_COLUMN

_held: Final = lru_cache(maxsize=512)(for_one_tenant)
"""Most statements are constants of a module, and need to be held to a tenant only once."""


class OpenDatabase(Protocol):
    """What a tenant needs of its database."""

    @property
    def sealer(self) -> Sealer:
        """What writes and reads payloads."""
        ...

    def writing(self, tenant: str) -> AbstractAsyncContextManager[AsyncConnection]:
        """Open a transaction that writes."""
        ...

    def reading(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Open a transaction that reads."""
        ...

    async def blind(self, text: str, *, tenant: str) -> str:
        """Give the keyed hash of a tenant's text."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantConnection:
    """A transaction within one tenant's rows."""

    tenant: str
    connection: AsyncConnection

    async def execute(
        self,
        statement: Executable,
        parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
    ) -> CursorResult[Any]:
        """Run a statement on this tenant's rows, whatever its conditions say.

        Args:
            statement: SQLAlchemy Core: select, insert, update or delete, without text. A statement
                that is a constant of its module is prepared once.
            parameters: Values by name; for an insert, a row or a list of rows, without the tenant.

        Raises:
            CrossTenantError: The statement cannot be held to one tenant.
        """
        held = _held(statement)
        column = TENANT_COLUMN if isinstance(statement, Insert) else TENANT_PARAMETER
        tenant = {column: self.tenant}
        if parameters is None or isinstance(parameters, Mapping):
            return await self.connection.execute(held, {**(parameters or {}), **tenant})
        return await self.connection.execute(held, [{**row, **tenant} for row in parameters])


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantDatabase:
    """The part of a database that belongs to one tenant."""

    tenant: str
    database: OpenDatabase

    @asynccontextmanager
    async def writing(self) -> AsyncGenerator[TenantConnection]:
        """Open a transaction; it is durable when the block has ended, and undone if it raises.

        Writers of one tenant come one after another, in all processes, so what was read inside
        stays true until the end. Keep it short, and open no other one inside.

        Raises:
            DatabaseBusyError: Another process has been writing for too long.
            DatabaseFullError: The disk is full; nothing of the block was stored.
            StateError: The database cannot be used.
        """
        async with self.database.writing(self.tenant) as connection:
            yield TenantConnection(tenant=self.tenant, connection=connection)

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[TenantConnection]:
        """Open a view of one moment, which no writer disturbs and which disturbs none.

        Raises:
            StateError: The database cannot be used.
        """
        async with self.database.reading() as connection:
            yield TenantConnection(tenant=self.tenant, connection=connection)

    def seal(self, value: JsonValue, *, table: str, row: str) -> bytes:
        """Write a JSON value as the payload of a row, encrypted if the database has keys.

        Args:
            value: The value.
            table: Name of the table.
            row: The row's key within the tenant; the payload opens nowhere else.
        """
        return self.database.sealer.seal(value, tenant=self.tenant, table=table, row=row)

    def unseal(self, data: bytes, *, table: str, row: str) -> JsonValue:
        """Read a payload.

        Raises:
            DamagedRecordError: It is not what was written to this row.
            WrongKeyError: The keys do not open it.
        """
        with _told_apart(self.database.sealer, f"{table} {row}"):
            return self.database.sealer.unseal(data, tenant=self.tenant, table=table, row=row)

    def seal_bytes(self, plain: bytes, *, table: str, row: str) -> bytes:
        """Write bytes, such as a vector, as `seal` writes values."""
        return self.database.sealer.seal_bytes(plain, tenant=self.tenant, table=table, row=row)

    def unseal_bytes(self, data: bytes, *, table: str, row: str) -> bytes:
        """Read bytes; raises as `unseal` does."""
        sealer = self.database.sealer
        with _told_apart(sealer, f"{table} {row}"):
            return sealer.unseal_bytes(data, tenant=self.tenant, table=table, row=row)

    async def blind(self, text: str) -> str:
        """Hash a text that must not stand in the clear, to look it up by.

        Returns:
            32 hexadecimal digits, others for each database and tenant.
        """
        return await self.database.blind(text, tenant=self.tenant)


@contextmanager
def _told_apart(sealer: Sealer, record: str) -> Generator[None]:
    """Call what a proven key does not open damaged; opening the database proved the keys."""
    try:
        yield
    except WrongKeyError as error:
        if sealer.keys is None or error.key_id not in sealer.keys.ids:
            raise
        raise DamagedRecordError(
            record=record, problem="its key does not open it, so it was changed"
        ) from error
