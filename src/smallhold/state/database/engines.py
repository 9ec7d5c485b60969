"""Connections to SQLite and PostgreSQL: this file holds how they are set up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import Pool, StaticPool

from smallhold.exceptions import ConfigError
from smallhold.state.database.durability import (
    POSTGRESQL_SYNCHRONOUS,
    SQLITE_SYNCHRONOUS,
    Durability,
)
from smallhold.state.database.failures import BUSY_TIMEOUT_S
from smallhold.state.database.tenancy import OneTenantPostgreSQL, OneTenantSQLite

BEGIN_OPTION: Final = "smallhold_begin"
"""Execution option of a connection: how SQLite begins its transactions."""
MEMORY_URL: Final = "sqlite://"
_DRIVERS: Final[Mapping[str, str]] = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+asyncpg",
    "postgres": "postgresql+asyncpg",
}
_POOL_SIZE: Final = 5
"""Connections kept open for one event loop; readers of one process rarely are more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a database is."""

    url: URL

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file, or lives in memory."""
        return self.url.get_backend_name() == "sqlite"

    @property
    def path(self) -> Path | None:
        """The file; `None` where there is none."""
        name = self.url.database
        return Path(name) if self.is_sqlite and name and name != ":memory:" else None

    @property
    def name(self) -> str:
        """The database's name for messages, without its password."""
        return str(self.path or self.url.render_as_string(hide_password=True))


def address_of(place: str | Path) -> Address:
    """Read a file's path or a URL.

    Args:
        place: A path such as `kiosk.db`, or `sqlite:///kiosk.db`, or
            `postgresql://user:password@host/name`. `sqlite://` is a database in memory.

    Raises:
        ConfigError: It is neither.
    """
    if isinstance(place, Path) or "://" not in place:
        text = str(place)
        if not text.strip() or "\0" in text:
            raise ConfigError(field="database", value=text, remedy="give a file's path or a URL")
        url = URL.create(_DRIVERS["sqlite"], database=str(Path(text).expanduser()))
        return Address(url=url)
    try:
        url = make_url(place)
    except ArgumentError as error:
        raise ConfigError(
            field="database", value="(a URL)", remedy="write it as postgresql://user@host/name"
        ) from error
    backend = url.drivername.split("+", maxsplit=1)[0]
    if backend not in _DRIVERS:
        raise ConfigError(
            field="database",
            value=url.render_as_string(hide_password=True),
            remedy="use SQLite (a path) or PostgreSQL (postgresql://...)",
        )
    return Address(url=url.set(drivername=_DRIVERS[backend]))


def open_engine(
    address: Address,
    *,
    durability: Durability,
    is_for_tenants: bool,
    beside: AsyncEngine | None = None,
) -> AsyncEngine:
    """Make an engine for the running event loop; it connects when it is first used.

    Args:
        address: Where the database is.
        durability: What a commit survives.
        is_for_tenants: Hold every statement to one tenant.
        beside: Another engine for the same database. In memory both use its one connection, since
            a second connection would be a second database.
    """
    if address.is_sqlite:
        shared = beside.sync_engine.pool if beside and address.path is None else None
        engine = _sqlite(address, durability, pool=shared)
    else:
        engine = _postgresql(address, durability)
    if is_for_tenants:
        dialect = engine.sync_engine.dialect
        dialect.statement_compiler = OneTenantSQLite if address.is_sqlite else OneTenantPostgreSQL
    return engine


def _sqlite(address: Address, durability: Durability, *, pool: Pool | None) -> AsyncEngine:
    arguments: dict[str, Any] = {"isolation_level": None}
    if "timeout" not in address.url.query:
        arguments["timeout"] = BUSY_TIMEOUT_S
    if pool is not None:
        engine = create_async_engine(address.url, pool=pool)
    elif address.path is None:
        engine = create_async_engine(address.url, connect_args=arguments, poolclass=StaticPool)
    else:
        engine = create_async_engine(
            address.url,
            connect_args=arguments,
            pool_size=_POOL_SIZE,
            # Every use is a transaction that ends by itself, so the pool's own is a wasted hop.
            pool_reset_on_return=None,
        )
    pragmas = (
        "journal_mode=WAL",
        f"synchronous={SQLITE_SYNCHRONOUS[durability]}",
        "foreign_keys=ON",
        # Erased rows are overwritten, and nothing is sorted in a file in the clear.
        "secure_delete=ON",
        "temp_store=MEMORY",
    )

    def connected(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    def begun(connection: Any) -> None:
        # The driver would begin a transaction only before a write, and reads would see changes.
        how = connection.get_execution_options().get(BEGIN_OPTION, "BEGIN")

        def begin(driver: Any) -> Any:
            return driver.execute(how)

        # One hop to the driver's thread, where a statement of SQLAlchemy's takes three.
        connection.connection.dbapi_connection.run_async(begin)

    if pool is None:
        event.listen(engine.sync_engine, "connect", connected)
    event.listen(engine.sync_engine, "begin", begun)
    return engine


def _postgresql(address: Address, durability: Durability) -> AsyncEngine:
    settings = {
        "synchronous_commit": POSTGRESQL_SYNCHRONOUS[durability],
        "lock_timeout": f"{BUSY_TIMEOUT_S:.0f}s",
        "application_name": "smallhold",
    }
    return create_async_engine(
        address.url,
        connect_args={"server_settings": settings},
        pool_size=_POOL_SIZE,
    )
