from __future__ import annotations

from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from smallhold.exceptions import NewerFormatError
from smallhold.state import Database
from smallhold.state.database.migrating import MIGRATIONS, NEWEST_REVISION, migrate
from smallhold.state.tables import METADATA
from smallhold.state.tables.metadata import TENANT_COLUMN
from smallhold.state.tables.store import BACKUPS, STORE_INFO


def differences(connection: Connection) -> list[Any]:
    return compare_metadata(MigrationContext.configure(connection), METADATA)


async def test_the_steps_lead_to_the_tables_as_they_are_declared(database: Database) -> None:
    async with database.writing() as connection:
        assert await connection.run_sync(differences) == []


def test_the_newest_revision_is_the_last_step() -> None:
    config = Config()
    config.set_main_option("script_location", MIGRATIONS)
    assert ScriptDirectory.from_config(config).get_heads() == [NEWEST_REVISION]


async def test_migrating_again_changes_nothing(database: Database) -> None:
    for _ in range(2):
        async with database.writing() as connection:
            await migrate(connection, database=database.name)
            assert await connection.run_sync(differences) == []


async def test_newer_tables_are_refused(database: Database) -> None:
    async with database.writing() as connection:
        await connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0999'")
        with pytest.raises(NewerFormatError, match="0999"):
            await migrate(connection, database=database.name)


def test_every_table_begins_with_its_tenant() -> None:
    of_tenants = [table for table in METADATA.sorted_tables if table not in {STORE_INFO, BACKUPS}]
    assert of_tenants
    for table in of_tenants:
        assert next(iter(table.columns)).name == TENANT_COLUMN
        assert next(iter(table.primary_key.columns)).name == TENANT_COLUMN
        for constraint in table.constraints:
            columns = [column.name for column in getattr(constraint, "columns", [])]
            assert columns[0] == TENANT_COLUMN, constraint
        for index in table.indexes:
            assert next(iter(index.columns)).name == TENANT_COLUMN, index
