"""Promises of `smallhold.cli.bfcl`: this file holds tests of `smallhold eval bfcl`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from smallhold.cli.bfcl import measure_bfcl, report_table
from smallhold.evals.bfcl import build_report, read_category
from smallhold.exceptions import ConfigError, WorkerDiedError
from smallhold.messages import JsonObject
from smallhold.testing import ScriptedRuntime, call
from smallhold.testing.scripted import Fault

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import CommandLine, Program, Screen

pytestmark = pytest.mark.anyio

KEYS = [
    "category", "model", "n", "accuracy", "ci95", "valid_rate", "passes_per_call",
    "prompt_tokens_mean", "errors",
]  # fmt: skip


def tool(name: str) -> JsonObject:
    function: JsonObject = {
        "name": name,
        "description": f"The {name} of a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    }
    return {"type": "function", "function": function}


def row(number: int) -> JsonObject:
    return {
        "id": f"multiple_{number}",
        "messages": [{"role": "user", "content": f"How is the weather in Oslo on day {number}?"}],
        "tools": [tool("population"), tool("weather")],
        "ground_truth": [{"weather": {"city": ["Oslo"]}}],
    }


@pytest.fixture
def data(tmp_path: Path) -> Path:
    lines = [json.dumps(row(number)) for number in range(3)]
    (tmp_path / "multiple.jsonl").write_text("\n".join(lines), "utf-8")
    return tmp_path


async def test_rows_are_scored_and_progress_counts_those_that_are_right(
    data: Path, screen: Screen
) -> None:
    rows = read_category(data, category="multiple")
    script = [call(name, city="Oslo") for name in ("weather", "population", "weather")]
    results = await measure_bfcl(
        rows,
        runtime=ScriptedRuntime(script),
        tool_choice="required",
        limit=None,
        console=screen.console,
    )
    assert [result.verdict.correct for result in results] == [True, False, True]
    assert "3/3 2 right" in screen.text


async def test_a_limit_takes_the_first_rows(data: Path, screen: Screen) -> None:
    rows = read_category(data, category="multiple")
    runtime = ScriptedRuntime([call("weather", city="Oslo")])
    results = await measure_bfcl(
        rows, runtime=runtime, tool_choice="auto", limit=1, console=screen.console
    )
    assert [result.row_id for result in results] == ["multiple_0"]


async def test_an_engine_that_dies_ends_the_run(data: Path, screen: Screen) -> None:
    rows = read_category(data, category="multiple")
    fault = Fault(error=WorkerDiedError(model="m", cause="killed"))
    script = [call("weather", city="Oslo"), fault]
    with pytest.raises(WorkerDiedError):
        await measure_bfcl(
            rows,
            runtime=ScriptedRuntime(script),
            tool_choice="required",
            limit=None,
            console=screen.console,
        )


async def test_people_read_share_interval_and_mistakes(data: Path, screen: Screen) -> None:
    rows = read_category(data, category="multiple")
    script = [call(name, city="Oslo") for name in ("weather", "population", "weather")]
    runtime = ScriptedRuntime(script)
    results = await measure_bfcl(
        rows, runtime=runtime, tool_choice="auto", limit=None, console=screen.console
    )
    screen.console.print(report_table(build_report(results, category="multiple", model="scripted")))
    assert "66.7% (95 % interval 20.8% to 93.9%)" in screen.text
    assert "wrong: wrong_func_name" in screen.text


def test_an_unknown_category_is_wrong_usage_and_names_those_that_are_there(
    data: Path, command_line: CommandLine
) -> None:
    arguments = ("eval", "bfcl", "--data", str(data), "--category", "parallel", "--json")
    result = command_line(*arguments)
    assert result.exit_code == 2
    assert "choose one of multiple" in result.stderr


def test_a_model_that_is_not_there_fails_before_any_row(
    data: Path, command_line: CommandLine
) -> None:
    arguments = ("eval", "bfcl", "--data", str(data), "--category", "multiple")
    result = command_line(*arguments, "--model", "phi-4-mini")
    assert result.exit_code == 1
    assert "smallhold pull phi-4-mini" in result.stderr


def test_an_unknown_tool_choice_is_wrong_usage(data: Path, command_line: CommandLine) -> None:
    arguments = ("eval", "bfcl", "--data", str(data), "--category", "multiple")
    assert command_line(*arguments, "--tool-choice", "sometimes").exit_code == 2


def test_json_of_a_real_run_has_exactly_the_report_s_keys(
    data: Path, smollm2_path: Path, program: Program
) -> None:
    done = program(
        *("eval", "bfcl", "--data", str(data), "--category", "multiple", "--limit", "2"),
        *("--tool-choice", "required", "--model", str(smollm2_path), "--json"),
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert list(report) == KEYS
    assert report["n"] == 2
    assert report["valid_rate"] == 1.0


async def test_a_limit_below_one_is_refused(data: Path, screen: Screen) -> None:
    rows = read_category(data, category="multiple")
    with pytest.raises(ConfigError, match="limit"):
        await measure_bfcl(
            rows, runtime=ScriptedRuntime(), tool_choice="auto", limit=0, console=screen.console
        )
