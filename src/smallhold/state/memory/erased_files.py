"""Erasing inside a given SQLite file: this file holds it, for databases and their backups.

Overwriting what is deleted is not enough: when a page of SQLite's trees is split, copies of moved
rows stay in its unused part: up to 45 of 500 rows in 5,000 (SQLite 3.40, `secure_delete=ON`). Only
writing the whole file anew (`VACUUM`) leaves none.

Nothing here reads a file's bytes by itself. Closing a database's file would drop the locks that
SQLite holds on it for the whole process. Source: SQLite documentation, "How To Corrupt An SQLite
Database File", section 2.2.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Generator, Iterable, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

KIND: Final = "memory"
"""Kind of the tombstones of subjects."""
BUSY_WAIT_S: Final = 10.0
_KEY_CHARS: Final = 32
_VACUUM_IN_MEMORY_BYTES: Final = 64 * 1024 * 1024
"""Smaller databases are written anew in memory, larger ones by way of a temporary file."""
_TABLES: Final = ("facts", "subjects")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tombstone:
    """A subject was erased, and must not come back from a backup."""

    tenant: str
    key: str
    """What `tombstone_key` gave; tells nobody who it was."""
    created_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FileErasure:
    """What was done to a file."""

    facts: int
    """Rows of facts that were removed."""
    is_changed: bool
    """Whether the file is another one than before."""


def tombstone_key(subject_key: str) -> str:
    """Hash a subject's keyed hash once more, so that not even that is left behind."""
    return hashlib.sha256(f"tombstone\0{subject_key}".encode()).hexdigest()[:_KEY_CHARS]


def tombstones_in_file(path: Path) -> tuple[Tombstone, ...]:
    """List the tombstones of a SQLite database, for `erase_in_file` on an older copy of it.

    Raises:
        sqlite3.Error: The file is no database, or cannot be read.
    """
    with _open(path) as connection:
        return tuple(_tombstones(connection))


def erase_in_file(
    path: Path, tombstones: Iterable[Tombstone], *, wait_s: float = BUSY_WAIT_S
) -> FileErasure:
    """Remove subjects from a SQLite file for good: a backup, or a database just restored.

    Tombstones that the file already holds are taken as done. The file needs no keys: subjects are
    found by their keyed hashes, which are the same in all copies of a database.

    Args:
        path: The file; it is changed in place, each step as a whole or not at all.
        tombstones: Whom to remove.
        wait_s: The most seconds to wait for other processes.

    Raises:
        sqlite3.Error: The file is no database, is locked, or the disk is full. What was not
            finished can be tried again.
    """
    with _open(path, wait_s=wait_s) as connection:
        known = set(_tombstones(connection))
        fresh = [tombstone for tombstone in tombstones if tombstone not in known]
        if not fresh or not _tables(connection).issuperset(_TABLES):
            return FileErasure(facts=0, is_changed=False)
        removed = _delete(connection, fresh)
        write_anew(connection)
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(
            "INSERT OR REPLACE INTO tombstones (tenant, kind, key, created_s) VALUES (?, ?, ?, ?)",
            [(one.tenant, KIND, one.key, one.created_s) for one in fresh],
        )
        connection.execute("COMMIT")
        truncate_log(connection)
    return FileErasure(facts=removed, is_changed=True)


def rewrite_file(path: Path, *, wait_s: float = BUSY_WAIT_S) -> bool:
    """Write a database's file anew, so that no deleted byte is left, and cut off its log.

    Args:
        path: The file.
        wait_s: The most seconds to wait for other processes.

    Returns:
        Whether the log could be cut off; it cannot while another process reads.

    Raises:
        sqlite3.Error: The file is locked or the disk is full; it is then as it was.
    """
    with _open(path, wait_s=wait_s) as connection:
        write_anew(connection)
        return truncate_log(connection)


def write_anew(connection: sqlite3.Connection) -> None:
    """Write the whole database anew. Raises `sqlite3.Error`."""
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    page_bytes = connection.execute("PRAGMA page_size").fetchone()[0]
    is_small = pages * page_bytes <= _VACUUM_IN_MEMORY_BYTES
    connection.execute(f"PRAGMA temp_store={'MEMORY' if is_small else 'FILE'}")
    connection.execute("VACUUM")


def truncate_log(connection: sqlite3.Connection) -> bool:
    """Move a database's write-ahead log into its file and cut it off; tell whether that was done.

    Where there is no such log, there is nothing to do.
    """
    blocked, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not blocked


def _delete(connection: sqlite3.Connection, tombstones: Sequence[Tombstone]) -> int:
    wanted = {(tombstone.tenant, tombstone.key) for tombstone in tombstones}
    connection.execute("BEGIN IMMEDIATE")
    rows = connection.execute(
        "SELECT tenant, subject_key FROM subjects UNION SELECT tenant, subject_key FROM facts"
    )
    erased = [row for row in rows.fetchall() if (row[0], tombstone_key(row[1])) in wanted]
    removed = 0
    for row in erased:
        found = connection.execute("DELETE FROM facts WHERE tenant = ? AND subject_key = ?", row)
        removed += found.rowcount
        connection.execute("DELETE FROM subjects WHERE tenant = ? AND subject_key = ?", row)
    connection.execute("COMMIT")
    return removed


def _tombstones(connection: sqlite3.Connection) -> Generator[Tombstone]:
    if "tombstones" not in _tables(connection):
        return
    for tenant, key, created_s in connection.execute(
        "SELECT tenant, key, created_s FROM tombstones WHERE kind = ?", (KIND,)
    ):
        yield Tombstone(tenant=tenant, key=key, created_s=created_s)


def _tables(connection: sqlite3.Connection) -> set[str]:
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return {name for (name,) in rows}


@contextmanager
def _open(path: Path, *, wait_s: float = BUSY_WAIT_S) -> Generator[sqlite3.Connection]:
    # A misspelt path would otherwise become an empty database.
    uri = f"{path.absolute().as_uri()}?mode=rw"
    with closing(
        sqlite3.connect(uri, uri=True, timeout=wait_s, isolation_level=None)
    ) as connection:
        connection.execute("PRAGMA secure_delete=ON")
        yield connection
