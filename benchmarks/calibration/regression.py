"""Weights that explain labels: this file holds regressions that give linear rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from smallhold.models.calibration import LinearRule

Floats: TypeAlias = npt.NDArray[np.float64]
Features: TypeAlias = Mapping[str, float]

_MOST_STEPS: Final = 30
_SMALL_STEP: Final = 1e-6
_LEAST_CURVATURE: Final = 1e-9
"""Keeps the steps finite where the labels are separated."""
_LEAST_SPREAD: Final = 1e-6
"""Standard deviation of a feature that is the same everywhere."""
_INTERCEPT_RIDGE: Final = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Alternatives of which one is right."""

    alternatives: Sequence[Features]
    right: int
    """Index of the right one."""


def logistic_rule(
    rows: Sequence[Features], labels: Floats, *, ridge: float, weights: Floats
) -> LinearRule:
    """Fit a logistic regression by Newton's method, on standardised features.

    Args:
        rows: One for each label, all with the same names.
        labels: 1 for yes, 0 for no.
        ridge: Penalty of the squared weights; the intercept has none.
        weights: How much each row counts.

    Source:
        Hastie et al. 2009, "The Elements of Statistical Learning", equations 4.26 and 3.41.
    """
    names = tuple(rows[0])
    raw = _matrix(rows, names)
    mean, spread = raw.mean(axis=0), raw.std(axis=0) + _LEAST_SPREAD
    table = np.column_stack([(raw - mean) / spread, np.ones(len(rows))])
    penalty = np.diag([ridge] * len(names) + [_INTERCEPT_RIDGE])
    fitted = np.zeros(len(names) + 1)
    for _ in range(_MOST_STEPS):
        likely = 1.0 / (1.0 + np.exp(-np.clip(table @ fitted, -500.0, 500.0)))
        slope = table.T @ (weights * (likely - labels)) + penalty @ fitted
        curvature = weights * likely * (1.0 - likely) + _LEAST_CURVATURE
        step = np.linalg.solve((table * curvature[:, None]).T @ table + penalty, slope)
        fitted = fitted - step
        if float(np.abs(step).max()) < _SMALL_STEP:
            break
    scaled = fitted[:-1] / spread
    return LinearRule(
        weights=dict(zip(names, map(float, scaled), strict=True)),
        intercept=float(fitted[-1] - scaled @ mean),
    )


def choice_rule(choices: Sequence[Choice], *, ridge: float) -> LinearRule:
    """Fit a conditional logit by Newton's method, on standardised features; it has no intercept.

    Source:
        McFadden 1974, "Conditional logit analysis of qualitative choice behavior".
    """
    names = tuple(choices[0].alternatives[0])
    raw = [_matrix(choice.alternatives, names) for choice in choices]
    spread = np.vstack(raw).std(axis=0) + _LEAST_SPREAD
    tables = [table / spread for table in raw]
    fitted = np.zeros(len(names))
    for _ in range(_MOST_STEPS):
        slope, curvature = ridge * fitted, ridge * np.eye(len(names))
        for table, choice in zip(tables, choices, strict=True):
            likely = _softmax(table @ fitted)
            expected = likely @ table
            slope = slope + expected - table[choice.right]
            centred = table - expected
            curvature = curvature + (centred * likely[:, None]).T @ centred
        step = np.linalg.solve(curvature, slope)
        fitted = fitted - step
        if float(np.abs(step).max()) < _SMALL_STEP:
            break
    scaled = map(float, fitted / spread)
    return LinearRule(weights=dict(zip(names, scaled, strict=True)), intercept=0.0)


def _matrix(rows: Sequence[Features], names: Sequence[str]) -> Floats:
    return np.array([[row[name] for name in names] for row in rows], dtype=np.float64)


def _softmax(values: Floats) -> Floats:
    powers = np.exp(values - values.max())
    return powers / powers.sum()
