"""How to fetch over HTTP: this file holds the settings of transfers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from smallhold.models.sources.pacing import Pacer

STALL_S: Final = 30.0
"""Without a new byte for so long, the connection counts as dead."""
CONNECTIONS: Final = 4
"""How many pieces are fetched at once, where the server allows."""
MAX_CONNECTIONS: Final = 16
BACKOFF_S: Final = 1.0
"""Pause after the first fruitless attempt; doubled after each further one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferSettings:
    """How to fetch."""

    connections: int = CONNECTIONS
    """At most so many requests at once, 1 to `MAX_CONNECTIONS`."""
    pacer: Pacer = field(default_factory=lambda: Pacer(limit_bytes_s=None))
    """Shared by all transfers that one limit holds for."""
    stall_s: float = STALL_S
    backoff_s: float = BACKOFF_S
