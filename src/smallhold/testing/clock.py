"""Time that a test moves by hand: this file holds `ManualClock`."""

from __future__ import annotations

from smallhold.exceptions import ConfigError


class ManualClock:
    """A monotonic clock that stands still until it is moved.

    Pass the instance wherever a function that returns seconds is asked for.
    """

    def __init__(self, *, start_s: float = 0.0) -> None:
        self._now_s = start_s

    def __call__(self) -> float:
        """Tell the time in seconds."""
        return self._now_s

    def advance(self, seconds: float) -> None:
        """Move the clock forward. Raises `ConfigError` for a step back."""
        if seconds < 0:
            raise ConfigError(
                field="seconds", value=seconds, remedy="a monotonic clock goes forward only"
            )
        self._now_s += seconds
