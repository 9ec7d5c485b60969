"""Whether the tools that a message needs are found: this package measures tool retrieval."""

from __future__ import annotations

from smallhold.evals.tool_retrieval.dataset import SETS, RetrievalRow, RetrievalSet, read_set
from smallhold.evals.tool_retrieval.report import RetrievalReport, build_report
from smallhold.evals.tool_retrieval.runner import RankedRow, run_retrieval

__all__ = [
    "SETS",
    "RankedRow",
    "RetrievalReport",
    "RetrievalRow",
    "RetrievalSet",
    "build_report",
    "read_set",
    "run_retrieval",
]
