"""From gathered rows to a calibration: this file holds the fit of the four rules.

Every rule is judged on rows that it was not fitted on: folds are of toolsets for the choice among
tools, and of tools for all else. A later rule sees what an earlier one said of rows out of its
fold, as it will see messages that nobody fitted anything on.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from benchmarks.calibration.gathered import Gathered, scores_of
from benchmarks.calibration.regression import Choice, Features, Floats, choice_rule, logistic_rule
from benchmarks.calibration.samples import Wanted

from smallhold.agents.decision import (
    PLAIN_PICK,
    Decision,
    decision_features,
    further_features,
    holding_features,
    read_decision,
    tool_features,
)
from smallhold.agents.filling import tool_named
from smallhold.agents.signatures import required_names
from smallhold.exceptions import ConfigError
from smallhold.messages import ToolCall
from smallhold.models.calibration import LinearRule

FOLDS: Final = 5
REPEATS: Final = 4
"""Divisions into folds whose readings are averaged: with a few hundred rows one is down to luck."""
PICK_RIDGE: Final = 1.0
CALL_RIDGE: Final = 5.0
"""From 1 to 12 the area under the curve stays within 0.007."""
HOLD_RIDGE: Final = 5.0
FURTHER_RIDGE: Final = 1.0
PICK_FEATURES: Final = (
    "score", "bias", "name_shared", "message_shared", "message_covered", "shared"
)  # fmt: skip
"""Of `tool_features`, without how long a tool's texts are, which says nothing of the message."""
FURTHER_FEATURES: Final = ("over_done", "is_same", "words", "joints")
"""Of `further_features`, without how many calls there are: in gathered rows there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A row and what the rules say of it that were fitted on others."""

    row: Gathered
    picked: str
    margin: float
    """Of calling, in nats, the shift included."""
    hold: float | None
    """Log-odds that the filled call had better not be made; `None` where none was filled."""
    further: float | None
    """Log-odds that one more call is wanted; `None` where nobody knows."""

    @property
    def is_called(self) -> bool:
        """Whether the first call would be made."""
        return self.margin >= 0.0 and (self.hold is None or self.hold < 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Four rules, fitted on all rows, and the rows as rules fitted on others see them."""

    pick: LinearRule
    call: LinearRule
    further: LinearRule
    hold: LinearRule
    judged: tuple[Judged, ...]


def fit_rules(rows: Sequence[Gathered], *, call_shift: float, hold_shift: float) -> Fit:
    """Fit the rules.

    Args:
        rows: Of one model, at least one.
        call_shift: Nats added to the margin of calling; negative calls less.
        hold_shift: Nats added to the log-odds of holding; negative holds less.

    Raises:
        ConfigError: rows of some kind are missing.
    """
    _check(rows)
    picks = pick_by_fold(rows)
    features = [
        decision_features(row.scores, row.sample.tools, text=row.sample.text, pick=pick)
        for row, pick in zip(rows, picks, strict=True)
    ]
    wanted = np.array([row.sample.wanted is not Wanted.NOTHING for row in rows], dtype=np.float64)
    call = _fit_logistic(rows, features, wanted, ridge=CALL_RIDGE, weights=_balance(rows))
    margins = [margin + call_shift for margin in call.unseen]
    hold = _fit_hold(rows, features, margins)
    further = _fit_further(rows)
    judged = tuple(
        Judged(
            row=row,
            picked=_picked(row, pick),
            margin=margin,
            hold=None if row not in hold.rows else hold.of(row) + hold_shift,
            further=further.of(row) if row in further.rows else None,
        )
        for row, pick, margin in zip(rows, picks, margins, strict=True)
    )
    return Fit(
        pick=_fit_pick(rows),
        call=_shifted(call.rule, call_shift),
        further=further.rule,
        hold=_shifted(hold.rule, hold_shift),
        judged=judged,
    )
