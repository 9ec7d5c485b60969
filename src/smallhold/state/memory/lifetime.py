"""When facts end although clocks jump: this file holds how the time is judged.

A device without a battery for its clock begins in 1970, and a wrong server can set it to 2099. The
newest time at which a tenant's memory was written is therefore kept, as a mark. A clock before the
mark does not bring back what had expired by then. A clock implausibly far beyond it hides what it
thinks has expired, but removes nothing, and does not move the mark; once the clock is right again,
everything is as it was.
"""

from __future__ import annotations

from typing import Final

DAY_S: Final = 86_400.0
PLAUSIBLE_STEP_S: Final = 366 * DAY_S
"""A device that was off for longer is rarer than a clock that is wrong by years."""
MARK_STEP_S: Final = 60.0
"""Smaller steps of the mark are not written, so that not every fact costs one more row."""


def judged_now(clock_s: float, *, mark_s: float | None) -> float:
    """Give the time at which facts are held to have expired or not, for recalling them.

    Args:
        clock_s: What the clock says, Unix time.
        mark_s: The newest plausible time at which something was written; `None` before the first.
    """
    return clock_s if mark_s is None else max(clock_s, mark_s)


def is_doubtful(clock_s: float, *, mark_s: float | None) -> bool:
    """Tell whether the clock is so far beyond the mark that nothing should be removed by it."""
    return mark_s is not None and clock_s > mark_s + PLAUSIBLE_STEP_S


def moved_mark(clock_s: float, *, mark_s: float | None) -> float | None:
    """Give the mark after something was written now; `None` where it stays as it is."""
    if mark_s is None:
        return clock_s
    if clock_s < mark_s + MARK_STEP_S or is_doubtful(clock_s, mark_s=mark_s):
        return None
    return clock_s
