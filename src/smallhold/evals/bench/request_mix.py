"""Who asks which model when: this file holds the skewed mix of a residency's requests."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from smallhold.exceptions import ConfigError


def skewed_mix(shares: Sequence[float], *, requests: int, seed: int) -> tuple[int, ...]:
    """Draw the models of requests, one after the other and independent of each other.

    Args:
        shares: How often each model is asked for, relative to the others.
        requests: How many to draw.
        seed: Same seed, same mix.

    Returns:
        Places in `shares`.

    Raises:
        ConfigError: there is nothing to draw from.
    """
    if not shares or min(shares) < 0 or sum(shares) <= 0:
        raise ConfigError(field="shares", value=shares, remedy="give at least one share above 0")
    chosen = Random(seed).choices(  # noqa: S311 - the same mix every time
        range(len(shares)), weights=shares, k=requests
    )
    return tuple(chosen)
