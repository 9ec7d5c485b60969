"""The Berkeley Function-Calling Leaderboard, single turn: this package holds its score."""

from __future__ import annotations

from smallhold.evals.bfcl.dataset import (
    BFCLRow,
    ExpectedCall,
    GroundTruth,
    categories,
    read_category,
)
from smallhold.evals.bfcl.report import BFCLReport, RowResult, build_report
from smallhold.evals.bfcl.runner import Decide, Decided, OnRow, run_bfcl
from smallhold.evals.bfcl.scoring import Mistake, Verdict, score_call, score_row

__all__ = [
    "BFCLReport",
    "BFCLRow",
    "Decide",
    "Decided",
    "ExpectedCall",
    "GroundTruth",
    "Mistake",
    "OnRow",
    "RowResult",
    "Verdict",
    "build_report",
    "categories",
    "read_category",
    "run_bfcl",
    "score_call",
    "score_row",
]
