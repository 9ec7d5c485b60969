"""Promises of `smallhold.cli.when2call`: this file holds tests of `smallhold eval when2call`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.evals.when2call.rows import row_record, write_rows

from smallhold.cli.when2call import measure_when2call, report_tables
from smallhold.evals.when2call import build_report, read_when2call
from smallhold.testing import ScriptedRuntime, call

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine, Program, Screen

pytestmark = pytest.mark.anyio


@pytest.fixture
def data(tmp_path: Path) -> Path:
    records = [
        row_record("a"),
        row_record("b", label="cannot_answer"),
        row_record("c", label="cannot_answer", tools=0),
    ]
    return write_rows(tmp_path / "when2call" / "rows.jsonl", *records).parent.parent


async def test_people_read_figures_and_what_was_done(data: Path, screen: Screen) -> None:
    results = await measure_when2call(
        read_when2call(data),
        runtime=ScriptedRuntime([call("weather", city="Oslo"), call("weather", city="Oslo")]),
        limit=None,
        console=screen.console,
    )
    assert "3/3 2 right" in screen.text
    screen.console.print(*report_tables(build_report(results, model="scripted")))
    assert "called when no tool applies" in screen.text
    assert "50.0% of 2" in screen.text


async def test_a_limit_takes_the_first_rows(data: Path, screen: Screen) -> None:
    results = await measure_when2call(
        read_when2call(data),
        runtime=ScriptedRuntime([call("weather", city="Oslo")]),
        limit=1,
        console=screen.console,
    )
    assert [result.row.id for result in results] == ["a"]


def test_a_folder_without_rows_is_wrong_usage(tmp_path: Path, command_line: CommandLine) -> None:
    result = command_line("eval", "when2call", "--data", str(tmp_path))
    assert result.exit_code == 2
    assert "name a folder" in result.stderr


def test_json_of_a_real_run_holds_the_promised_figures(
    data: Path, smollm2_path: Path, program: Program
) -> None:
    done = program(*(
        "eval",
        "when2call",
        "--data",
        str(data),
        "--model",
        str(smollm2_path),
        "--json",
    ))
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["n"] == 3
    assert {"macro_f1", "hallucinated_calls"} <= report.keys()
