"""Promises of `smallhold.cli.running`: this file holds tests of `smallhold run`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from smallhold.agents import Agent, Config
from smallhold.cli.running import run_once
from smallhold.exceptions import WorkerDiedError
from smallhold.testing import ScriptedRuntime, call
from smallhold.testing.scripted import Entry, Fault

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Program

pytestmark = pytest.mark.anyio


def lamp_stock(name: str) -> dict[str, int]:
    """Count lamps.

    Args:
        name: The lamp's name.
    """
    return {"pieces": len(name)}


def agent(*script: Entry) -> Agent:
    return Agent(Config(name="lamps"), runtime=ScriptedRuntime(script), tools=[lamp_stock])


async def test_json_tells_answer_steps_and_costs(capsys: pytest.CaptureFixture[str]) -> None:
    clerk = agent(call("lamp_stock", name="Glimmer"), "We have seven.")
    await run_once(clerk, "Any Glimmer?", as_json=True)
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert list(result) == ["text", "ending", "steps", "usage", "timing", "model"]
    assert (result["text"], result["ending"]) == ("We have seven.", "answered")
    (step,) = result["steps"]
    assert step.pop("margin") > 0
    assert step == {
        "tool": "lamp_stock",
        "arguments": {"name": "Glimmer"},
        "content": '{"pieces":7}',
        "is_error": False,
        "ran": True,
    }
    assert result["usage"]["passes"] > 0
    assert set(result["timing"]) == {"queued_s", "first_token_s", "total_s"}


async def test_for_people_stdout_holds_the_answer_alone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    clerk = agent(call("lamp_stock", name="Glimmer"), "We have seven.")
    await run_once(clerk, "Any Glimmer?", as_json=False)
    captured = capsys.readouterr()
    assert captured.out == "We have seven.\n"
    assert "lamp_stock" in captured.err


@pytest.mark.parametrize("as_json", [True, False])
async def test_an_error_of_the_run_is_raised(
    as_json: bool,  # noqa: FBT001 - a parameter of pytest
    capsys: pytest.CaptureFixture[str],
) -> None:
    fault = Fault(error=WorkerDiedError(model="m", cause="killed"))
    with pytest.raises(WorkerDiedError):
        await run_once(agent(fault), "Hi", as_json=as_json)
    assert capsys.readouterr().out == ""


def test_a_real_model_answers_in_json(smollm2_path: Path, program: Program) -> None:
    done = program("run", "What is 2+2?", "--model", str(smollm2_path), "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["text"]
    assert result["usage"]["completion_tokens"] > 0
    assert result["model"] == smollm2_path.stem


def test_a_message_from_stdin_is_answered(smollm2_path: Path, program: Program) -> None:
    done = program("run", "-", "--model", str(smollm2_path), stdin="Say hello.")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
