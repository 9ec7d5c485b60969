"""How good a fit is: this file holds the figures on rows out of their folds."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np
from benchmarks.calibration.fitting import Fit, Judged, is_more_wanted, steps_of
from benchmarks.calibration.samples import Wanted

from smallhold.models.calibration import LinearRule

OFFLINE: Final = frozenset({"simple", "multiple", "irrelevance"})
LIVE: Final = frozenset({"live_simple", "live_multiple", "live_irrelevance"})
THRESHOLDS: Final = (-1.0, -0.5, 0.0, 0.3, 0.6, 0.9, 1.2, 1.5, 2.0)
"""Nats of the margin before its shift."""
DECIMALS: Final = 4


def auroc(yes: Sequence[float], no: Sequence[float]) -> float | None:
    """Area under the ROC curve: how often a yes is above a no, ties half; `None` without both.

    Source:
        Fawcett 2006, "An introduction to ROC analysis", section 7.
    """
    if not yes or not no:
        return None
    gaps = np.array(yes, dtype=np.float64)[:, None] - np.array(no, dtype=np.float64)
    return float((gaps > 0.0).mean()) + float((gaps == 0.0).mean()) / 2


def call_auroc(judged: Sequence[Judged], *, categories: frozenset[str]) -> float | None:
    """Give the area of the first rule over rows of some categories."""
    rows = [one for one in judged if one.row.sample.category in categories]
    return auroc(
        [one.margin for one in rows if one.row.sample.wanted is not Wanted.NOTHING],
        [one.margin for one in rows if one.row.sample.wanted is Wanted.NOTHING],
    )


def suits_auroc(judged: Sequence[Judged], *, categories: frozenset[str]) -> float | None:
    """Give the area of the rule for filled calls over rows of some categories.

    A row without a filled call is below all others.
    """
    rows = [one for one in judged if one.row.sample.category in categories]
    return auroc(
        [_suits(one) for one in rows if one.row.sample.wanted is not Wanted.NOTHING],
        [_suits(one) for one in rows if one.row.sample.wanted is Wanted.NOTHING],
    )


def _suits(one: Judged) -> float:
    return -math.inf if one.suits is None else one.suits


def ask_auroc(judged: Sequence[Judged]) -> float | None:
    """Give the area of asking over filled calls of tools that fit."""
    asked = [(one.ask, one.row.sample.wanted) for one in judged if one.ask is not None]
    return auroc(
        [ask for ask, wanted in asked if wanted is Wanted.ASK],
        [ask for ask, wanted in asked if wanted is Wanted.CALL],
    )


def further_auroc(judged: Sequence[Judged]) -> float | None:
    """Give the area of going on over all steps."""
    steps = [step for one in judged for step in _further_steps(one)]
    return auroc(
        [further for further, is_wanted in steps if is_wanted],
        [further for further, is_wanted in steps if not is_wanted],
    )


def pick_right(judged: Sequence[Judged]) -> dict[str, tuple[int, int]]:
    """Count by category how often the right tool of several came first, of how many rows."""
    rows = [
        one
        for one in judged
        if len(set(one.row.sample.expected)) == 1 and len(one.row.sample.tools) > 1
    ]
    return _counted(rows, [one.picked == one.row.sample.expected[0] for one in rows])


def decided_right(judged: Sequence[Judged]) -> dict[str, tuple[int, int]]:
    """Count by category the calls, questions and refusals where each is wanted."""
    right = [_decided(one) is one.row.sample.wanted for one in judged]
    return _counted(judged, right)


def _decided(one: Judged) -> Wanted:
    if not one.is_wanted:
        return Wanted.NOTHING
    return Wanted.ASK if one.is_asked else Wanted.CALL


def further_right(judged: Sequence[Judged]) -> dict[str, tuple[int, int]]:
    """Count by category the steps that go on after a call, or stop, as they should."""
    steps = [(one, step) for one in judged for step in _further_steps(one)]
    right = [(further >= 0.0) == is_wanted for _, (further, is_wanted) in steps]
    return _counted([one for one, _ in steps], right)


def _further_steps(one: Judged) -> list[tuple[float, bool]]:
    """Give the log-odds of going on after each step, and whether that is right."""
    steps = steps_of(one.row)
    wanted = [is_more_wanted(one.row, step) for step in steps]
    return list(zip(one.further, wanted, strict=True))


def _counted(rows: Sequence[Judged], right: Sequence[bool]) -> dict[str, tuple[int, int]]:
    found: dict[str, list[bool]] = {}
    for one, is_right in zip(rows, right, strict=True):
        found.setdefault(one.row.sample.category, []).append(is_right)
    return {name: (sum(answers), len(answers)) for name, answers in sorted(found.items())}


def report(fit: Fit, *, suits_shift: float) -> str:
    """Write all figures, as Markdown."""
    return "\n".join([
        *_areas(fit.judged),
        *_table("right tool of several", pick_right(fit.judged)),
        *_table("called, asked or refused as it should be", decided_right(fit.judged)),
        *_table("one more call, or none, as it should be", further_right(fit.judged)),
        *_risk_and_coverage(fit.judged, suits_shift=suits_shift),
        "",
    ])


def _areas(judged: Sequence[Judged]) -> Iterator[str]:
    yield "| rule | area under the ROC curve |"
    yield "|---|---|"
    yield f"| call, offline | {_ratio(call_auroc(judged, categories=OFFLINE))} |"
    yield f"| call, live | {_ratio(call_auroc(judged, categories=LIVE))} |"
    everything = frozenset(one.row.sample.category for one in judged)
    yield f"| call, all rows | {_ratio(call_auroc(judged, categories=everything))} |"
    yield f"| suits, offline | {_ratio(suits_auroc(judged, categories=OFFLINE))} |"
    yield f"| suits, live | {_ratio(suits_auroc(judged, categories=LIVE))} |"
    yield f"| suits, all rows | {_ratio(suits_auroc(judged, categories=everything))} |"
    yield f"| ask | {_ratio(ask_auroc(judged))} |"
    yield f"| further | {_ratio(further_auroc(judged))} |"


def _table(title: str, counts: Mapping[str, tuple[int, int]]) -> Iterator[str]:
    yield ""
    yield f"| category | {title} | n |"
    yield "|---|---|---|"
    for category, (right, count) in counts.items():
        yield f"| `{category}` | {right / count:.1%} | {count} |"


def _risk_and_coverage(judged: Sequence[Judged], *, suits_shift: float) -> Iterator[str]:
    """Say what each threshold on the second margin would call and refuse."""
    yield ""
    yield "| threshold | offline called | offline refused | live called | live refused |"
    yield "|---|---|---|---|---|"
    for threshold in sorted({*THRESHOLDS, -suits_shift}):
        shares = [
            _share_right(
                judged, threshold + suits_shift, categories=categories, is_wanted=is_wanted
            )
            for categories in (OFFLINE, LIVE)
            for is_wanted in (True, False)
        ]
        mark = " (in use)" if threshold == -suits_shift else ""
        yield f"| {threshold:g}{mark} | {' | '.join(map(_percent, shares))} |"


def _share_right(
    judged: Sequence[Judged], threshold: float, *, categories: frozenset[str], is_wanted: bool
) -> float | None:
    right = [
        (_suits(one) >= threshold) == is_wanted
        for one in judged
        if one.row.sample.category in categories
        and (one.row.sample.wanted is not Wanted.NOTHING) == is_wanted
    ]
    return sum(right) / len(right) if right else None


def calibration_json(fit: Fit) -> str:
    """Write the file that `parse_calibration` reads."""
    judged = fit.judged
    fitted_on = (
        f"{len(judged)} messages of BFCL v4 and When2Call; five folds over tools: area under the "
        f"ROC curve of calling {_ratio(suits_auroc(judged, categories=OFFLINE))} offline, "
        f"{_ratio(suits_auroc(judged, categories=LIVE))} live; of a further call "
        f"{_ratio(further_auroc(judged))}"
    )
    rules = {
        "pick": fit.pick,
        "call": fit.call,
        "suits": fit.suits,
        "ask": fit.ask,
        "further": fit.further,
    }
    written = {"fitted_on": fitted_on, **{name: _rounded(rule) for name, rule in rules.items()}}
    return json.dumps(written, indent=1) + "\n"


def _rounded(rule: LinearRule) -> dict[str, object]:
    # Adding 0.0 turns -0.0 into 0.0.
    weights = {name: round(weight, DECIMALS) + 0.0 for name, weight in rule.weights.items()}
    return {"weights": weights, "intercept": round(rule.intercept, DECIMALS) + 0.0}


def _ratio(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.2f}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}"
