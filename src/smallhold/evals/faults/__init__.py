"""Faults of small models on purpose: this package holds the conformance suite for agents."""

from __future__ import annotations

from smallhold.evals.faults.case import (
    Effect,
    Evidence,
    Exchange,
    FaultCase,
    Hangs,
    Limits,
)
from smallhold.evals.faults.judging import Mark, Verdict, judge
from smallhold.evals.faults.model import (
    Answer,
    Calls,
    Endless,
    Form,
    Line,
    Model,
    Reply,
    Sight,
    Text,
    Wish,
)
from smallhold.evals.faults.ours import play_ours
from smallhold.evals.faults.report import FaultsReport
from smallhold.evals.faults.runner import Play, run_cases, run_faults
from smallhold.evals.faults.stage import Stage
from smallhold.evals.faults.suite import FAULT_CASES, cases_named

__all__ = [
    "FAULT_CASES",
    "Answer",
    "Calls",
    "Effect",
    "Endless",
    "Evidence",
    "Exchange",
    "FaultCase",
    "FaultsReport",
    "Form",
    "Hangs",
    "Limits",
    "Line",
    "Mark",
    "Model",
    "Play",
    "Reply",
    "Sight",
    "Stage",
    "Text",
    "Verdict",
    "Wish",
    "cases_named",
    "judge",
    "play_ours",
    "run_cases",
    "run_faults",
]
