"""From gathered rows to a calibration: this file holds the fit of the five rules.

Every rule is judged on rows that it was not fitted on: folds are of toolsets for the choice among
tools, and of tools for all else. A later rule sees what an earlier one says of rows out of its
fold, as it will see messages that nobody fitted anything on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

import numpy as np
from benchmarks.calibration.cross_validation import Validated, fold_of, validated_rule
from benchmarks.calibration.gathered import FilledRecord, Gathered, StepRecord, scores_of
from benchmarks.calibration.regression import Choice, Features, Floats, choice_rule
from benchmarks.calibration.samples import Wanted

from smallhold.agents.decision import (
    PLAIN_PICK,
    Decision,
    decision_features,
    filled_features,
    further_features,
    read_decision,
    tool_features,
)
from smallhold.agents.filling import tool_named
from smallhold.agents.signatures import required_names
from smallhold.exceptions import ConfigError
from smallhold.messages import ToolCall
from smallhold.models.calibration import LinearRule

PICK_RIDGE: Final = 1.0
CALL_RIDGE: Final = 5.0
"""From 1 to 12 the area under the curve stays within 0.01."""
SUITS_RIDGE: Final = 5.0
ASK_RIDGE: Final = 10.0
FURTHER_RIDGE: Final = 1.0
_WEIGHTS: Final = {"irrelevance": 2.0}
"""It stands alone against four categories of like messages that want calls."""
# fmt: off
PICK_FEATURES: Final = (
    "score", "bias", "name_shared", "message_shared", "message_covered", "shared",
)
# fmt: on
"""Of `tool_features`, without how long a tool's texts are, which says nothing of the message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A row and what rules that were fitted on others say of it."""

    row: Gathered
    picked: str
    margin: float
    """Of calling, in nats, with the shift."""
    suits: float | None
    """Log-odds that the filled call is for what was asked; `None` where none was filled."""
    ask: float | None
    """Log-odds that something is missing; `None` where nobody would be asked."""
    further: tuple[float, ...]
    """Log-odds that one more call is wanted, after each step; none where nobody knows."""

    @property
    def is_called(self) -> bool:
        """Whether the first call would be made."""
        return self.is_wanted and not self.is_asked

    @property
    def is_wanted(self) -> bool:
        """Whether a tool is taken to fit."""
        return self.margin >= 0.0 and (self.suits is None or self.suits >= 0.0)

    @property
    def is_asked(self) -> bool:
        """Whether the user would be asked rather than the call made."""
        filled = self.row.record.filled
        return (
            self.is_wanted
            and filled is not None
            and bool(filled.invented)
            and self.ask is not None
            and self.ask >= 0.0
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Five rules, fitted on all rows, and how the rows look to rules fitted on others."""

    pick: LinearRule
    call: LinearRule
    further: LinearRule
    suits: LinearRule
    ask: LinearRule
    judged: tuple[Judged, ...]


def fit_rules(
    rows: Sequence[Gathered],
    *,
    call_shift: float = 0.0,
    suits_shift: float = 0.0,
    ask_shift: float = 0.0,
    further_shift: float = 0.0,
    same_shift: float = 0.0,
) -> Fit:
    """Fit the rules.

    Args:
        rows: Of one model.
        call_shift: Nats added to the margin of calling; negative: call less.
        suits_shift: Nats added to the log-odds that a filled call is wanted; negative: call less.
        ask_shift: Nats added to the log-odds of asking; negative: ask less.
        further_shift: Nats added to the log-odds of going on; negative: stop sooner.
        same_shift: More of these where it is with the same tool: such a call is dropped where it
            brings nothing new, so that going on once too often costs little.

    Raises:
        ConfigError: a rule has no rows of one kind.
    """
    picks = _unseen_picks(rows)
    features = [
        decision_features(row.scores, row.sample.tools, text=row.sample.text, pick=pick)
        for row, pick in zip(rows, picks, strict=True)
    ]
    call = _shifted(_call(rows, features), call_shift)
    filled = [index for index, row in enumerate(rows) if row.record.filled is not None]
    suits = _shifted(_suits(rows, filled, features=features), suits_shift)
    ask = _shifted(_ask(rows, filled, features=features), ask_shift)
    suits_of = dict(zip(filled, suits.unseen, strict=True))
    ask_of = dict(zip(filled, ask.unseen, strict=True))
    further = _with_same_shift(_shifted(_further(rows), further_shift), rows, shift=same_shift)
    further_of = iter(further.unseen)
    judged = [
        Judged(
            row=row,
            picked=_picked(row, picks[index]),
            margin=call.unseen[index],
            suits=suits_of.get(index),
            ask=ask_of.get(index),
            further=tuple(islice(further_of, len(steps_of(row)))),
        )
        for index, row in enumerate(rows)
    ]
    return Fit(
        pick=_pick([row for row in rows if _has_choice(row)]),
        call=call.rule,
        further=further.rule,
        suits=suits.rule,
        ask=ask.rule,
        judged=tuple(judged),
    )


def _call(rows: Sequence[Gathered], features: Sequence[Features]) -> Validated:
    return validated_rule(
        features,
        _labels("call", [row.sample.wanted is not Wanted.NOTHING for row in rows]),
        groups=list(map(_likeliest, rows)),
        ridge=CALL_RIDGE,
        weights=_balance(rows),
    )


def _suits(
    rows: Sequence[Gathered], filled: Sequence[int], *, features: Sequence[Features]
) -> Validated:
    chosen = [rows[index] for index in filled]
    return validated_rule(
        [_filled_features(rows[index], features[index]) for index in filled],
        _labels("suits", [row.sample.wanted is not Wanted.NOTHING for row in chosen]),
        groups=list(map(_likeliest, chosen)),
        ridge=SUITS_RIDGE,
        weights=_balance(chosen),
    )


def _ask(
    rows: Sequence[Gathered], filled: Sequence[int], *, features: Sequence[Features]
) -> Validated:
    """Fit on messages that a tool fits; what it says of others does not count."""
    chosen = [rows[index] for index in filled]
    return validated_rule(
        [_filled_features(rows[index], features[index]) for index in filled],
        _labels("ask", [row.sample.wanted is Wanted.ASK for row in chosen]),
        groups=list(map(_likeliest, chosen)),
        ridge=ASK_RIDGE,
        weights=_balance(chosen)
        * [float(row.sample.wanted is not Wanted.NOTHING) for row in chosen],
    )


def _further(rows: Sequence[Gathered]) -> Validated:
    steps = [(row, step) for row in rows for step in steps_of(row)]
    return validated_rule(
        [_furthering(row, step) for row, step in steps],
        _labels("further", [is_more_wanted(row, step) for row, step in steps]),
        groups=[_likeliest(row) for row, _ in steps],
        ridge=FURTHER_RIDGE,
        weights=np.ones(len(steps)),
    )


def _with_same_shift(validated: Validated, rows: Sequence[Gathered], *, shift: float) -> Validated:
    steps = [_furthering(row, step) for row in rows for step in steps_of(row)]
    weights = {**validated.rule.weights, "is_same": validated.rule.weights["is_same"] + shift}
    unseen = [
        value + shift * features["is_same"]
        for value, features in zip(validated.unseen, steps, strict=True)
    ]
    return Validated(rule=replace(validated.rule, weights=weights), unseen=tuple(unseen))


def is_more_wanted(row: Gathered, step: StepRecord) -> bool:
    """Whether one more call is right after a step."""
    return len(step.made) < len(row.sample.expected)


def _pick(rows: Sequence[Gathered]) -> LinearRule:
    """Fit the order of tools, in units of their score: `RIVAL_MARGIN` is in these units."""
    if not rows:
        return PLAIN_PICK
    rule = choice_rule([_choice(row) for row in rows], ridge=PICK_RIDGE)
    unit = rule.weights["score"]
    if unit <= 0.0:
        raise _too_few("pick")
    weights = {name: weight / unit for name, weight in rule.weights.items()}
    return LinearRule(weights=weights, intercept=0.0)


def _unseen_picks(rows: Sequence[Gathered]) -> list[LinearRule]:
    """Give for each row the order that was fitted on other toolsets."""
    folds = [fold_of(_toolset(row)) for row in rows]
    fitted: Mapping[int, LinearRule] = {
        fold: _pick([
            row
            for row, other in zip(rows, folds, strict=True)
            if other != fold and _has_choice(row)
        ])
        for fold in sorted(set(folds))
    }
    return [fitted[fold] for fold in folds]


def _has_choice(row: Gathered) -> bool:
    return len(set(row.sample.expected)) == 1 and len(row.sample.tools) > 1


def _choice(row: Gathered) -> Choice:
    sample = row.sample
    names = [tool.name for tool in sample.tools]
    fits = [
        tool_features(row.scores, tool, index=index, text=sample.text)
        for index, tool in enumerate(sample.tools)
    ]
    return Choice(
        alternatives=[{name: fit[name] for name in PICK_FEATURES} for fit in fits],
        right=names.index(sample.expected[0]),
    )


def _picked(row: Gathered, pick: LinearRule) -> str:
    fits = [
        pick(tool_features(row.scores, tool, index=index, text=row.sample.text))
        for index, tool in enumerate(row.sample.tools)
    ]
    return row.sample.tools[fits.index(max(fits))].name


def _likeliest(row: Gathered) -> str:
    """Name the tool by the reading of models without a calibration; folds are of these."""
    decision = read_decision(
        row.scores, row.sample.tools, text=row.sample.text, calibration=None, must_call=True
    )
    return str(decision.tool)


def _toolset(row: Gathered) -> str:
    return repr(sorted(tool.name for tool in row.sample.tools))


def _filled_features(row: Gathered, features: Features) -> Features:
    filled = _filled(row)
    tool = tool_named(row.sample.tools, filled.tool)
    return filled_features(
        Decision(tool=filled.tool, margin=0.0, features=features),
        arguments=len(filled.arguments),
        required=len(required_names(tool.parameters)),
        invented=len(filled.invented),
        unmentioned=filled.unmentioned,
    )


def _furthering(row: Gathered, step: StepRecord) -> Features:
    return further_features(
        scores_of(step.log_probs),
        row.sample.tools,
        made=[ToolCall(id="1", name=one.name, arguments=one.arguments) for one in step.made],
        text=row.sample.text,
    )


def _filled(row: Gathered) -> FilledRecord:
    filled = row.record.filled
    if filled is None:
        raise _too_few("suits")
    return filled


def steps_of(row: Gathered) -> Sequence[StepRecord]:
    """Give the steps after calls of a row, none where nothing was filled."""
    filled = row.record.filled
    return () if filled is None else filled.steps


def _labels(rule: str, answers: Sequence[bool]) -> Floats:
    if len(set(answers)) < len((True, False)):
        raise _too_few(rule)
    return np.array(answers, dtype=np.float64)


def _balance(rows: Sequence[Gathered]) -> Floats:
    """Weigh rows so that a category counts by the root of its size, and some more than others."""
    counts = Counter(row.sample.category for row in rows)
    weights = np.array([
        _WEIGHTS.get(row.sample.category, 1.0) / np.sqrt(counts[row.sample.category])
        for row in rows
    ])
    return weights / weights.mean()


def _shifted(validated: Validated, shift: float) -> Validated:
    rule = validated.rule
    return Validated(
        rule=replace(rule, intercept=rule.intercept + shift),
        unseen=tuple(value + shift for value in validated.unseen),
    )


def _too_few(rule: str) -> ConfigError:
    remedy = "gather more rows: what the rule is to tell apart is not in them"
    return ConfigError(field="rule", value=rule, remedy=remedy)
