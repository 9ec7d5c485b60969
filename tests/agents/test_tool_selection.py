from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from smallhold.agents import Agent, Config
from smallhold.agents.tool_selection import DEFAULT_TOOL_LIMIT, ToolSelection
from smallhold.exceptions import ConfigError, ToolDefinitionError
from smallhold.generation import Embedding, EmbedRequest
from smallhold.messages import Message, Role, ToolCall, ToolSchema, Usage
from smallhold.runtimes import Capability
from smallhold.testing import NATIVE, ScriptedRuntime, call
from smallhold.tools import AnyTool, ToolSet, tool_from_function

if TYPE_CHECKING:
    from tests.agents.conftest import Listening

THINGS = (
    "lamp", "kettle", "blind", "oven", "fridge", "heater", "door", "window", "fan", "radio",
    "fountain", "gate", "sauna", "shutter", "fireplace",
)  # fmt: skip


def switch(thing: str) -> AnyTool:
    def change() -> str:
        return thing

    return tool_from_function(
        change, name=f"switch_{thing}", description=f"Switch the {thing} on or off."
    )


def said(*texts: str) -> list[Message]:
    return [Message(role=Role.USER, content=text) for text in texts]


def names(schemas: tuple[ToolSchema, ...]) -> list[str]:
    return [schema.name for schema in schemas]


async def test_few_tools_are_all_offered() -> None:
    tools = ToolSet(map(switch, THINGS[:DEFAULT_TOOL_LIMIT]))
    assert await ToolSelection(tools=tools).offered(said("Hello")) == tools.schemas


async def test_of_many_tools_the_likely_ones_are_offered_in_their_own_order() -> None:
    tools = ToolSet(map(switch, THINGS))
    offered = names(
        await ToolSelection(tools=tools, limit=4).offered(said("Open the gate, light the lamp"))
    )
    assert len(offered) == 4
    assert {"switch_lamp", "switch_gate"} <= set(offered)
    assert offered == [name for name in tools.names if name in offered]


async def test_a_tool_that_was_used_stays_on_offer() -> None:
    tools = ToolSet(map(switch, THINGS))
    used = Message(
        role=Role.ASSISTANT,
        content="",
        tool_calls=(ToolCall(id="1", name="switch_sauna", arguments={}),),
    )
    conversation = [*said("Heat the sauna"), used, *said("Open the gate")]
    assert "switch_sauna" in names(await ToolSelection(tools=tools, limit=2).offered(conversation))


async def test_tools_that_are_added_removed_or_exchanged_are_seen() -> None:
    tools = ToolSet(map(switch, THINGS))
    selection = ToolSelection(tools=tools, limit=2)
    assert "switch_gate" in names(await selection.offered(said("Open the gate")))
    tools.add(switch("harbour"))
    assert "switch_harbour" in names(await selection.offered(said("Open the harbour")))
    tools.remove("switch_gate")
    assert "switch_gate" not in names(await selection.offered(said("Open the gate")))


class Synonyms:
    """An embedder that knows that a portal is a gate."""

    async def embed(self, request: EmbedRequest) -> Embedding:
        text = request.prompt.messages[-1].content
        is_gate = "gate" in text or "portal" in text
        return Embedding(vector=(1.0, 0.0) if is_gate else (0.0, 1.0), usage=Usage())


async def test_meanings_are_compared_where_there_is_an_embedder() -> None:
    tools = ToolSet(map(switch, THINGS))
    asked = said("Open the portal")
    by_words = ToolSelection(tools=tools, limit=2)
    by_meaning = ToolSelection(tools=tools, limit=2, find_embedder=Synonyms)
    assert "switch_gate" not in names(await by_words.offered(asked))
    assert "switch_gate" in names(await by_meaning.offered(asked))


async def test_no_embedder_is_opened_for_a_handful_of_tools() -> None:
    def fail() -> None:
        raise AssertionError

    tools = ToolSet(map(switch, THINGS[:3]))
    assert await ToolSelection(tools=tools, find_embedder=fail).offered(said("Hello"))


async def test_an_agent_uses_the_embedder_that_it_is_given() -> None:
    runtime = ScriptedRuntime(["Fine."], capabilities=NATIVE)
    agent = Agent(
        Config(name="house", tool_limit=2),
        runtime=runtime,
        tools=map(switch, THINGS),
        embedder=Synonyms(),
    )
    await agent.run("Open the portal")
    assert "switch_gate" in names(runtime.requests[0].prompt.tools)


# An agent


async def test_an_agent_with_many_tools_shows_the_model_a_handful(
    kind: frozenset[Capability], listening: Listening
) -> None:
    scripted = ScriptedRuntime([call("switch_gate"), "Open."], capabilities=kind)
    agent = Agent(
        Config(name="house", tool_limit=3),
        runtime=listening.to(scripted),
        tools=map(switch, THINGS),
    )
    result = await agent.run("Please open the gate")
    assert result.steps[0].content == "gate"
    if kind == NATIVE:
        assert len(scripted.requests[0].prompt.tools) == 3


async def test_an_agent_holds_five_hundred_tools(kind: frozenset[Capability]) -> None:
    things = [f"{thing}_{number}" for thing in THINGS for number in range(34)]
    runtime = ScriptedRuntime([call("switch_oven_7"), "Hot."], capabilities=kind)
    agent = Agent(Config(name="house"), runtime=runtime, tools=map(switch, things))
    assert len(agent.tools) > 500
    result = await agent.run("Switch oven 7 on")
    assert result.steps[0].content == "oven_7"


async def test_an_agent_takes_a_tool_with_sixty_parameters(kind: frozenset[Capability]) -> None:
    source = ", ".join(f"p{number}: int = 0" for number in range(60))
    space: dict[str, object] = {}
    exec(f"def many({source}) -> int:\n    'Add many.'\n    return p0 + p59", space)  # noqa: S102 - sixty parameters by hand help nobody
    runtime = ScriptedRuntime([call("many", p0=4, p59=5), "Nine."], capabilities=kind)
    many = space["many"]
    assert callable(many)
    result = await Agent(Config(name="sum"), runtime=runtime, tools=[many]).run("Add 4 and 5")
    assert result.steps[0].content == "9"


def test_two_tools_of_one_name_are_refused_at_the_agent_s_door() -> None:
    with pytest.raises(ToolDefinitionError, match="switch_lamp"):
        Agent(
            Config(name="house"),
            runtime=ScriptedRuntime(),
            tools=[switch("lamp"), switch("lamp")],
        )


@pytest.mark.parametrize("name", ["switch lamp", "1st", "lamp!", "", "é"])
def test_a_name_that_no_runtime_takes_is_refused_at_the_agent_s_door(name: str) -> None:
    agent = Agent(Config(name="house"), runtime=ScriptedRuntime())
    with pytest.raises(ToolDefinitionError) as caught:
        agent.tool(name=name)(lambda: "on")
    assert caught.value.remedy


def test_a_limit_of_no_tools_is_refused() -> None:
    with pytest.raises(ConfigError, match="tool_limit"):
        Config(name="house", tool_limit=0)
