"""Behaviour of the report over When2Call."""

from __future__ import annotations

import json

import pytest
from tests.evals.when2call.rows import ASK, CALL, CANNOT, result

from smallhold.evals.when2call import build_report
from smallhold.exceptions import ConfigError

RESULTS = [
    result(CALL, CALL),
    result(CALL, CALL, tool="other"),
    result(ASK, ASK),
    result(ASK, CALL),
    result(CANNOT, CANNOT),
    result(CANNOT, CANNOT, is_direct=True),
    result(CANNOT, CALL),
    result(CANNOT, None),
]
KEYS = [
    "model", "n", "macro_f1", "macro_f1_ci95", "macro_f1_strict", "accuracy", "accuracy_ci95",
    "hallucinated_calls", "hallucinated_calls_ci95", "unfounded_calls", "right_tool",
    "direct_answers", "classes", "confusion", "passes_mean", "prompt_tokens_mean",
]  # fmt: skip


def test_the_json_report_has_exactly_the_promised_keys() -> None:
    written = build_report(RESULTS, model="m").to_dict()
    assert list(written) == KEYS
    assert json.loads(json.dumps(written)) == written


def test_a_call_where_none_applies_is_counted_among_the_rows_that_cannot_be_answered() -> None:
    report = build_report(RESULTS, model="m")
    assert (report.hallucinated_calls.part, report.hallucinated_calls.whole) == (1, 4)
    assert (report.unfounded_calls.part, report.unfounded_calls.whole) == (1, 2)
    assert report.to_dict()["hallucinated_calls"] == 0.25


def test_the_right_tool_is_told_apart_from_a_right_call() -> None:
    report = build_report(RESULTS, model="m")
    assert (report.right_tool.part, report.right_tool.whole) == (1, 2)


def test_a_direct_answer_is_wrong_in_the_strict_figure_only() -> None:
    report = build_report([result(CALL, CALL), result(CANNOT, CANNOT, is_direct=True)], model="m")
    assert report.direct_answers == 1
    assert (report.macro_f1, report.macro_f1_strict) == (1.0, 0.5)


def test_what_was_done_is_listed_for_each_label() -> None:
    assert build_report(RESULTS, model="m").confusion == {
        "tool_call": {"tool_call": 2, "request_for_info": 0, "cannot_answer": 0},
        "request_for_info": {"tool_call": 1, "request_for_info": 1, "cannot_answer": 0},
        "cannot_answer": {
            "tool_call": 1, "request_for_info": 0, "cannot_answer": 2, "not_decided": 1,
        },
    }  # fmt: skip


def test_the_macro_f1_lies_within_its_interval() -> None:
    report = build_report(RESULTS * 5, model="m")
    assert report.macro_f1_ci95.low < report.macro_f1 < report.macro_f1_ci95.high


def test_shares_of_no_rows_are_null() -> None:
    written = build_report([result(ASK, ASK)], model="m").to_dict()
    assert written["hallucinated_calls"] is None
    assert written["hallucinated_calls_ci95"] is None
    assert written["right_tool"] is None
    assert written["macro_f1"] == 1.0


def test_nothing_has_no_report() -> None:
    with pytest.raises(ConfigError, match="at least one row"):
        build_report([], model="m")
