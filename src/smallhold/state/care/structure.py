"""The structure of a SQLite file: this file holds how it is checked, below all tables.

It works on the file and needs no keys. Bytes are only read through SQLite: closing a database's
file oneself would drop the locks that SQLite holds on it for the whole process. Source: SQLite
documentation, "How To Corrupt An SQLite Database File", section 2.2.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy.exc import DatabaseError as AnyDatabaseError

from smallhold.exceptions import ConfigError, DatabaseBusyError, DatabaseDamagedError
from smallhold.state.database.failures import BUSY_TIMEOUT_S, meaning

PROBLEMS_LIMIT: Final = 100
"""How many problems SQLite lists at most; that is its own default."""
_OWN_TABLES: Final = frozenset({"alembic_version", "store_info"})
"""What every database of Smallhold has."""


@contextmanager
def opened_file(path: Path, *, wait_s: float = BUSY_TIMEOUT_S) -> Generator[sqlite3.Connection]:
    """Open a SQLite file that exists, by itself.

    Raises:
        ConfigError: There is no such file.
        DatabaseError: SQLite cannot do what was asked in the block; the error says why.
    """
    if not path.is_file():
        raise ConfigError(
            field="database", value=str(path), remedy="name a file that exists; this one does not"
        )
    # A misspelt path would otherwise become an empty database.
    uri = f"{path.absolute().as_uri()}?mode=rw"
    with (
        file_errors(path),
        closing(sqlite3.connect(uri, uri=True, timeout=wait_s, isolation_level=None)) as connection,
    ):
        yield connection


@contextmanager
def file_errors(path: Path) -> Generator[None]:
    """Raise our errors for SQLite's own.

    Raises:
        DatabaseError: Says what happened to the file.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise meaning(AnyDatabaseError("", None, error), str(path)) from error
    except OSError as error:
        raise meaning(error, str(path)) from error


def structural_problems(path: Path) -> tuple[str, ...]:
    """Let SQLite look at every page of a file.

    Returns:
        What is broken, in SQLite's words; empty when nothing is.

    Raises:
        ConfigError: There is no such file.
        DatabaseError: The file cannot be read at all.
    """
    try:
        with opened_file(path) as connection:
            rows = connection.execute(f"PRAGMA integrity_check({PROBLEMS_LIMIT})").fetchall()
    except DatabaseDamagedError as error:
        return (error.problem,)
    lines = [str(row[0]) for row in rows]
    return () if lines == ["ok"] else tuple(lines)


def refuse_damage(path: Path) -> None:
    """Raise `DatabaseDamagedError` for a file whose structure is broken."""
    problems = structural_problems(path)
    if problems:
        raise DatabaseDamagedError(database=str(path), problem=problems[0])


def is_ours(path: Path) -> bool:
    """Tell whether a file is a database of Smallhold. Raises as `opened_file` does."""
    with opened_file(path) as connection:
        rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        return _OWN_TABLES.issubset({name for (name,) in rows})


def leave_log(path: Path) -> None:
    """Move a database's write-ahead log into its file, and make it one file.

    SQLite does so only for the last connection, so that it also tells whether others are there.

    Raises:
        DatabaseBusyError: A process has the database open.
        DatabaseError: The file cannot be read.
    """
    with opened_file(path, wait_s=1.0) as connection:
        mode = connection.execute("PRAGMA journal_mode=DELETE").fetchone()[0]
    if mode != "delete":
        raise DatabaseBusyError(database=str(path), waited_s=1.0)
