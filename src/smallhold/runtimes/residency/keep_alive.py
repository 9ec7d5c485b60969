"""When an idle model is unloaded: this file holds the choice of those whose time is over."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class IdleModel:
    """A loaded model that answers nobody."""

    key: int
    idle_since_s: float
    keep_alive_s: float
    """0 unloads at once, infinity never."""

    @property
    def expires_s(self) -> float:
        """When its time is over, on the clock of `idle_since_s`."""
        return self.idle_since_s + self.keep_alive_s


@dataclass(frozen=True, slots=True, kw_only=True)
class IdlePlan:
    """What to do about idle models."""

    expired: tuple[int, ...]
    """Models to unload now."""
    wait_s: float | None
    """When to look again; `None` where no time runs."""


def plan_idle(models: Sequence[IdleModel], *, now_s: float, ratio: float = 1.0) -> IdlePlan:
    """Find the models whose time is over, and when the next one's will be.

    Args:
        models: Loaded ones that answer nobody and are not pinned.
        now_s: The time.
        ratio: What keep-alive times are multiplied with, 0 to 1.
    """
    left_s = {
        model.key: (0.0 if ratio == 0.0 else model.keep_alive_s * ratio)
        + model.idle_since_s
        - now_s
        for model in models
    }
    later = [seconds for seconds in left_s.values() if 0 < seconds < math.inf]
    return IdlePlan(
        expired=tuple(key for key, seconds in left_s.items() if seconds <= 0),
        wait_s=min(later, default=None),
    )
