"""Promises of `smallhold.cli.demo`: this file holds tests of `smallhold demo`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from customer_service import TASKS
from smallhold.cli.demo import hold_demo, shop_folder
from smallhold.cli.demo_session import open_shop, shop_agent
from smallhold.testing import ScriptedRuntime, call

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine, Program, Screen

KEYS = [
    "tasks", "completed", "valid_calls", "calls", "seconds", "tokens", "peak_rss_bytes", "model",
]  # fmt: skip


def without_network() -> list[str]:
    """A command prefix that leaves the program no network, not even a loopback that is up."""
    prefixes = (["unshare", "--net"], ["unshare", "--map-root-user", "--net"])
    for prefix in prefixes if shutil.which("unshare") else ():
        if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0:
            return prefix
    pytest.skip("this system does not let the test take the network away")


@pytest.mark.anyio
async def test_the_demo_shows_messages_calls_answers_verdicts_and_figures(
    tmp_path: Path, screen: Screen
) -> None:
    database = open_shop(tmp_path)
    script = [call("order_status", order_id="1042"), *["I do not know."] * len(TASKS)]
    agent = shop_agent(database, model=None, runtime=ScriptedRuntime(script))
    report = await hold_demo(agent, database=database, console=screen.console, as_json=False)
    for text in (
        "[1/12] order-shipped",
        "customer  Hi, where is my order 1042?",
        '  → order_status(order_id="1042")',
        "I do not know.",
        "✓ The right record was looked up.",
        "✗ The record was not looked up.",
        "first token",
        "1 of 1",
    ):
        assert text in screen.text
    assert report.completed == sum(task.completed for task in report.tasks)
    assert report.peak_rss_bytes > 0


@pytest.mark.anyio
async def test_json_is_a_line_for_each_task_and_then_the_figures(
    tmp_path: Path, screen: Screen, capsys: pytest.CaptureFixture[str]
) -> None:
    database = open_shop(tmp_path)
    runtime = ScriptedRuntime(["I do not know."] * len(TASKS))
    agent = shop_agent(database, model="smollm2-135m", runtime=runtime)
    await hold_demo(agent, database=database, console=screen.console, as_json=True)
    lines: list[dict[str, Any]] = [
        json.loads(line) for line in capsys.readouterr().out.splitlines()
    ]
    assert [line.get("task") for line in lines] == [*(task.id for task in TASKS), None]
    assert list(lines[-1]) == KEYS
    assert (lines[-1]["tasks"], lines[-1]["calls"], lines[-1]["valid_calls"]) == (12, 0, 0)
    assert lines[-1]["model"] == "smollm2-135m"


def test_without_a_wish_the_shop_is_gone_afterwards() -> None:
    with shop_folder(None) as folder:
        database = open_shop(folder)
        assert database.is_file()
    assert not folder.exists()


def test_a_kept_shop_stays(tmp_path: Path) -> None:
    with shop_folder(tmp_path / "kept") as folder:
        database = open_shop(folder)
    assert database.is_file()


def test_a_folder_with_a_shop_in_it_is_wrong_usage(
    tmp_path: Path, command_line: CommandLine
) -> None:
    open_shop(tmp_path)
    result = command_line("demo", "--keep", str(tmp_path))
    assert result.exit_code == 2
    assert "name another folder" in result.stderr


def test_without_its_model_the_demo_says_what_to_pull(command_line: CommandLine) -> None:
    result = command_line("demo", "--json")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "smallhold pull qwen2.5-coder-0.5b" in result.stderr


@pytest.mark.slow
def test_the_demo_runs_to_its_end_without_any_network(
    smollm2_path: Path, program: Program, tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    command = program.command("demo", "--model", str(smollm2_path), "--keep", str(kept), "--json")
    done = subprocess.run(
        [*without_network(), *command],
        capture_output=True,
        text=True,
        env={**os.environ, "SMALLHOLD_CACHE": str(tmp_path / "cache")},
        timeout=1800,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert list(figures) == KEYS
    assert figures["tasks"] == 12
    assert 0 <= figures["valid_calls"] <= figures["calls"]
    # The weights alone are in the worker's memory; so much less would mean that it was not read.
    assert figures["peak_rss_bytes"] > smollm2_path.stat().st_size
    assert (kept / "shop.sqlite").is_file()
