"""Bringing a database to this version's tables: this file holds when and how that is done.

Alembic takes a fifth of a second to import, so it is only loaded where there is something to do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Column, MetaData, String, Table, inspect, select
from sqlalchemy.ext.asyncio import AsyncConnection

from smallhold.exceptions import NewerFormatError

if TYPE_CHECKING:
    from sqlalchemy import Connection

NEWEST_REVISION: Final = "0006"
"""Revision of the tables that this version reads and writes; a test holds it to the files."""
MIGRATIONS: Final = "smallhold.state:migrations"
"""Where Alembic finds the steps."""
_VERSION: Final[Table[Any]] = Table(
    "alembic_version", MetaData(), Column("version_num", String(32))
)


async def migrate(connection: AsyncConnection, *, database: str) -> None:
    """Create or change the tables; does nothing where they are as they should be.

    Args:
        connection: A transaction that alone may write.
        database: The database's name for messages.

    Raises:
        NewerFormatError: The tables are of a newer version of Smallhold.
    """
    revision = await connection.run_sync(_revision)
    if revision == NEWEST_REVISION:
        return
    if revision is not None and revision > NEWEST_REVISION:
        raise NewerFormatError(
            what=f"The database {database}", found=revision, supported=f"up to {NEWEST_REVISION}"
        )
    await connection.run_sync(_upgrade)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table(_VERSION.name):
        return None
    return connection.scalar(select(_VERSION.c.version_num))


def _upgrade(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 - see above
    from alembic.config import Config  # noqa: PLC0415

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", MIGRATIONS)
    command.upgrade(config, NEWEST_REVISION)
