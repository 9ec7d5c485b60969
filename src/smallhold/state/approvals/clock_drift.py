"""A clock that is set: this file holds the notice of jumps of the time of day."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

NOTED_DRIFT_S: Final = 60.0
"""Less is how clocks are corrected in small steps, and decides no request that people answer."""


class ClockDrift:
    """Compares a clock with one that never jumps, since this was made."""

    def __init__(self, *, clock: Callable[[], float], monotonic: Callable[[], float]) -> None:
        self._clock = clock
        self._monotonic = monotonic
        self._start_s = clock()
        self._monotonic_start_s = monotonic()

    def drift_s(self) -> float:
        """Tell by how many seconds the clock ran ahead, below 0 when it fell behind."""
        gone_s = self._clock() - self._start_s
        return gone_s - (self._monotonic() - self._monotonic_start_s)

    def note(self) -> str | None:
        """Say what is odd about the clock; `None` if nothing is."""
        drift_s = self.drift_s()
        if abs(drift_s) < NOTED_DRIFT_S:
            return None
        if drift_s > 0:
            return (
                f"the clock ran {drift_s:,.0f} s ahead of this process: "
                "it was set forward, or the machine slept"
            )
        return f"the clock was set back by {-drift_s:,.0f} s while this process ran"
