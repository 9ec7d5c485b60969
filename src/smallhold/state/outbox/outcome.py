"""What came of an attempt to send: this file holds its values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The receiver has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """It did not work, and may work later."""

    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """It will never work."""

    error: str


Outcome: TypeAlias = Sent | Failed | Rejected


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReport:
    """What a delivery did."""

    sent: int = 0
    failed: int = 0
    """Attempts that will be repeated."""
    rejected: int = 0

    def with_one(self, outcome: Outcome) -> DeliveryReport:
        """Count one more attempt."""
        return DeliveryReport(
            sent=self.sent + isinstance(outcome, Sent),
            failed=self.failed + isinstance(outcome, Failed),
            rejected=self.rejected + isinstance(outcome, Rejected),
        )
