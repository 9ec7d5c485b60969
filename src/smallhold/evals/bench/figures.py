"""From measurements to figures: this file holds medians, percentiles and ratios."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence


def median(values: Iterable[float]) -> float | None:
    """The middle value, `None` of no values."""
    kept = list(values)
    return statistics.median(kept) if kept else None


def percentile(values: Iterable[float], *, share: float) -> float | None:
    """The value that a share of all values (0 to 1) does not exceed, `None` of no values.

    Between two values it is interpolated. Source: Hyndman and Fan 1996, "Sample Quantiles in
    Statistical Packages", definition 7.
    """
    kept = sorted(values)
    if not kept:
        return None
    place = share * (len(kept) - 1)
    below = math.floor(place)
    above = math.ceil(place)
    # Not a weighted sum: that could leave the two values' range by rounding.
    return kept[below] + (kept[above] - kept[below]) * (place - below)


def ratio(ours: float | None, other: float | None) -> float | None:
    """Ours over another, `None` where one is missing or the other is zero."""
    return None if ours is None or not other else ours / other


def over_best_low(ours: float | None, peers: Sequence[float | None]) -> float | None:
    """Ours over the best peer, where less is better, such as seconds."""
    known = [peer for peer in peers if peer is not None]
    return ratio(ours, min(known)) if known else None


def over_best_high(ours: float | None, peers: Sequence[float | None]) -> float | None:
    """Ours over the best peer, where more is better, such as tokens per second."""
    known = [peer for peer in peers if peer is not None]
    return ratio(ours, max(known)) if known else None


def milliseconds(seconds: float | None) -> float | None:
    """Seconds as milliseconds, to a hundredth."""
    return None if seconds is None else round(seconds * 1000, 2)


def rounded(value: float | None, *, digits: int = 4) -> float | None:
    """Round what is known."""
    return None if value is None else round(value, digits)
