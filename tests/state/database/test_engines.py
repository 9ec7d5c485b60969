from __future__ import annotations

from pathlib import Path

import pytest

from smallhold.exceptions import ConfigError
from smallhold.state import Database, Durability
from smallhold.state.database.engines import address_of


@pytest.mark.parametrize("place", ["kiosk.db", Path("kiosk.db"), "sqlite:///kiosk.db"])
def test_a_path_or_its_url_is_a_file_of_sqlite(place: str | Path) -> None:
    address = address_of(place)
    assert address.is_sqlite
    assert address.path == Path("kiosk.db")


def test_a_database_in_memory_has_no_file() -> None:
    assert address_of("sqlite://").path is None


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+asyncpg"])
def test_postgresql_is_reached_by_its_async_driver(scheme: str) -> None:
    address = address_of(f"{scheme}://anna:secret@db/shop")
    assert address.url.drivername == "postgresql+asyncpg"
    assert not address.is_sqlite


def test_a_password_is_in_no_name() -> None:
    assert "secret" not in address_of("postgresql://anna:secret@db/shop").name


@pytest.mark.parametrize("place", ["", "  ", "a\0b", "mysql://db/shop", "://", "http://db/shop"])
def test_any_other_place_is_refused(place: str) -> None:
    with pytest.raises(ConfigError, match="database"):
        address_of(place)


def test_the_error_about_another_database_shows_no_password() -> None:
    with pytest.raises(ConfigError) as caught:
        address_of("mysql://anna:secret@db/shop")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("durability", "level"), [(Durability.POWER_LOSS, 2), (Durability.PROCESS_CRASH, 1)]
)
async def test_sqlite_synchronises_as_often_as_the_durability_says(
    tmp_path: Path, durability: Durability, level: int
) -> None:
    database = Database(tmp_path / "state.db", durability=durability)
    settings: dict[str, object] = {}
    async with database.tenant().writing() as rows:
        for name in ("synchronous", "journal_mode", "foreign_keys", "secure_delete", "temp_store"):
            found = await rows.connection.exec_driver_sql(f"PRAGMA {name}")
            settings[name] = found.scalar_one()
    # Level 2 is FULL, 1 is NORMAL; store 2 is memory.
    assert settings == {
        "synchronous": level,
        "journal_mode": "wal",
        "foreign_keys": 1,
        "secure_delete": 1,
        "temp_store": 2,
    }
    await database.aclose()
