"""What a finished write survives: this file holds the levels of durability."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Durability(StrEnum):
    """What everything that was written survives once the write has returned."""

    POWER_LOSS = "power_loss"
    """The plug is pulled: every commit is synchronised to the disk."""
    PROCESS_CRASH = "process_crash"
    """The process is killed. After a power loss the latest commits may be missing, and the
    database is sound; a commit costs about a tenth."""


SQLITE_SYNCHRONOUS: Final = {
    Durability.POWER_LOSS: "FULL",
    Durability.PROCESS_CRASH: "NORMAL",
}
"""Source: SQLite documentation, `PRAGMA synchronous`: in WAL mode NORMAL keeps the database sound
but "might lose durability across a power loss"; FULL synchronises the WAL after each commit."""
POSTGRESQL_SYNCHRONOUS: Final = {
    Durability.POWER_LOSS: "on",
    Durability.PROCESS_CRASH: "off",
}
"""Source: PostgreSQL documentation, `synchronous_commit`."""
