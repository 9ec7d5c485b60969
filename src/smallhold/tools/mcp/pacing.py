"""How often something may happen: this file holds the pauses before reconnecting, and flood limits.

The clock is passed in, so both are functions of what they are given.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

FIRST_PAUSE_S: Final = 0.25
LONGEST_PAUSE_S: Final = 30.0
"""A server that cannot start costs a process every half a minute then."""
STEADY_S: Final = 60.0
"""A connection that held for so long was sound; what ends it is a new trouble."""
FLOOD_BURST: Final = 2_000
"""Messages that nobody asked for, at once: more than a server with a thousand resources sends when
all of them change."""
FLOOD_PER_S: Final = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pauses:
    """How long to wait before the next attempt to connect."""

    failures: int = 0
    """Attempts and short connections in a row that ended badly."""
    not_before_s: float = 0.0
    """On the clock of the caller."""

    def wait_s(self, *, now_s: float) -> float:
        """Seconds until the next attempt; 0 at the first."""
        return max(0.0, self.not_before_s - now_s)

    def failed(self, *, now_s: float, held_s: float = 0.0) -> Pauses:
        """Count an attempt that failed, or a connection that ended after `held_s` seconds."""
        failures = 1 if held_s >= STEADY_S else self.failures + 1
        pause_s = 0.0 if failures == 1 and held_s > 0 else pause_after(failures)
        return Pauses(failures=failures, not_before_s=now_s + pause_s)


def pause_after(failures: int) -> float:
    """Seconds to wait after so many failures in a row, doubling up to `LONGEST_PAUSE_S`."""
    exponent = min(max(failures, 1) - 1, 16)
    return min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2**exponent)


@dataclass(slots=True, kw_only=True)
class FloodGauge:
    """Counts messages that nobody asked for; a level that drains with time ("leaky bucket").

    Source: Turner 1986, "New Directions in Communications".
    """

    level: float = 0.0
    at_s: float = 0.0

    def is_flood(self, *, now_s: float) -> bool:
        """Count one message, and tell whether it is one too many."""
        self.level = max(0.0, self.level - FLOOD_PER_S * (now_s - self.at_s)) + 1.0
        self.at_s = now_s
        return self.level > FLOOD_BURST
