"""The one database of an installation: this file holds how it is opened and shared."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Awaitable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from anyio import CancelScope, Lock
from anyio.lowlevel import RunVar
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from smallhold.exceptions import ConfigError
from smallhold.security import KeyRing
from smallhold.state.database.durability import Durability
from smallhold.state.database.engines import BEGIN_OPTION, Address, address_of, open_engine
from smallhold.state.database.failures import translated
from smallhold.state.database.index_secret import Secrets, read_secrets
from smallhold.state.database.migrating import migrate
from smallhold.state.database.sealing import Sealer
from smallhold.state.database.tenants import TenantDatabase
from smallhold.state.tables.metadata import ID_CHARS

Value = TypeVar("Value")

DEFAULT_TENANT: Final = "default"
_ID: Final = re.compile(rf"[^\x00-\x1f\x7f]{{1,{ID_CHARS}}}")
_WHOLE_DATABASE: Final = "\0"
"""Stands for all tenants in the locks of writers; no tenant can have this name."""
_ALONE: Final = {BEGIN_OPTION: "BEGIN IMMEDIATE"}
_ONE_MOMENT: Final = {"isolation_level": "REPEATABLE READ"}
_LOCK: Final = select(func.pg_advisory_xact_lock(func.hashtextextended("smallhold", 0)))


class Database:
    """A SQLite file or a PostgreSQL database, with all that Smallhold keeps.

    Making one opens nothing. The first use connects, creates or updates the tables and checks the
    keys. One object serves all event loops of a process, each with connections of its own.
    """

    def __init__(
        self,
        place: str | Path,
        *,
        keys: KeyRing | None = None,
        durability: Durability = Durability.POWER_LOSS,
    ) -> None:
        """Name the database.

        Args:
            place: A file's path, or a URL such as `postgresql://user:password@host/name`.
                `sqlite://` is a database in memory, for one event loop.
            keys: Encrypts whatever people wrote; without them it lies in the clear.
            durability: What a finished write survives.

        Raises:
            ConfigError: The place is neither a path nor a URL of these.
        """
        self._address = address_of(place)
        self._keys = keys
        self._durability = durability
        self._connections: RunVar[_Connections] = RunVar("smallhold_database")
        self._sealer = Sealer(keys=keys)

    @property
    def name(self) -> str:
        """The database's path or address, without its password."""
        return self._address.name

    @property
    def address(self) -> Address:
        """Where the database is."""
        return self._address

    @property
    def keys(self) -> KeyRing | None:
        """What encrypts payloads; `None` where they lie in the clear."""
        return self._keys

    @property
    def durability(self) -> Durability:
        """What a finished write survives."""
        return self._durability

    @property
    def sealer(self) -> Sealer:
        """What writes and reads payloads."""
        return self._sealer

    def tenant(self, tenant: str = DEFAULT_TENANT) -> TenantDatabase:
        """Give the part of one tenant; tenants need not be created.

        Raises:
            ConfigError: The name is empty, too long or holds control characters.
        """
        check_id("tenant", tenant)
        return TenantDatabase(tenant=tenant, database=self)

    @asynccontextmanager
    async def writing(self, tenant: str = _WHOLE_DATABASE) -> AsyncGenerator[AsyncConnection]:
        """Open a transaction that writes in one tenant's rows; `TenantDatabase` is how to use it.

        Without a tenant it may write everywhere, for the care of the database alone.
        """
        is_whole = tenant == _WHOLE_DATABASE
        connections = await self._ready()
        async with self._transaction(connections, is_for_tenants=not is_whole) as connection:
            yield connection

    @asynccontextmanager
    async def reading(self, *, whole: bool = False) -> AsyncGenerator[AsyncConnection]:
        """Open a transaction that reads; the whole database only for its care."""
        connections = await self._ready()
        engine = connections.engine(is_for_tenants=not whole)
        with translated(self.name):
            async with AsyncExitStack() as stack:
                if self._address.path is None and self._address.is_sqlite:
                    # In memory there is one connection, which is the writer's as well.
                    await stack.enter_async_context(connections.writer)
                options = {} if self._address.is_sqlite else _ONE_MOMENT
                yield await stack.enter_async_context(transaction(engine, options))

    async def blind(self, text: str, *, tenant: str) -> str:
        """Give the keyed hash of a tenant's text: 32 hexadecimal digits."""
        connections = await self._ready()
        if connections.secrets is None:
            raise AssertionError
        return connections.secrets.blind(text, tenant=tenant)

    async def open(self) -> None:
        """Connect now instead of at the first use, to meet problems early.

        Raises:
            WrongKeyError: The keys do not open what is stored.
            NewerFormatError: A newer version of Smallhold has written it.
            DatabaseError: It cannot be reached or used.
        """
        await self._ready()

    async def aclose(self) -> None:
        """Close this event loop's connections; a later use opens them again."""
        connections = self._connections.get(None)
        if connections is not None:
            await connections.aclose()
            self._connections.set(_Connections(address=self._address, durability=self._durability))

    async def _ready(self) -> _Connections:
        connections = self._connections.get(None)
        if connections is None:
            connections = _Connections(address=self._address, durability=self._durability)
            self._connections.set(connections)
        if connections.secrets is None:
            async with connections.opening:
                if connections.secrets is None:
                    connections.secrets = await self._opened(connections)
        return connections

    async def _opened(self, connections: _Connections) -> Secrets:
        path = self._address.path
        if path is not None and not path.parent.is_dir():
            raise ConfigError(
                field="database", value=str(path), remedy="create its folder, or choose another"
            )
        async with self._transaction(connections, is_for_tenants=False) as connection:
            await migrate(connection, database=self.name)
            secrets = await read_secrets(connection, keys=self._keys, database=self.name)
        self._sealer = secrets.sealer
        return secrets

    @asynccontextmanager
    async def _transaction(
        self, connections: _Connections, *, is_for_tenants: bool
    ) -> AsyncGenerator[AsyncConnection]:
        engine = connections.engine(is_for_tenants=is_for_tenants)
        with translated(self.name):
            async with AsyncExitStack() as stack:
                if self._address.is_sqlite:
                    # Waiting here is cheaper and fairer than SQLite's own busy loop.
                    await stack.enter_async_context(connections.writer)
                options = _ALONE if self._address.is_sqlite else {}
                connection = await stack.enter_async_context(transaction(engine, options))
                if not self._address.is_sqlite:
                    await connection.execute(_LOCK)
                yield connection


