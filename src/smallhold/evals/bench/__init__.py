"""Comparing the engine with others on one machine: this package holds the benchmark suites."""

from __future__ import annotations

from smallhold.evals.bench.peers import PeerSettings
from smallhold.evals.bench.report import Standings, SuiteReport
from smallhold.evals.bench.rounds import Turn
from smallhold.evals.bench.setup import PEER_SCRIPTS, BenchSetup
from smallhold.evals.bench.suites import ALL, SUITES, suites_named

__all__ = [
    "ALL",
    "PEER_SCRIPTS",
    "SUITES",
    "BenchSetup",
    "PeerSettings",
    "Standings",
    "SuiteReport",
    "Turn",
    "suites_named",
]
