"""How far a figure that is no share can be trusted: this file holds the percentile bootstrap."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from smallhold.evals.intervals import Interval
from smallhold.exceptions import ConfigError

RESAMPLES: Final = 2_000
"""Enough for the ends of a 95 % interval. Source: Efron and Tibshirani 1993, "An Introduction to
the Bootstrap", section 13.3, which asks for at least 1,000."""
_SEED: Final = 20_250_428
"""Fixed, so that the same answers give the same interval."""
_TAIL: Final = 0.025

Item = TypeVar("Item")


def bootstrap_interval(
    items: Sequence[Item], *, figure: Callable[[Sequence[Item]], float]
) -> Interval:
    """95 % interval of a figure of independent items, such as a macro-averaged F1.

    Source: Efron 1979, "Bootstrap Methods: Another Look at the Jackknife"; percentile method.

    Args:
        items: What the figure was computed from, one entry for each row.
        figure: Computes it, within 0 to 1, from as many items drawn with replacement.

    Raises:
        ConfigError: There are no items.
    """
    if not items:
        raise ConfigError(field="items", value=[], remedy="score at least one row")
    draw = random.Random(_SEED)  # noqa: S311 - a resampling, no secret
    figures = sorted(figure(draw.choices(items, k=len(items))) for _ in range(RESAMPLES))
    skipped = int(_TAIL * RESAMPLES)
    return Interval(low=figures[skipped], high=figures[-1 - skipped])
