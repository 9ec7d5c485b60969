"""What an agent remembers of somebody or something: this file holds facts with their provenance."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

SUBJECT_MAX_CHARS: Final = 200
ATTRIBUTE_MAX_CHARS: Final = 80
VALUE_MAX_CHARS: Final = 2000
"""A longer text is a document, which belongs into knowledge."""
QUOTE_MAX_CHARS: Final = 500


class Author(StrEnum):
    """Who wrote a fact down."""

    AGENT = "agent"
    """A model, from what was said to it."""
    PERSON = "person"
    """A person or a program of theirs, by hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where a fact is from."""

    author: Author = Author.PERSON
    name: str | None = None
    """The agent's or the person's name."""
    session: str | None = None
    run: str | None = None
    entry: int | None = None
    """Number of the session's entry that says it."""
    quote: str = ""
    """The words it was taken from, as they were said; at most `QUOTE_MAX_CHARS` are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """A fact was stated once more."""

    provenance: Provenance
    confidence_ratio: float
    """How sure that statement was by itself, 0 to 1."""
    at_s: float
    """Unix time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One thing that is remembered of a subject, or that was until something else was said."""

    id: str
    subject: str
    """Whom or what it is about, such as `customer-42`."""
    attribute: str
    """What of the subject, such as `favourite drink`."""
    value: str
    confidence_ratio: float
    """How sure it is, 0 to 1; grows when it is stated again."""
    provenance: Provenance
    """Who stated it first."""
    position: int
    """Its place among all facts of the subject, in the order in which they were stated. Clocks
    jump, positions do not."""
    created_s: float
    """Unix time when it was stated first."""
    is_list: bool = False
    """Whether the attribute may have several values at once, of which this is one."""
    expires_s: float | None = None
    """Unix time from which it is no longer recalled; `None` is never."""
    confirmations: tuple[Confirmation, ...] = ()
    """Later statements of the same, oldest first; the newest `CONFIRMATIONS_KEPT` of them."""
    superseded_s: float | None = None
    """Unix time when another value took its place; `None` while it holds."""
    superseded_by: str | None = None
    """Id of the fact that took its place; `None` as well where that was forgotten."""

    @property
    def is_current(self) -> bool:
        """Whether nothing took its place; it may have expired nevertheless."""
        return self.superseded_s is None

    def is_expired(self, now_s: float) -> bool:
        """Tell whether its time was over at a Unix time."""
        return self.expires_s is not None and now_s >= self.expires_s

    @property
    def line(self) -> str:
        """The fact as a model reads it: `attribute: value` on one line."""
        return " ".join(f"{self.attribute.replace('_', ' ')}: {self.value}".split())


CONFIRMATIONS_KEPT: Final = 8
"""Enough to see where a fact is from; each would lengthen its row for ever."""
