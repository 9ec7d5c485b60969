"""How far a measured share can be trusted: this file holds the Wilson score interval."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

from smallhold.exceptions import ConfigError

Z_95 = NormalDist().inv_cdf(0.975)
"""Standard normal quantile of a two-sided 95 % interval, about 1.96."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A closed interval of shares, both ends in 0 to 1."""

    low: float
    high: float


def wilson_interval(successes: int, *, trials: int, z: float = Z_95) -> Interval:
    """Interval for the true share behind `successes` out of `trials` independent rows.

    Unlike the textbook's normal approximation it stays within 0 to 1 and keeps its width at 0 %
    and 100 %, where small samples of good models end up.

    Source: Wilson 1927, "Probable Inference, the Law of Succession, and Statistical Inference",
    Journal of the American Statistical Association 22, pages 209-212; in the explicit form of
    Newcombe 1998, Statistics in Medicine 17, pages 857-872, method 3.

    Args:
        successes: 0 to `trials`.
        trials: 1 or more.
        z: Standard normal quantile of the wanted confidence, more than 0.

    Raises:
        ConfigError: `trials` is below 1 or `successes` is not within 0 to `trials`.
    """
    if trials < 1:
        raise ConfigError(field="trials", value=trials, remedy="score at least one row")
    if not 0 <= successes <= trials:
        raise ConfigError(field="successes", value=successes, remedy=f"give 0 to {trials}")
    share = successes / trials
    spread = z * z / trials
    centre = (share + spread / 2) / (1 + spread)
    half = z * sqrt(share * (1 - share) / trials + spread / (4 * trials)) / (1 + spread)
    # The bounds are exact at the ends; rounding must not leave them a hair off 0 or 1.
    return Interval(
        low=0.0 if successes == 0 else max(0.0, centre - half),
        high=1.0 if successes == trials else min(1.0, centre + half),
    )
