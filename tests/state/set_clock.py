"""A clock that can be set in both directions: this file holds it, for tests of jumping clocks."""

from __future__ import annotations


class SetClock:
    """Gives whatever time it was set to; `ManualClock` only goes forward."""

    def __init__(self, now_s: float = 1_700_000_000.0) -> None:
        self.now_s = now_s

    def __call__(self) -> float:
        return self.now_s
