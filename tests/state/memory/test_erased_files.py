from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from random import Random

import pytest
from anyio import to_thread

from smallhold.state import State
from smallhold.state.memory import FileErasure, Tombstone, erase_in_file, tombstones_in_file
from smallhold.state.memory.erased_files import rewrite_file, tombstone_key, truncate_log


async def subjects(file: Path) -> tuple[str, ...]:
    state = State(file)
    found = await state.memory.subjects()
    await state.aclose()
    return found


@pytest.fixture
async def file(tmp_path: Path) -> Path:
    """A database that knows of two subjects, and of Zaphod no longer."""
    file = tmp_path / "state.db"
    state = State(file)
    for subject in ("Zaphod", "Trillian"):
        for number in range(30):
            await state.memory.remember_also(subject, "words", f"{subject} says {number}")
    await state.aclose()
    return file


@pytest.fixture
async def copy(file: Path, tmp_path: Path) -> Path:
    """A copy from before Zaphod was erased; `file` is without him."""
    copy = tmp_path / "copy.db"
    shutil.copyfile(file, copy)
    state = State(file)
    await state.memory.erase("Zaphod")
    await state.aclose()
    return copy


async def test_a_tombstone_erases_the_subject_from_an_older_copy(file: Path, copy: Path) -> None:
    tombstones = tombstones_in_file(file)
    assert erase_in_file(copy, tombstones) == FileErasure(facts=30, is_changed=True)
    content = await to_thread.run_sync(copy.read_bytes)
    assert b"Zaphod" not in content
    assert b"Trillian" in content
    assert await subjects(copy) == ("Trillian",)
    assert tombstones_in_file(copy) == tombstones


@pytest.mark.usefixtures("copy")
async def test_a_tombstone_that_a_file_has_is_not_carried_out_again(file: Path) -> None:
    # Whoever comes back after having been erased may be remembered anew, and backed up.
    state = State(file)
    await state.memory.remember("Zaphod", "drink", "tea")
    await state.aclose()
    assert erase_in_file(file, tombstones_in_file(file)) == FileErasure(facts=0, is_changed=False)
    assert await subjects(file) == ("Trillian", "Zaphod")


@pytest.mark.usefixtures("copy")
async def test_a_subject_erased_twice_leaves_the_later_tombstone(file: Path) -> None:
    (first,) = tombstones_in_file(file)
    state = State(file)
    await state.memory.remember("Zaphod", "drink", "tea")
    await state.aclose()
    later = Tombstone(tenant=first.tenant, key=first.key, created_s=first.created_s + 5)
    assert erase_in_file(file, [later]).facts == 1
    assert tombstones_in_file(file) == (later,)


def test_a_tombstone_does_not_hold_the_keyed_hash_that_rows_are_found_by() -> None:
    key = "0123456789abcdef" * 2
    assert tombstone_key(key) != key
    assert len(tombstone_key(key)) == len(key)


def test_a_database_without_memory_has_nothing_to_erase(tmp_path: Path) -> None:
    file = tmp_path / "other.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE things (id)")
    tombstone = Tombstone(tenant="default", key="k" * 32, created_s=1.0)
    assert tombstones_in_file(file) == ()
    assert not erase_in_file(file, [tombstone]).is_changed


@pytest.mark.parametrize("content", [b"no database at all" * 100, None])
def test_a_file_that_is_no_database_is_refused_and_none_is_made(
    tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "no.db"
    if content is not None:
        file.write_bytes(content)
    tombstone = Tombstone(tenant="default", key="k" * 32, created_s=1.0)
    with pytest.raises(sqlite3.Error):
        erase_in_file(file, [tombstone])
    assert file.exists() is (content is not None)


def test_overwriting_alone_leaves_copies_and_writing_anew_leaves_none(tmp_path: Path) -> None:
    # What the docstring of the module says of SQLite. If this fails, `VACUUM` may not be needed.
    file = tmp_path / "pages.db"
    draw = Random(0)  # noqa: S311 - the same rows in every run
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA secure_delete=ON")
    connection.execute("CREATE TABLE facts (id TEXT PRIMARY KEY, who TEXT, payload BLOB)")
    connection.execute("CREATE INDEX of_whom ON facts (who, id)")
    connection.execute("BEGIN")
    for number in range(5000):
        who = "CANARY" if draw.random() < 0.1 else f"other{draw.randrange(20)}"
        row = (f"{draw.getrandbits(128):032x}", who, who.encode() * draw.randrange(1, 60))
        connection.execute("INSERT INTO facts VALUES (?, ?, ?)", row)
        longer = (bytes(draw.randrange(1, 900)), draw.randrange(1, number + 2))
        connection.execute("UPDATE facts SET payload = ? WHERE rowid = ?", longer)
    connection.execute("COMMIT")
    connection.execute("DELETE FROM facts WHERE who = 'CANARY'")
    connection.close()
    assert b"CANARY" in file.read_bytes()
    assert rewrite_file(file)
    assert b"CANARY" not in file.read_bytes()


async def test_a_log_that_somebody_reads_cannot_be_cut_off(file: Path) -> None:
    with (
        closing(sqlite3.connect(file, isolation_level=None)) as reader,
        closing(sqlite3.connect(file, isolation_level=None, timeout=0.1)) as writer,
    ):
        writer.execute("UPDATE facts SET created_s = 1")
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM facts").fetchone()
        writer.execute("UPDATE facts SET created_s = 2")
        assert not truncate_log(writer)
        reader.execute("ROLLBACK")
        assert truncate_log(writer)
