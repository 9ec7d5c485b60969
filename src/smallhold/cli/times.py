"""Points in time on the screen: this file holds how they are written."""

from __future__ import annotations

from datetime import UTC, datetime


def clock_time(at_s: float | None) -> str:
    """Write Unix seconds as a UTC time of day, nothing for `None`."""
    if at_s is None:
        return ""
    try:
        return datetime.fromtimestamp(at_s, tz=UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (OverflowError, OSError, ValueError):
        # A clock that is wrong enough; the number still says more than nothing.
        return f"{at_s:.0f} s"