@dataclass(slots=True, kw_only=True)
class _Connections:
    """What one event loop holds of a database."""

    address: Address
    durability: Durability
    writer: Lock = field(default_factory=Lock)
    opening: Lock = field(default_factory=Lock)
    tenants: AsyncEngine | None = None
    whole: AsyncEngine | None = None
    secrets: Secrets | None = None

    def engine(self, *, is_for_tenants: bool) -> AsyncEngine:
        """Give the engine for tenants' statements, or that for the care of the whole."""
        engine = self.tenants if is_for_tenants else self.whole
        if engine is not None:
            return engine
        engine = open_engine(
            self.address,
            durability=self.durability,
            is_for_tenants=is_for_tenants,
            beside=self.whole if is_for_tenants else self.tenants,
        )
        if is_for_tenants:
            self.tenants = engine
        else:
            self.whole = engine
        return engine

    async def aclose(self) -> None:
        """Close all connections."""
        for engine in (self.tenants, self.whole):
            if engine is not None:
                await engine.dispose()


@asynccontextmanager
async def transaction(
    engine: AsyncEngine, options: Mapping[str, str]
) -> AsyncGenerator[AsyncConnection]:
    """Open a connection and a transaction on it, which ends whole whatever is cancelled.

    A commit that has begun is finished, since nobody could tell what became of it otherwise; a
    connection goes back to the others only when its transaction is over.

    Args:
        engine: Makes the connection.
        options: Execution options of the connection.
    """
    connection = await _whole(_Steady(engine).start())
    try:
        if options:
            await connection.execution_options(**options)
        # Left in the middle of its beginning, a transaction would stay open unknown to anybody.
        begun = await _whole(connection.begin().start())
        try:
            yield connection
        except BaseException:
            await _whole(begun.rollback())
            raise
        await _whole(begun.commit())
    finally:
        await _whole(connection.close())


class _Steady(AsyncConnection):
    """A connection whose statements, once begun, are finished whatever is cancelled.

    SQLAlchemy gives up a connection whose statement was cancelled, and SQLite keeps the transaction
    open, which locks out all other writers, until it is collected. Statements take milliseconds.
    """

    async def execute(self, *args: Any, **options: Any) -> Any:
        return await _whole(super().execute(*args, **options))

    async def exec_driver_sql(self, *args: Any, **options: Any) -> Any:
        return await _whole(super().exec_driver_sql(*args, **options))

    async def run_sync(self, *args: Any, **options: Any) -> Any:
        return await _whole(super().run_sync(*args, **options))


async def _whole(work: Awaitable[Value]) -> Value:
    """Do something to its end, whatever is cancelled meanwhile."""
    with CancelScope(shield=True):
        return await work
    raise AssertionError  # a shielded scope swallows nothing


def check_id(field_name: str, value: str) -> None:
    """Refuse an id that cannot be stored. Raises `ConfigError`."""
    if not _ID.fullmatch(value):
        raise ConfigError(
            field=field_name,
            value=value[:ID_CHARS],
            remedy=f"give 1 to {ID_CHARS} characters without control characters",
        )
