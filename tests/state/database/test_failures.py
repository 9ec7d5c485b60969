from __future__ import annotations

import errno
import sqlite3

import pytest
from sqlalchemy.exc import DatabaseError as AnyDatabaseError
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from smallhold.exceptions import (
    DatabaseBusyError,
    DatabaseDamagedError,
    DatabaseError,
    DatabaseFullError,
)
from smallhold.state.database.failures import meaning, translated


def operational(message: str) -> OperationalError:
    return OperationalError("INSERT", {}, sqlite3.OperationalError(message))


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (operational("database or disk is full"), DatabaseFullError),
        (OSError(errno.ENOSPC, "No space left on device"), DatabaseFullError),
        (operational("database is locked"), DatabaseBusyError),
        (sqlite3.OperationalError("database is locked"), DatabaseBusyError),
        (sqlite3.DatabaseError("file is not a database"), DatabaseDamagedError),
        (operational("database disk image is malformed"), DatabaseDamagedError),
        (
            AnyDatabaseError("SELECT", {}, sqlite3.DatabaseError("file is not a database")),
            DatabaseDamagedError,
        ),
        (operational("unable to open database file"), DatabaseError),
        (ConnectionRefusedError("refused"), DatabaseError),
    ],
)
def test_an_error_is_told_by_its_meaning(
    error: DBAPIError | sqlite3.Error | OSError, kind: type[DatabaseError]
) -> None:
    found = meaning(error, "kiosk.db")
    assert type(found) is kind
    assert "kiosk.db" in str(found)


def test_the_cause_is_kept() -> None:
    error = operational("database is locked")
    with pytest.raises(DatabaseBusyError) as caught, translated("kiosk.db"):
        raise error
    assert caught.value.__cause__ is error


def test_a_broken_constraint_is_for_whoever_wrote_the_statement() -> None:
    with pytest.raises(IntegrityError), translated("kiosk.db"):
        raise IntegrityError("INSERT", {}, sqlite3.IntegrityError("UNIQUE constraint failed"))


def test_other_errors_pass() -> None:
    with pytest.raises(ZeroDivisionError), translated("kiosk.db"):
        raise ZeroDivisionError
