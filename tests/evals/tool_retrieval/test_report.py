"""Promises of `smallhold.evals.tool_retrieval.report`: this file holds tests of its figures."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.evals.tool_retrieval import RankedRow, RetrievalRow, RetrievalSet, build_report
from smallhold.evals.tool_retrieval.report import mean_recall
from smallhold.exceptions import ConfigError

DATA = RetrievalSet(name="metatool", tools=(), rows=())


def ranked(*names: str, needs: str = "a", seconds: float = 0.01) -> RankedRow:
    return RankedRow(
        row=RetrievalRow(text="x", tools=frozenset(needs)), names=names, seconds=seconds
    )


def test_recall_at_a_depth_is_the_mean_over_messages() -> None:
    rows = [ranked("a"), ranked(*"bcdefa"), ranked("b", seconds=0.05), ranked(*"ac", needs="ab")]
    report = build_report(rows, data=DATA, embedder="mini")
    assert (report.at_1.mean, report.at_5.mean, report.at_10.mean) == (0.375, 0.375, 0.625)
    assert report.median_ms == pytest.approx(10)


def test_the_json_has_the_promised_keys() -> None:
    document = build_report([ranked("a")], data=DATA, embedder=None).to_dict()
    assert json.loads(json.dumps(document)) == {
        "set": "metatool",
        "embedder": None,
        "n": 1,
        "tools": 0,
        "recall_at_1": 1.0,
        "recall_at_5": 1.0,
        "recall_at_10": 1.0,
        "ci95_at_5": [1.0, 1.0],
        "ci95_at_10": [1.0, 1.0],
        "median_ms": 10.0,
    }


def test_no_rows_have_no_report() -> None:
    with pytest.raises(ConfigError):
        build_report([], data=DATA, embedder=None)


def test_the_interval_is_two_standard_errors_wide() -> None:
    found = mean_recall([0.0, 1.0] * 50)
    assert found.mean == 0.5
    assert found.ci95.high - found.mean == pytest.approx(1.96 * 0.5 / 10, abs=1e-3)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_the_mean_lies_in_its_interval_within_0_and_1(values: list[float]) -> None:
    found = mean_recall(values)
    assert 0 <= found.ci95.low <= found.mean + 1e-9
    assert found.mean - 1e-9 <= found.ci95.high <= 1
