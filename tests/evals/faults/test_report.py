"""Promises of `smallhold.evals.faults.report`: this file holds tests of the report."""

from __future__ import annotations

import json

from smallhold.evals.faults import FaultsReport, Form, Mark, Verdict

REPORT = FaultsReport(
    verdicts={
        Form.NATIVE: [Verdict(case="a"), Verdict(case="b", problems={Mark.NO_LOOP: "13 calls"})],
        Form.OWN_DECODER: [Verdict(case="a", problems={Mark.NO_CRASH: "ValueError"})],
    }
)


def test_a_case_that_fails_in_one_form_has_failed() -> None:
    assert REPORT.cases == ("a", "b")
    assert REPORT.failed == ("a", "b")


def test_the_json_counts_cases_once_and_names_those_that_failed() -> None:
    document = json.loads(json.dumps(REPORT.to_dict()))
    assert {key: document[key] for key in ("cases", "passed", "failed")} == {
        "cases": 2,
        "passed": 0,
        "failed": ["a", "b"],
    }
    assert document["forms"]["native"][1]["problems"] == {"no_loop": "13 calls"}
