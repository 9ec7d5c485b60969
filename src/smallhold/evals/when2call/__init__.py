"""When2Call, whether to call, to ask or to say that it cannot: this package holds its score."""

from __future__ import annotations

from smallhold.evals.when2call.dataset import Behaviour, When2CallRow, read_when2call
from smallhold.evals.when2call.report import When2CallReport, build_report
from smallhold.evals.when2call.runner import Behave, Behaved, OnRow, RowResult, run_when2call
from smallhold.evals.when2call.scoring import ClassScore, class_scores, confusion, macro_f1

__all__ = [
    "Behave",
    "Behaved",
    "Behaviour",
    "ClassScore",
    "OnRow",
    "RowResult",
    "When2CallReport",
    "When2CallRow",
    "build_report",
    "class_scores",
    "confusion",
    "macro_f1",
    "read_when2call",
    "run_when2call",
]
