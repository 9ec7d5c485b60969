"""Databases of every kind that the state supports: this file holds the fixtures for them."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from sqlalchemy import text

from smallhold.security import KeyRing
from smallhold.state import Database, State

POSTGRESQL_VARIABLE = "SMALLHOLD_TEST_POSTGRESQL_URL"
KEYS = KeyRing({"test": bytes(range(32))})


@pytest.fixture(params=["sqlite", "encrypted", "postgresql"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Database]:
    """An empty database: SQLite in the clear, SQLite encrypted, PostgreSQL."""
    if request.param != "postgresql":
        keys = KEYS if request.param == "encrypted" else None
        database = Database(tmp_path / "state.db", keys=keys)
        yield database
        await database.aclose()
        return
    url = os.environ.get(POSTGRESQL_VARIABLE)
    if url is None:
        pytest.skip(f"{POSTGRESQL_VARIABLE} is not set")
    name = f"test_{uuid.uuid4().hex}"
    await _administer(url, f'CREATE DATABASE "{name}"')
    database = Database(f"{url.rsplit('/', 1)[0]}/{name}", keys=KEYS)
    try:
        yield database
    finally:
        await database.aclose()
        await _administer(url, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
async def state(database: Database) -> State:
    return State(database)


async def _administer(url: str, command: str) -> None:
    from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415

    address = url.replace("postgresql://", "postgresql+asyncpg://", 1)
    engine = create_async_engine(address, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(command))
    await engine.dispose()
