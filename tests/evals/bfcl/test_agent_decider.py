"""Promises of `smallhold.evals.bfcl.agent_decider`: this file holds tests of answering rows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from smallhold.agents.call_script import call_script
from smallhold.agents.config import Config
from smallhold.engine.config import ModelConfig
from smallhold.evals.bfcl.agent_decider import MAX_CALL_TOKENS, scored_decider
from smallhold.evals.bfcl.dataset import BFCLRow, ExpectedCall
from smallhold.evals.bfcl.report import build_report
from smallhold.evals.bfcl.runner import run_bfcl
from smallhold.generation import Prompt
from smallhold.messages import Message, Role, ToolSchema, Usage
from smallhold.runtimes.embedded import EmbeddedRuntime
from smallhold.testing import Calls, ScriptedRuntime, call
from smallhold.testing.scripted import Call

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio


def tool(name: str) -> ToolSchema:
    return ToolSchema(
        name=name,
        description=f"The {name} of a city.",
        parameters={
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    )


ROW = BFCLRow(
    id="multiple_1",
    messages=(Message(role=Role.USER, content="What is the weather in Oslo?"),),
    tools=(tool("population"), tool("weather")),
    ground_truth=(ExpectedCall(name="weather", accepted={"city": ("Oslo",)}),),
)


async def test_a_planned_call_answers_the_row() -> None:
    runtime = ScriptedRuntime([call("weather", city="Oslo")])
    decided = await scored_decider(runtime, tool_choice="auto")(ROW)
    (made,) = decided.calls
    assert (made.name, made.arguments) == ("weather", {"city": "Oslo"})
    assert decided.usage.passes > 0


async def test_a_row_s_messages_and_tools_are_all_that_is_decided_on() -> None:
    runtime = ScriptedRuntime([call("weather", city="Oslo")])
    await scored_decider(runtime, tool_choice="auto")(ROW)
    (request,) = runtime.requests
    whole = Prompt(messages=ROW.messages, tools=ROW.tools)
    assert request.prompt == call_script(whole, opened="weather")


async def test_a_row_that_asks_for_several_things_is_answered_with_several_calls() -> None:
    both = Calls(calls=(call("weather", city="Oslo"), call("population", city="Oslo")))
    decided = await scored_decider(ScriptedRuntime([both]), tool_choice="auto")(ROW)
    assert [made.name for made in decided.calls] == ["weather", "population"]


async def test_a_row_may_be_left_without_a_call() -> None:
    decided = await scored_decider(ScriptedRuntime(["It is cold."]), tool_choice="auto")(ROW)
    assert decided.calls == ()


async def test_a_call_that_was_cut_off_is_no_call() -> None:
    cut = Call(name="weather", arguments={"city": "Oslo"}, is_cut=True)
    decided = await scored_decider(ScriptedRuntime([cut]), tool_choice="required")(ROW)
    assert decided.calls == ()
    assert decided.usage.passes > 0


async def test_a_row_without_tools_costs_nothing() -> None:
    decide = scored_decider(ScriptedRuntime(), tool_choice="auto")
    decided = await decide(replace(ROW, tools=(), ground_truth=()))
    assert (decided.calls, decided.usage) == ((), Usage())


async def test_a_run_over_rows_is_scored_by_the_board_s_rules() -> None:
    runtime = ScriptedRuntime([call("weather", city="Oslo"), call("population", city="Oslo")])
    rows = [ROW, replace(ROW, id="multiple_2")]
    results = await run_bfcl(rows, decide=scored_decider(runtime, tool_choice="required"))
    report = build_report(results, category="multiple", model="scripted")
    assert (report.accuracy, report.valid_rate) == (0.5, 1.0)
    assert report.errors == {"wrong_func_name": 1}


async def test_a_real_model_s_forced_call_is_one_of_the_tools(smollm2_path: Path) -> None:
    runtime = EmbeddedRuntime(ModelConfig(path=smollm2_path, name="small"))
    try:
        decide = scored_decider(runtime, tool_choice="required", max_tokens=64)
        (result,) = await run_bfcl([ROW], decide=decide)
    finally:
        await runtime.aclose()
    assert result.valid


def test_a_call_may_be_as_long_as_an_agent_s_own() -> None:
    assert Config(name="a").max_tokens == MAX_CALL_TOKENS
