from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from smallhold.exceptions import ConfigError, DatabaseError
from smallhold.state.care.files import (
    check_new,
    copy_database,
    create_private,
    discard,
    keep,
    kept_path,
    partial_path,
    put_into_place,
    size_of,
)


def test_a_place_that_is_taken_or_has_no_folder_is_refused(tmp_path: Path) -> None:
    taken = tmp_path / "taken.db"
    taken.touch()
    with pytest.raises(ConfigError, match="does not exist"):
        check_new(taken, field="backup")
    with pytest.raises(ConfigError, match="create its folder"):
        check_new(tmp_path / "none" / "new.db", field="backup")
    check_new(tmp_path / "new.db", field="backup")


def test_what_is_kept_never_takes_the_place_of_what_was_kept_before(tmp_path: Path) -> None:
    names: set[str] = set()
    for _ in range(3):
        kept = kept_path(tmp_path / "state.db", why="damaged", now_s=0.0)
        kept.touch()
        names.add(kept.name)
    assert "state.db.damaged-19700101T000000Z" in names
    assert len(names) == 3


def test_an_unfinished_file_lies_beside_the_finished_one_and_is_another_each_time() -> None:
    path = Path("folder") / "state.db"
    one, other = (partial_path(path, purpose="backup") for _ in range(2))
    assert one != other
    assert one.parent == other.parent == path.absolute().parent


def test_a_copy_holds_what_is_still_in_the_log(tmp_path: Path) -> None:
    path, copy = tmp_path / "a.db", tmp_path / "b.db"
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("CREATE TABLE t (a TEXT)")
        writer.execute("INSERT INTO t VALUES ('in the log')")
        writer.commit()
        copy_database(path, copy)
    with closing(sqlite3.connect(copy)) as reader:
        assert reader.execute("SELECT a FROM t").fetchall() == [("in the log",)]
    assert copy.stat().st_mode & 0o777 == 0o600


def test_nothing_is_left_of_a_copy_that_failed(tmp_path: Path) -> None:
    path, copy = tmp_path / "a.db", tmp_path / "b.db"
    path.write_bytes(b"not a database at all, just text" * 200)
    with pytest.raises(DatabaseError):
        copy_database(path, copy)
    assert not copy.exists()


def test_a_finished_file_takes_its_place_and_the_old_one_can_be_kept(tmp_path: Path) -> None:
    path, fresh = tmp_path / "state.db", tmp_path / "fresh.db"
    path.write_text("old")
    (tmp_path / "state.db-wal").write_text("old log")
    create_private(fresh)
    fresh.write_text("new!")
    kept = tmp_path / "state.db.kept"
    keep(path, kept)
    put_into_place(fresh, path)
    assert (path.read_text(), size_of(path)) == ("new!", 4)
    assert kept.read_text() == "old"
    assert (tmp_path / "state.db.kept-wal").read_text() == "old log"


def test_discarding_takes_the_companions_along_and_may_be_repeated(tmp_path: Path) -> None:
    for ending in ("", "-wal", "-shm", "-journal"):
        (tmp_path / f"x.db{ending}").touch()
    discard(tmp_path / "x.db")
    discard(tmp_path / "x.db")
    assert not list(tmp_path.iterdir())
