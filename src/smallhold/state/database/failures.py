"""What a database's errors mean: this file holds their translation into ours."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import DatabaseError as AnyDatabaseError
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError

from smallhold.exceptions import (
    DatabaseBusyError,
    DatabaseDamagedError,
    DatabaseError,
    DatabaseFullError,
)

BUSY_TIMEOUT_S: Final = 10.0
"""How long a write waits for another process's. A transaction of ours takes milliseconds, so
whoever waits this long waits for something that hangs."""
_FULL: Final = ("database or disk is full", "diskfull", "no space left")
_BUSY: Final = ("database is locked", "database table is locked", "locknotavailable")
_DAMAGED: Final = (
    "malformed",
    "file is not a database",
    "file is encrypted",
    "datacorrupted",
    "indexcorrupted",
)


@contextmanager
def translated(database: str) -> Generator[None]:
    """Raise our errors for a database's; a broken constraint stays SQLAlchemy's `IntegrityError`.

    Args:
        database: The database's name for messages, without any password.
    """
    try:
        yield
    except IntegrityError:
        raise
    except (DBAPIError, sqlite3.Error, OSError) as error:
        raise meaning(error, database) from error


def meaning(error: DBAPIError | sqlite3.Error | OSError, database: str) -> DatabaseError:
    """Find the error of ours that says what happened.

    Args:
        error: SQLAlchemy's, the driver's own where it was spoken to directly, or the system's.
        database: The database's name for messages.
    """
    text = str(error.orig if isinstance(error, DBAPIError) else error)
    kind = type(error.orig).__name__ if isinstance(error, DBAPIError) else type(error).__name__
    searched = f"{kind} {text}".casefold()
    if any(word in searched for word in _FULL):
        return DatabaseFullError(database=database)
    if any(word in searched for word in _BUSY):
        return DatabaseBusyError(database=database, waited_s=BUSY_TIMEOUT_S)
    is_database = isinstance(error, AnyDatabaseError | InterfaceError | sqlite3.DatabaseError)
    if is_database and any(word in searched for word in _DAMAGED):
        return DatabaseDamagedError(database=database, problem=text)
    return DatabaseError(
        database=database,
        problem=text.split("\n", maxsplit=1)[0],
        remedy="Check that its folder or server can be reached and written.",
    )
