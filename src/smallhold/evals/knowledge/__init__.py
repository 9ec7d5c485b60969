"""Whether documents that answer a question are found: this package measures knowledge search."""

from __future__ import annotations

from smallhold.evals.knowledge.matching import Passage, Ranks, first_ranks
from smallhold.evals.knowledge.proving import Unproved, unproved_answers
from smallhold.evals.knowledge.questions import (
    Answer,
    Half,
    Question,
    QuestionSet,
    Style,
    read_questions,
)
from smallhold.evals.knowledge.report import SearchReport, build_report
from smallhold.evals.knowledge.runner import AskedQuestion, Search, ask_questions

__all__ = [
    "Answer",
    "AskedQuestion",
    "Half",
    "Passage",
    "Question",
    "QuestionSet",
    "Ranks",
    "Search",
    "SearchReport",
    "Style",
    "Unproved",
    "ask_questions",
    "build_report",
    "first_ranks",
    "read_questions",
    "unproved_answers",
]
