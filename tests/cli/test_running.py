"""Promises of `smallhold.cli.running`: this file holds tests of `smallhold run`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from smallhold.agents import Agent, Config
from smallhold.cli.running import run_once, show_resumed
from smallhold.exceptions import WorkerDiedError
from smallhold.state import State
from smallhold.testing import Call, ScriptedRuntime, call
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


async def test_a_message_with_a_session_is_kept_and_its_run_can_be_shown_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def clerk(*script: Entry) -> Agent:
        runtime = ScriptedRuntime(script)
        return Agent(Config(name="lamps"), runtime=runtime, state=State(tmp_path / "state.db"))

    await run_once(clerk("Hello."), "Hi", session="kiosk", as_json=True)
    run = json.loads(capsys.readouterr().out)["run_id"]
    await show_resumed(clerk(), run, as_json=False)
    assert capsys.readouterr().out == "Hello.\n"
    state = State(tmp_path / "state.db")
    assert len(await state.sessions.conversation("kiosk")) == 2
    await state.aclose()


async def test_json_tells_answer_steps_and_costs(capsys: pytest.CaptureFixture[str]) -> None:
    clerk = agent(call("lamp_stock", name="Glimmer"), "We have seven.")
    await run_once(clerk, "Any Glimmer?", as_json=True)
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert list(result) == [
        "text", "ending", "intent", "margin", "steps", "dropped", "flags", "usage", "timing",
        "model", "run_id", "approvals",
    ]  # fmt: skip
    assert (result["text"], result["ending"]) == ("We have seven.", "answered")
    assert result["intent"] == "call"
    assert result["margin"] > 0
    assert (result["dropped"], result["flags"]) == ([], [])
    (step,) = result["steps"]
    assert step.pop("margin") > 0
    assert step == {
        "tool": "lamp_stock",
        "arguments": {"name": "Glimmer"},
        "content": '{"pieces":7}',
        "is_error": False,
        "ran": True,
        "refusal": None,
    }
    assert result["usage"]["passes"] > 0
    assert set(result["timing"]) == {"queued_s", "first_token_s", "total_s"}


async def test_json_tells_what_guardrails_noted_and_why_a_call_was_not_run(
    capsys: pytest.CaptureFixture[str],
) -> None:
    cut = Call(name="lamp_stock", arguments={"name": "Glimmer"}, is_cut=True)
    clerk = agent(cut, "I have booked a lamp for you.")
    await run_once(clerk, "Any Glimmer?", as_json=True)
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert result["steps"][0]["refusal"] == "unreadable"
    (flag,) = result["flags"]
    assert (flag["guardrail"], flag["stage"], flag["outcome"]) == (
        "unfounded_actions",
        "output",
        "flag",
    )


async def test_json_tells_what_was_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    runtime = ScriptedRuntime([call("log"), "Long."], context_tokens=2_500)
    reader = Agent(Config(name="reader"), runtime=runtime)

    @reader.tool
    def log() -> str:
        """Read the log."""
        return "line of the log " * 400

    assert callable(log)
    await run_once(reader, "Read the log", as_json=True)
    dropped, *_ = json.loads(capsys.readouterr().out)["dropped"]
    assert (dropped["kind"], dropped["what"]) == ("result_cut", "log")
    assert dropped["tokens"] > 0


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
