"""Promises of `smallhold.tools.serving.answerer`: this file holds tests that agents conform."""

from __future__ import annotations

from contextlib import aclosing

import pytest

from smallhold.agents import Agent, Config
from smallhold.messages import DoneEvent
from smallhold.testing import ScriptedRuntime
from smallhold.tools.serving import Answerer

pytestmark = pytest.mark.anyio


async def test_an_agent_can_be_served() -> None:
    served: Answerer = Agent(Config(name="desk"), runtime=ScriptedRuntime(["hello", "hello"]))
    assert len(served.tools) == 0
    assert await served.chat_async("hi", session="a") == "hello"
    async with aclosing(served.stream("hi", session="a")) as events:
        assert isinstance([event async for event in events][-1], DoneEvent)
