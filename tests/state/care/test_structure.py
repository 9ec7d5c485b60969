from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from smallhold.exceptions import (
    ConfigError,
    DatabaseBusyError,
    DatabaseDamagedError,
    DatabaseError,
)
from smallhold.state import State
from smallhold.state.care.structure import (
    file_errors,
    is_ours,
    leave_log,
    opened_file,
    refuse_damage,
    structural_problems,
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "some.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE t (a TEXT)")
        connection.executemany("INSERT INTO t VALUES (?)", [("x" * 500,) for _ in range(200)])
        connection.commit()
    return path


def test_a_sound_file_has_no_problems(file: Path) -> None:
    assert structural_problems(file) == ()
    refuse_damage(file)


def test_an_overwritten_page_is_a_problem(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[5 * 4096 : 6 * 4096] = bytes(4096)
    file.write_bytes(content)
    assert structural_problems(file)
    with pytest.raises(DatabaseDamagedError, match="state repair"):
        refuse_damage(file)


@pytest.mark.parametrize("kept_bytes", [50, 4096 + 7, 3 * 4096])
def test_a_file_that_was_cut_off_is_a_problem(file: Path, kept_bytes: int) -> None:
    file.write_bytes(file.read_bytes()[:kept_bytes])
    assert structural_problems(file)


def test_a_file_that_does_not_exist_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not"), opened_file(tmp_path / "none.db"):
        pass
    assert not list(tmp_path.iterdir())


def test_the_log_moves_into_the_file_when_nobody_else_is_there(file: Path) -> None:
    leave_log(file)
    assert [path.name for path in file.parent.iterdir()] == ["some.db"]


def test_whoever_has_the_file_open_is_noticed(file: Path) -> None:
    with closing(sqlite3.connect(file)) as other:
        other.execute("SELECT count(*) FROM t").fetchone()
        with pytest.raises(DatabaseBusyError):
            leave_log(file)
    leave_log(file)


async def test_only_a_database_of_smallhold_is_taken_for_one(file: Path, tmp_path: Path) -> None:
    assert not is_ours(file)
    state = State(tmp_path / "state.db")
    await state.database.open()
    await state.aclose()
    assert is_ours(tmp_path / "state.db")


def test_an_error_of_the_file_says_which_file(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match=r"lost\.db"), file_errors(tmp_path / "lost.db"):
        raise sqlite3.OperationalError
    with pytest.raises(DatabaseError, match=r"lost\.db"), file_errors(tmp_path / "lost.db"):
        raise PermissionError(13, "Permission denied")
