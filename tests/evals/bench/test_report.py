"""Promises of `smallhold.evals.bench.report`: this file holds tests of the document's keys."""

from __future__ import annotations

import json

from smallhold.evals.bench.report import Standings, SuiteReport

REPORT = SuiteReport(
    suite="route",
    model="m",
    rounds=5,
    standings=Standings(
        ours={"passes": 1}, peers={"llama-server": {"passes": None}}, ratio={"time": 0.123456}
    ),
    missing_peers={"llama-cpp-python": "not here"},
    machine={"cores": 2},
)


def test_the_document_has_exactly_the_promised_keys() -> None:
    assert list(REPORT.to_dict()) == ["suite", "model", "rounds", "ours", "peers", "ratio"]


def test_ours_says_where_it_was_measured_and_without_whom() -> None:
    assert REPORT.to_dict()["ours"] == {
        "passes": 1,
        "missing_peers": {"llama-cpp-python": "not here"},
        "machine": {"cores": 2},
    }


def test_ratios_are_rounded() -> None:
    assert REPORT.to_dict()["ratio"] == {"time": 0.1235}


def test_the_document_is_json() -> None:
    assert json.loads(json.dumps(REPORT.to_dict())) == REPORT.to_dict()
