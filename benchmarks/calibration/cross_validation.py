"""What a rule says of rows that it was not fitted on: this file holds cross-validation."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from benchmarks.calibration.regression import Features, Floats, logistic_rule

from smallhold.models.calibration import LinearRule

FOLDS: Final = 5
REPEATS: Final = 4
"""Divisions into folds whose readings are averaged: with a few hundred rows one is down to luck."""

_SEED_STEP: Final = 7919
"""A prime, so that repeats of different names do not meet in a seed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Validated:
    """A rule fitted on all rows, and what rules fitted on other rows say of each, in nats."""

    rule: LinearRule
    unseen: tuple[float, ...]


def fold_of(name: str) -> int:
    """Say which fold rows of a tool or toolset are in where they are divided once."""
    return zlib.crc32(name.encode()) % FOLDS


def drawn_fold_of(name: str, *, repeat: int) -> int:
    """Say which fold rows are in where they are divided several times.

    Source:
        NEP 19, "Random Number Generator Policy": `RandomState` gives the same numbers for ever.
    """
    seed = (zlib.crc32(name.encode()) + repeat * _SEED_STEP) % 2**31
    return int(np.random.RandomState(seed).randint(FOLDS))


def validated_rule(
    rows: Sequence[Features],
    labels: Floats,
    *,
    groups: Sequence[str],
    ridge: float,
    weights: Floats,
) -> Validated:
    """Fit a logistic rule and read each row by rules that have seen none of its group.

    Args:
        rows: One for each label.
        labels: 1 for yes, 0 for no.
        groups: For each row what keeps rows in one fold, such as the tool.
        ridge: As in `logistic_rule`.
        weights: As in `logistic_rule`.
    """
    unseen = np.zeros(len(rows))
    for repeat in range(REPEATS):
        folds = [drawn_fold_of(group, repeat=repeat) for group in groups]
        for fold in sorted(set(folds)):
            known = [index for index, other in enumerate(folds) if other != fold]
            if not known:
                continue
            known_rows = [rows[index] for index in known]
            rule = logistic_rule(known_rows, labels[known], ridge=ridge, weights=weights[known])
            for index, other in enumerate(folds):
                if other == fold:
                    unseen[index] += rule(rows[index]) / REPEATS
    rule = logistic_rule(rows, labels, ridge=ridge, weights=weights)
    return Validated(rule=rule, unseen=tuple(map(float, unseen)))
