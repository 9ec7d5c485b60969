"""Errors of what is stored: this file holds them."""

from __future__ import annotations

from collections.abc import Sequence

from smallhold.exceptions.root import SmallholdError


class StateError(SmallholdError):
    """What is stored, or where it is stored, must be mended."""


class WrongKeyError(StateError):
    """A stored value cannot be opened with the keys at hand."""

    def __init__(self, *, key_id: str, known: Sequence[str]) -> None:
        self.key_id = key_id
        self.known = tuple(known)
        listing = ", ".join(known) or "none"
        super().__init__(
            f"What is stored was sealed with the key {key_id!r}; the keys given here ({listing}) "
            "do not open it. Give that key, with its own bytes, in SMALLHOLD_STATE_KEY or `keys=`."
        )


class DamagedRecordError(StateError):
    """A stored value is not what was written."""

    def __init__(self, *, record: str, problem: str) -> None:
        self.record = record
        self.problem = problem
        super().__init__(
            f"The stored record {record} is damaged: {problem}. "
            "Run `smallhold state check`, then `smallhold state repair` or `restore`."
        )


class NewerFormatError(StateError):
    """Something was stored by a newer version of Smallhold."""

    def __init__(self, *, what: str, found: str, supported: str) -> None:
        self.what = what
        self.found = found
        self.supported = supported
        super().__init__(
            f"{what} was written by a newer version of Smallhold (format {found}; this version "
            f"reads {supported}). Update Smallhold; nothing was changed."
        )


class DatabaseError(StateError):
    """The database cannot be used."""

    def __init__(self, *, database: str, problem: str, remedy: str) -> None:
        self.database = database
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"The database {database} cannot be used: {problem}. {remedy}")


class DatabaseDamagedError(DatabaseError):
    """The database's file itself is damaged."""

    def __init__(self, *, database: str, problem: str) -> None:
        super().__init__(
            database=database,
            problem=f"its file is damaged ({problem})",
            remedy="Run `smallhold state check`, then `smallhold state repair` or `restore`.",
        )


class DatabaseFullError(DatabaseError):
    """There is no room for what should be stored; nothing of that step was stored."""

    def __init__(self, *, database: str) -> None:
        super().__init__(
            database=database,
            problem="the disk is full",
            remedy="Free some space; what was stored before is safe, and runs can be resumed.",
        )


class DatabaseBusyError(DatabaseError):
    """Another process writes for longer than this one may wait."""

    def __init__(self, *, database: str, waited_s: float) -> None:
        self.waited_s = waited_s
        super().__init__(
            database=database,
            problem=f"another process has been writing to it for {waited_s:g} s",
            remedy="Try again, or look for a process that holds it open.",
        )


class CrossTenantError(StateError):
    """A statement cannot be held to one tenant's rows, so it was not run."""

    def __init__(self, *, problem: str) -> None:
        self.problem = problem
        super().__init__(
            f"The statement was not run: {problem}. Write it with SQLAlchemy Core over the tables "
            "in `smallhold.state.tables`; the connection adds the tenant by itself."
        )
