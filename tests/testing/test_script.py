from __future__ import annotations

from smallhold.agents import Agent, Config
from smallhold.generation import Prompt
from smallhold.messages import Role
from smallhold.runtimes import Capability
from smallhold.testing import (
    NATIVE,
    OWN_DECODER,
    Call,
    Calls,
    Delay,
    Entry,
    ScriptedRuntime,
    call,
)


def stock(product: str) -> str:
    """Count a product."""
    return f"three of {product}"


def agent(script: ScriptedRuntime) -> Agent:
    return Agent(Config(name="desk"), runtime=script, tools=[stock])


def test_a_call_is_written_as_its_tool_and_arguments() -> None:
    assert call("stock", product="lamp") == Call(name="stock", arguments={"product": "lamp"})


async def test_several_calls_are_made_for_one_message() -> None:
    both = Calls(calls=(call("stock", product="lamp"), call("stock", product="bulb")), text="So.")
    for kind in (OWN_DECODER, NATIVE):
        runtime = ScriptedRuntime([both, "Three each."], capabilities=kind)
        result = await agent(runtime).run("Any lamps or bulbs?")
        assert [step.content for step in result.steps] == ["three of lamp", "three of bulb"]
        assert {step.decision for step in result.steps} == {0}


async def test_arguments_can_be_no_json() -> None:
    broken = Call(name="stock", arguments={}, raw_arguments="a lamp")
    runtime = ScriptedRuntime([broken, "Sorry."], capabilities=NATIVE)
    result = await agent(runtime).run("Any lamps?")
    assert result.steps[0].call.raw_arguments == "a lamp"


async def test_a_script_can_react_to_what_the_model_reads() -> None:
    def react(prompt: Prompt) -> Entry:
        told = "\n".join(m.content for m in prompt.messages if m.role is not Role.SYSTEM)
        return "Three." if "three of lamp" in told else call("stock", product="lamp")

    kinds: list[frozenset[Capability]] = [OWN_DECODER, NATIVE]
    for kind in kinds:
        result = await agent(ScriptedRuntime(react, capabilities=kind)).run("Any lamps?")
        assert result.text == "Three."
        assert len(result.steps) == 1


async def test_a_reacting_script_can_keep_the_model_waiting() -> None:
    entries: list[Entry] = ["Hello.", Delay(seconds=0.01)]
    runtime = ScriptedRuntime(lambda prompt: entries.pop() if prompt.messages else "")
    assert await agent(runtime).chat_async("Hello") == "Hello."


async def test_a_model_can_say_that_it_cannot() -> None:
    runtime = ScriptedRuntime([call("cannot_do"), "Hello."])
    desk = agent(runtime)
    assert "cannot" in await desk.chat_async("Sing a song")
    assert await desk.chat_async("Hello") == "Hello."
