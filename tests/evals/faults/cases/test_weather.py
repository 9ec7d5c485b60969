"""Promises of `smallhold.evals.faults.cases.weather`: this file holds tests of the shared task."""

from __future__ import annotations

from smallhold.evals.faults.cases.weather import ANSWER, ASKED, PARIS, RESULT, report
from smallhold.evals.faults.stage import json_object


def test_the_result_for_paris_is_the_only_one_that_ends_the_task() -> None:
    arguments = json_object(PARIS.wishes[0].arguments)
    assert arguments is not None
    assert RESULT in report(arguments)
    assert RESULT not in report({"city": "Rome"})
    assert RESULT not in report({"city": "Par"})


def test_the_question_gives_nothing_of_the_answer_away() -> None:
    assert RESULT not in ASKED.text
    assert RESULT in ANSWER.text
