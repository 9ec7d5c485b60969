from __future__ import annotations

from smallhold.state.database.durability import (
    POSTGRESQL_SYNCHRONOUS,
    SQLITE_SYNCHRONOUS,
    Durability,
)


def test_both_databases_know_every_level() -> None:
    assert set(SQLITE_SYNCHRONOUS) == set(POSTGRESQL_SYNCHRONOUS) == set(Durability)
