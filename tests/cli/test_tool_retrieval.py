"""Promises of `smallhold.cli.tool_retrieval`: this file holds tests of `eval tool-retrieval`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from smallhold.cli.tool_retrieval import retrieval_table
from smallhold.evals.intervals import Interval
from smallhold.evals.tool_retrieval import RetrievalReport
from smallhold.evals.tool_retrieval.report import Recall

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import CommandLine, Screen


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "data" / "metatool"
    folder.mkdir(parents=True)
    rows = [
        {"query": f"{words} {number}", "tool": tool}
        for tool, words in (("weather", "will rain fall"), ("flight", "reserve me a seat"))
        for number in range(8)
    ]
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (folder / "big_tool_des.json").write_text("{}")
    return folder.parent


def test_words_alone_are_measured_without_any_model(
    folder: Path, command_line: CommandLine
) -> None:
    result = command_line(
        "eval", "tool-retrieval", "--data", str(folder), "--set", "metatool",
        "--embedder", "none", "--json",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    report = json.loads(result.stdout)
    assert (report["n"], report["tools"], report["embedder"]) == (6, 2, None)
    assert (report["recall_at_1"], report["recall_at_5"], report["recall_at_10"]) == (1, 1, 1)


def test_people_read_a_table(folder: Path, command_line: CommandLine) -> None:
    result = command_line(
        "eval", "tool-retrieval", "--data", str(folder), "--set", "metatool",
        "--embedder", "none", "--limit", "3",
    )  # fmt: skip
    assert result.exit_code == 0
    assert "words only on metatool" in result.stdout
    assert "recall@10" in result.stdout


def test_a_sentence_model_that_is_not_here_names_the_command_that_fetches_it(
    folder: Path, command_line: CommandLine
) -> None:
    result = command_line("eval", "tool-retrieval", "--data", str(folder), "--set", "metatool")
    assert result.exit_code == 1
    assert "smallhold pull all-minilm-l6-v2" in result.stderr


@pytest.mark.parametrize(
    "arguments", [("--set", "gorilla"), ("--set", "metatool", "--embedder", "smollm2-135m")]
)
def test_wrong_words_are_wrong_usage(
    arguments: tuple[str, ...], folder: Path, command_line: CommandLine
) -> None:
    result = command_line("eval", "tool-retrieval", "--data", str(folder), *arguments)
    assert result.exit_code == 2
    assert "choose" in result.stderr


def test_the_table_names_the_model_and_the_interval(screen: Screen) -> None:
    recall = Recall(mean=0.5, ci95=Interval(low=0.4, high=0.6))
    report = RetrievalReport(
        set_name="metatool", embedder="mini", n=10, tools=5, at_1=recall, at_5=recall,
        at_10=recall, median_ms=12.4,
    )  # fmt: skip
    screen.console.print(retrieval_table(report))
    assert "mini on metatool" in screen.text
    assert "50.0% (95 % interval 40.0% to 60.0%)" in screen.text
    assert "12 ms" in screen.text
