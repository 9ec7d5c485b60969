from __future__ import annotations

from contextlib import aclosing

import pytest

from smallhold.agents import Agent, Config
from smallhold.agents.context import ContextBudget
from smallhold.agents.playing import Playing
from smallhold.agents.runs.volatile import VolatileRuns
from smallhold.agents.serving import Served, Serving
from smallhold.agents.turn import Turn
from smallhold.exceptions import ModelOutputError, ScriptExhaustedError
from smallhold.messages import DoneEvent, ErrorEvent, Message, Role
from smallhold.testing import ScriptedRuntime

pytestmark = pytest.mark.anyio


def agent_of(runtime: ScriptedRuntime) -> Agent:
    return Agent(Config(name="desk", guardrails=()), runtime=runtime)


async def test_events_carry_the_runs_id_and_the_result_too() -> None:
    agent = agent_of(ScriptedRuntime(["It is Monday."]))
    async with aclosing(agent.stream("Which day is it?")) as events:
        ids = {event.run_id async for event in events}
    result = await agent_of(ScriptedRuntime(["It is Monday."])).run("Which day is it?")
    assert len(ids) == 1
    assert ids != {""}
    assert result.run_id


async def test_a_run_that_fails_ends_with_its_error() -> None:
    agent = agent_of(ScriptedRuntime([]))
    async with aclosing(agent.stream("Hello?")) as events:
        *_, last = [event async for event in events]
    assert isinstance(last, ErrorEvent)
    assert isinstance(last.error, ScriptExhaustedError)


async def test_a_run_that_nobody_has_played_has_no_result() -> None:
    def begin(_: Served) -> Turn:
        pytest.fail("nobody plays it")

    serving = Serving(runtime=ScriptedRuntime(), budget=ContextBudget())
    message = Message(role=Role.USER, content="Hello?")
    async with VolatileRuns().begin(message, session=None, output=None, limit_s=5) as run:
        with pytest.raises(ModelOutputError, match="without an end"):
            _ = Playing(run=run, serving=serving, turn_on=begin).result


async def test_the_last_event_says_when_a_smaller_model_has_answered() -> None:
    agent = agent_of(ScriptedRuntime(["yes"]))
    async with aclosing(agent.stream("Hello?")) as events:
        *_, last = [event async for event in events]
    assert isinstance(last, DoneEvent)
    assert not last.degraded
