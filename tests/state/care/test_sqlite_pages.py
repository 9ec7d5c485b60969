from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from smallhold.state.care.sqlite_pages import PageFile
from smallhold.state.care.sqlite_records import page_records


def rows_in(path: Path) -> set[str]:
    found: set[str] = set()
    with PageFile(path) as file:
        for number, page in file.pages():
            for _, record in page_records(
                page, number=number, usable_bytes=file.usable_bytes, page_of=file.page
            ):
                match record:
                    case (str() as text, 1):
                        found.add(text)
                    case _:
                        pass
    return found


def write(connection: sqlite3.Connection, *texts: str) -> None:
    connection.executemany("INSERT INTO t VALUES (?, 1)", [(text,) for text in texts])
    connection.commit()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A database with rows in its file and in its log, as a power cut leaves it."""
    path = tmp_path / "a.db"
    connection = sqlite3.connect(path)
    with closing(connection):
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE t (a TEXT, b INTEGER)")
        write(connection, "in the file")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        write(connection, "in the log")
        write(connection, "last in the log")
        for ending in ("", "-wal"):
            shutil.copy(f"{path}{ending}", tmp_path / f"copy.db{ending}")
    return tmp_path / "copy.db"


def test_rows_of_the_log_count_as_well(copy: Path) -> None:
    assert rows_in(copy) == {"in the file", "in the log", "last in the log"}


def test_without_its_log_the_file_is_read_alone(copy: Path) -> None:
    copy.with_name("copy.db-wal").unlink()
    assert rows_in(copy) == {"in the file"}


def test_a_log_is_read_up_to_the_last_transaction_that_is_whole(copy: Path) -> None:
    log = copy.with_name("copy.db-wal")
    log.write_bytes(log.read_bytes()[:-100])
    assert rows_in(copy) == {"in the file", "in the log"}
    content = bytearray(log.read_bytes())
    content[200] ^= 1
    log.write_bytes(content)
    assert rows_in(copy) == {"in the file"}


@pytest.mark.parametrize("log", [b"", b"short", b"\xa5" * 5_000])
def test_a_log_that_is_none_is_passed_over(copy: Path, log: bytes) -> None:
    copy.with_name("copy.db-wal").write_bytes(log)
    assert rows_in(copy) == {"in the file"}


def test_a_file_with_a_lost_head_is_read_with_the_usual_page_size(copy: Path) -> None:
    content = bytearray(copy.read_bytes())
    content[:4096] = bytes(4096)
    copy.write_bytes(content)
    assert rows_in(copy) == {"in the file", "in the log", "last in the log"}


@pytest.mark.parametrize("page_bytes", [512, 8192, 65536])
def test_pages_of_any_size_are_read(tmp_path: Path, page_bytes: int) -> None:
    with closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        connection.execute(f"PRAGMA page_size={page_bytes}")
        connection.execute("CREATE TABLE t (a TEXT, b INTEGER)")
        write(connection, *(f"row {number}" for number in range(500)))
    assert len(rows_in(tmp_path / "a.db")) == 500


def test_a_page_that_is_not_there_is_none(copy: Path) -> None:
    with PageFile(copy) as file:
        assert file.page(0) is None
        assert file.page(10_000) is None
        assert file.page(2**31) is None


def test_an_empty_file_has_no_pages(tmp_path: Path) -> None:
    path = tmp_path / "empty.db"
    path.touch()
    with PageFile(path) as file:
        assert list(file.pages()) == []
