"""Promises of `smallhold.cli.benchmarking`: this file holds tests of `smallhold bench`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from smallhold.cli.benchmarking import Changes, RoundLines, flat, parse_changes, report_tables
from smallhold.evals.bench import Standings, SuiteReport, Turn
from smallhold.exceptions import ConfigError

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine, Program, Screen

REPORT = SuiteReport(
    suite="concurrent",
    model="small",
    rounds=5,
    standings=Standings(
        ours={"sessions_1": {"tokens_per_s": 12.345}},
        peers={"llama-server": {"sessions_1": {"tokens_per_s": None}}},
        ratio={"tokens_per_s": 1.25, "first_token_p95": None},
    ),
    missing_peers={},
    machine={},
)


def test_people_see_contestants_side_by_side_and_the_ratios(screen: Screen) -> None:
    screen.console.print(*report_tables(REPORT))
    assert "concurrent on small, 5 rounds" in screen.text
    assert "llama-server" in screen.text
    assert "sessions 1 tokens per s" in screen.text
    assert "12.35" in screen.text
    assert "1.250" in screen.text


def test_figures_inside_figures_have_both_names() -> None:
    assert flat({"a": {"b": 1, "c": None}, "d": "x"}) == {"a b": "1", "a c": "-", "d": "x"}


def test_progress_is_one_line_a_round(screen: Screen) -> None:
    lines = RoundLines(screen.console, rounds=2)
    for number in (0, 0, 1, 1):
        lines(Turn(name="ours", round=number, item=0))
    assert screen.text.splitlines() == ["round 1/2", "round 2/2"]


def test_changes_are_names_with_values() -> None:
    changes = ["limit=3", "sessions=2", "threads=1", "peers=llama-server,llama_decode"]
    assert parse_changes(changes) == Changes(
        limit=3, sessions=2, threads=1, peers=("llama-server", "llama_decode")
    )


def test_no_peers_at_all_can_be_asked_for() -> None:
    assert parse_changes(["peers="]).peers == ()


@pytest.mark.parametrize("change", ["limit", "limit=", "limit=-1", "limit=x", "speed=3", ""])
def test_any_other_change_is_refused(change: str) -> None:
    with pytest.raises(ConfigError, match="NUMBER"):
        parse_changes([change])


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--suite", "speed"), "choose one of tool-call"),
        (("--suite", "route", "--rounds", "0"), "give 1 or more"),
        (("--suite", "route", "--set", "peers=vllm"), "llama-server"),
    ],
)
def test_wrong_usage_is_told_before_anything_runs(
    arguments: tuple[str, ...], problem: str, command_line: CommandLine, smollm2_path: Path
) -> None:
    result = command_line("bench", *arguments, "--model", str(smollm2_path))
    assert result.exit_code == 2
    assert problem in result.stderr


def test_a_model_that_is_not_there_fails(command_line: CommandLine) -> None:
    result = command_line("bench", "--suite", "route", "--model", "phi-4-mini")
    assert result.exit_code == 1
    assert "smallhold pull phi-4-mini" in result.stderr


def test_json_of_a_real_run_has_exactly_the_promised_keys(
    smollm2_path: Path, program: Program
) -> None:
    done = program(
        *("bench", "--suite", "route", "--model", str(smollm2_path), "--rounds", "1"),
        *("--set", "limit=1", "--set", "peers=", "--json"),
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert list(report) == ["suite", "model", "rounds", "ours", "peers", "ratio"]
    assert report["model"] == smollm2_path.stem
    assert report["ratio"] == {"passes": 1.0, "time": None}
    assert "round 1/1" in done.stderr
