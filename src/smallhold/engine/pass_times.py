"""How long a forward pass takes by its size: this file holds the cost model of guessing tokens.

A pass of several tokens takes longer than one of a single token, but not as many times longer,
since the weights are read once. How much longer depends on the machine, the model and its
quantization, so it is measured when the model has been loaded.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

MEASURED_ROWS: Final = (1, 2, 4, 8, 16)
"""Sizes of pass that are measured; others are read off the line between two of them."""
MAX_DRAFT_TOKENS: Final = 12
"""Guesses after one token: with more, even copying text breaks off before the end."""


@dataclass(frozen=True, slots=True)
class PassTimes:
    """Seconds that a pass takes, by its number of tokens with outputs."""

    seconds: Mapping[int, float]
    """Measured, at least one size."""

    def at(self, rows: int) -> float:
        """Seconds of a pass of this many tokens, between and beyond the measured ones."""
        sizes = sorted(self.seconds)
        times = [self.seconds[size] for size in sizes]
        if rows > sizes[-1]:
            return times[-1] * rows / sizes[-1]
        return float(np.interp(rows, sizes, times))


def undisturbed(seconds: Mapping[int, float]) -> dict[int, float]:
    """Correct measured sizes that took longer than a larger one, which another process disturbed.

    Left as they are, they would make guesses pay that are never right.
    """
    least_s = math.inf
    corrected: dict[int, float] = {}
    for rows in sorted(seconds, reverse=True):
        least_s = min(least_s, seconds[rows])
        corrected[rows] = least_s
    return corrected


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftPlan:
    """How many tokens to guess, and what it brings."""

    length: int = 0
    """0 where guessing does not pay."""
    saved_s: float = 0.0
    """Seconds for each token of the answer."""


def plan_draft(
    times: PassTimes, *, acceptance_ratio: float, others: int, available: int, guess_s: float = 0.0
) -> DraftPlan:
    """Choose how many guessed tokens to evaluate after a decided one.

    The number that gives the most tokens a second in all: `others` requests gain one each, this one
    gains one, and one more for each guess that is right like all before it. Source: Leviathan et
    al. 2023, "Fast Inference from Transformers via Speculative Decoding", section 3.1.

    Args:
        times: What passes cost on this machine.
        acceptance_ratio: How likely a guess is right, 0 to 1.
        others: Tokens of other requests in the same pass.
        available: Guesses at hand.
        guess_s: Seconds that each guess costs to make.
    """
    plain_s = times.at(others + 1) / (others + 1)
    best = DraftPlan()
    expected = 1.0
    for count in range(1, min(available, MAX_DRAFT_TOKENS) + 1):
        expected += acceptance_ratio**count
        seconds = times.at(others + 1 + count) + count * guess_s
        saved_s = plain_s - seconds / (others + expected)
        if saved_s > best.saved_s:
            best = DraftPlan(length=count, saved_s=saved_s)
    return best


class AcceptanceRatio:
    """How often guesses of one kind were right, recent ones counting more.

    Starts from `prior` as if that had been seen in `weight` guesses.
    """

    def __init__(self, *, prior: float, weight: float = 8.0) -> None:
        self._prior = prior
        self._right = prior * weight
        self._tried = weight

    @property
    def value(self) -> float:
        """0 to 1."""
        return self._right / self._tried

    def relax(self) -> None:
        """Go a little towards the prior, where guessing did not pay.

        Nothing is learnt while nothing is tried, and the text may have changed since.
        """
        self._right += _RELAXATION * (self._prior * self._tried - self._right)

    def record(self, *, tried: int, right: int) -> None:
        """Add an outcome: guesses after the first wrong one were not tried."""
        self._right += right
        self._tried += tried
        if self._tried > _MEMORY_GUESSES:
            self._right *= _MEMORY_GUESSES / self._tried
            self._tried = _MEMORY_GUESSES


_MEMORY_GUESSES: Final = 256.0
_RELAXATION: Final = 0.02
"""Half-way back after 35 steps without a guess."""
