"""Behaviour of our agent before questions that it may not be able to answer."""

from __future__ import annotations

import pytest
from tests.evals.when2call.rows import CALL, CANNOT, row

from smallhold.agents.planning import Intent
from smallhold.evals.when2call import Behaviour
from smallhold.evals.when2call.agent_decider import BEHAVIOURS, scored_behaviour
from smallhold.testing import ScriptedRuntime, call

pytestmark = pytest.mark.anyio


async def test_a_call_is_a_call_of_the_tool_that_was_chosen() -> None:
    behaved = await scored_behaviour(ScriptedRuntime([call("weather", city="Oslo")]))(row(CALL))
    assert (behaved.behaviour, behaved.tools) == (CALL, ("weather",))
    assert behaved.usage.passes > 0


async def test_no_call_is_no_call() -> None:
    behaved = await scored_behaviour(ScriptedRuntime(["I do not know."]))(row(CANNOT))
    assert behaved.behaviour is not CALL
    assert behaved.tools == ()


async def test_without_tools_nothing_is_asked_of_the_model() -> None:
    behaved = await scored_behaviour(ScriptedRuntime())(row(CANNOT, has_tools=False))
    assert (behaved.behaviour, behaved.is_direct) == (CANNOT, True)
    assert behaved.usage.passes == 0


async def test_every_intent_of_an_agent_is_one_of_the_behaviours() -> None:
    assert set(BEHAVIOURS) == set(Intent)
    assert set(BEHAVIOURS.values()) == set(Behaviour)
