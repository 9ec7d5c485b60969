"""What erasing a subject achieved: this file holds the report."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from smallhold.messages import JsonObject


class Place(StrEnum):
    """Where something of a subject may lie."""

    DATABASE = "database"
    """The rows with their history, vectors and keyed hashes, and the pages that held them."""
    LOG = "log"
    """The database's write-ahead log."""
    BACKUP = "backup"
    PROCESS = "process"
    """Indexes in the memory of this process."""
    SESSION = "session"


class Outcome(StrEnum):
    """What was done at a place."""

    ERASED = "erased"
    """Removed, and the bytes that held it were overwritten or cut off."""
    NOTHING = "nothing"
    """There was nothing of the subject."""
    COVERED = "covered"
    """Out of reach; a tombstone makes sure that a restore does not bring it back."""
    LEFT = "left"
    """It could not be removed; the detail says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceReport:
    """What was done at one place."""

    place: Place
    name: str
    """Which one: a path, an address, an id."""
    outcome: Outcome
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureReport:
    """What was removed of a subject, where, and what could not be reached."""

    facts: int
    """Rows that were removed, history included."""
    vectors: int
    erased_s: float
    """Unix time."""
    places: tuple[PlaceReport, ...]

    @property
    def is_complete(self) -> bool:
        """Whether no place is known that still holds something; see `unreached` for those."""
        return not self.unreached

    @property
    def unreached(self) -> tuple[PlaceReport, ...]:
        """The places that may still hold something, each with what to do about it."""
        outcomes = {Outcome.COVERED, Outcome.LEFT}
        return tuple(report for report in self.places if report.outcome in outcomes)

    def to_dict(self) -> JsonObject:
        """Give the report as JSON."""
        return {
            "facts": self.facts,
            "vectors": self.vectors,
            "erased_s": self.erased_s,
            "is_complete": self.is_complete,
            "places": [
                {
                    "place": report.place.value,
                    "name": report.name,
                    "outcome": report.outcome.value,
                    "detail": report.detail,
                }
                for report in self.places
            ],
        }
