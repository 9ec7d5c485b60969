"""What is wrong with a database: this file holds the report of a check."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from smallhold.messages import JsonObject


class FindingKind(StrEnum):
    """What kind of damage was found."""

    FILE = "file"
    """The database's own structure is broken, such as overwritten pages."""
    PAYLOAD = "payload"
    """A stored value does not open, or is not what was written to its row."""
    KEY = "key"
    """A value was sealed with a key that is not at hand; it may well be sound."""
    GAP = "gap"
    """Steps of a session are missing."""
    ORPHAN = "orphan"
    """A row belongs to something that is not there."""
    ORDER = "order"
    """The outbox's note of what is due next is not what waits there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong."""

    kind: FindingKind
    problem: str
    table: str = ""
    row: str = ""
    """The row's key within its tenant, such as `kiosk-7/12` for the twelfth entry of a session."""
    tenant: str = ""
    session: str | None = None
    """The session that cannot be continued because of it."""
    column: str = ""
    """Which of the row's values, where it has several."""
    key: tuple[Any, ...] = ()
    """The row's primary key, tenant included."""

    def to_dict(self) -> JsonObject:
        """Give it as JSON."""
        return {
            "kind": self.kind.value,
            "problem": self.problem,
            "table": self.table,
            "row": self.row,
            "tenant": self.tenant,
            "session": self.session,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """What a check found."""

    database: str
    rows: int
    """Rows that were read."""
    values: int
    """Sealed values that were opened."""
    findings: tuple[Finding, ...] = ()

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    @property
    def damaged_sessions(self) -> tuple[tuple[str, str], ...]:
        """Tenant and id of each session that cannot be continued."""
        found = {(one.tenant, one.session) for one in self.findings if one.session is not None}
        return tuple(sorted(found))

    def to_dict(self) -> JsonObject:
        """Give the report as JSON."""
        return {
            "database": self.database,
            "is_sound": self.is_sound,
            "rows": self.rows,
            "values": self.values,
            "damaged_sessions": [list(pair) for pair in self.damaged_sessions],
            "findings": [finding.to_dict() for finding in self.findings],
        }
