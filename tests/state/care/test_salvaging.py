from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from functools import partial
from pathlib import Path

import anyio
import pytest
from tests.state.care.filling import fill
from tests.state.conftest import KEYS

from smallhold.exceptions import DatabaseError
from smallhold.security import KeyRing
from smallhold.state import State
from smallhold.state.care.salvaging import Salvage
from smallhold.state.care.sealed_columns import opens_as
from smallhold.state.database import Sealer
from smallhold.state.tables import METADATA


@pytest.fixture(params=[None, KEYS], ids=["plain", "encrypted"])
def keys(request: pytest.FixtureRequest) -> KeyRing | None:
    return request.param


@pytest.fixture
def file(tmp_path: Path, keys: KeyRing | None) -> Path:
    async def make() -> None:
        state = State(tmp_path / "state.db", keys=keys)
        await fill(state, sessions=60)
        await state.aclose()

    anyio.run(make)
    return tmp_path / "state.db"


def salvaged(file: Path, keys: KeyRing | None) -> Counter[str]:
    salvage = Salvage(path=file, is_sealed=partial(opens_as, Sealer(keys=keys)))
    return Counter(table.name for table, _ in salvage.rows())


def stored(file: Path) -> Counter[str]:
    with closing(sqlite3.connect(file)) as connection:
        return Counter({
            table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - ours
            for table in METADATA.tables
        })


def test_of_a_sound_file_every_row_is_read_once(file: Path, keys: KeyRing | None) -> None:
    assert +salvaged(file, keys) == +stored(file)


def test_each_row_is_read_as_it_is(file: Path, keys: KeyRing | None) -> None:
    salvage = Salvage(path=file, is_sealed=partial(opens_as, Sealer(keys=keys)))
    found = {table.name: row for table, row in salvage.rows()}
    with closing(sqlite3.connect(file)) as connection:
        connection.row_factory = sqlite3.Row
        for table in METADATA.sorted_tables:
            query = f"SELECT * FROM {table.name}"  # noqa: S608 - ours
            rows = [dict(row) for row in connection.execute(query)]
            assert (found[table.name] in rows) if rows else table.name not in found


def test_any_one_lost_page_costs_no_more_than_its_own_rows(
    file: Path, keys: KeyRing | None
) -> None:
    sound = file.read_bytes()
    everything = stored(file).total()
    for page in range(len(sound) // 4096):
        content = bytearray(sound)
        content[page * 4096 : (page + 1) * 4096] = bytes(4096)
        file.write_bytes(content)
        assert salvaged(file, keys).total() >= everything - 60


def test_of_a_file_that_was_cut_off_the_beginning_is_read(file: Path, keys: KeyRing | None) -> None:
    sound, everything = file.read_bytes(), stored(file).total()
    file.write_bytes(sound[: -4 * 4096])
    assert everything > salvaged(file, keys).total() >= everything - 4 * 60


def test_a_file_of_other_bytes_has_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    path.write_bytes(b"\xa5" * 100_000)
    assert salvaged(path, None).total() == 0


def test_a_damaged_file_of_another_version_is_refused(file: Path, keys: KeyRing | None) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
        connection.commit()
    with pytest.raises(DatabaseError, match="0001"):
        salvaged(file, keys)
