from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from smallhold.agents import Agent, Config, Example
from smallhold.agents.call_script import sample_messages
from smallhold.agents.prompts import answer_prompt, build_instructions, decision_prompt
from smallhold.engine.chat_template import ChatTemplate
from smallhold.generation import Prompt
from smallhold.messages import Message, Role
from smallhold.models.gguf.header import read_gguf_header
from smallhold.runtimes.dialects import JSON_LINES
from smallhold.testing import ScriptedRuntime, call

if TYPE_CHECKING:
    from pathlib import Path

    from tests.agents.conftest import Desk, Listening

EXAMPLES = (
    Example(text="Where is 77?", tool="order_status", arguments={"order_id": "77"}, result="sent"),
    Example(text="Do you like the sea?"),
)
WITH_EXAMPLES = Config(name="desk", role="You serve a shop.", examples=EXAMPLES)
WITHOUT_EXAMPLES = Config(name="desk", role="You serve a shop.")
SCRIPT = [
    call("order_status", order_id="1042"),
    "It is on its way.",
    "You are welcome.",
    call("stock", product="lamp"),
    "Three.",
]
TALK = ["Where is order 1042?", "Thank you!", "Any lamp left?"]


def chatml(prompt: Prompt) -> str:
    """Write a prompt as Qwen's template does, in so far as its order goes."""
    parts = [f"tools {json.dumps([tool.parameters for tool in prompt.tools])}"]
    for message in prompt.messages:
        calls = [[made.name, made.arguments] for made in message.tool_calls]
        parts.append(f"<{message.role}>{message.content}{json.dumps(calls) if calls else ''}")
    return "\n".join([*parts, f"<assistant>{prompt.continuation}"])


def without_opening(text: str) -> str:
    """A decision up to where the next name begins."""
    assert text.endswith(JSON_LINES.before_name)
    return text.removesuffix(JSON_LINES.before_name)


# What is in them


def test_instructions_are_role_speciality_and_facts_in_this_order() -> None:
    config = Config(
        name="desk", role="You serve a shop.", specialized_for="lamps", context="Open until 6 pm."
    )
    message = build_instructions(config)
    assert message.role is Role.SYSTEM
    assert message.content == ("You serve a shop.\nYou are specialized in lamps.\nOpen until 6 pm.")


def test_instructions_are_never_empty() -> None:
    assert build_instructions(Config(name="desk")).content.strip()


def test_instructions_do_not_change_from_one_agent_to_its_twin() -> None:
    config = Config(name="desk", specialized_for="lamps")
    assert build_instructions(config) == build_instructions(config)


def test_a_decision_sees_instructions_examples_and_talk_in_this_order(desk: Desk) -> None:
    tools = desk.agent(ScriptedRuntime()).tools.schemas
    instructions = build_instructions(WITH_EXAMPLES)
    talk = [Message(role=Role.USER, content="Hello")]
    prompt = decision_prompt(instructions, EXAMPLES, talk, tools)
    assert prompt.messages[0] == instructions
    assert prompt.messages[1].content == "Where is 77?"
    assert prompt.messages[-1] == talk[0]
    assert prompt.tools == tools
    assert prompt.continuation == ""


def test_an_answer_sees_the_talk_without_examples_and_tools() -> None:
    instructions = build_instructions(WITH_EXAMPLES)
    talk = [Message(role=Role.USER, content="Hello")]
    assert answer_prompt(instructions, talk) == Prompt(messages=(instructions, *talk))


# Byte for byte


async def decisions_of(
    desk: Desk, listening: Listening, config: Config, messages: list[str]
) -> list[Prompt]:
    runtime = listening.to(ScriptedRuntime(SCRIPT))
    agent = desk.agent(runtime, config)
    for message in messages:
        await agent.run(message, session="kiosk")
    return runtime.decisions


CONFIGS = pytest.mark.parametrize(
    "config", [WITH_EXAMPLES, WITHOUT_EXAMPLES], ids=["shown", "told"]
)


@CONFIGS
async def test_two_messages_share_samples_tools_instructions_and_examples_byte_for_byte(
    desk: Desk, listening: Listening, config: Config
) -> None:
    texts: list[str] = []
    for message in ("Where is order 1042?", "Any lamp left?"):
        first = (await decisions_of(desk, listening, config, [message]))[0]
        texts.append(chatml(first))
    beginnings = {text[: text.rindex("Message: ")] for text in texts}
    (shared,) = beginnings
    assert shared.count("You serve a shop.") == 1
    assert "order_id" in shared
    samples = sum(message.role is Role.USER for message in sample_messages())
    # The last turn is the message's own, or else shares it with the tools.
    shown = samples + 1 + (len(config.examples) + 1 if config.examples else 0)
    assert shared.count("<user>") == shown


async def test_two_agents_share_all_that_comes_before_their_own_tools(
    desk: Desk, listening: Listening
) -> None:
    runtime = listening.to(ScriptedRuntime(["Good day."] * 2))
    other = Agent(Config(name="other", role="You teach."), runtime=runtime, tools=[desk.stock])
    for agent in (desk.agent(runtime, WITH_EXAMPLES), other):
        await agent.run("Hello")
    first, second = map(chatml, runtime.decisions)
    samples = "\n".join(f"<{one.role}>{one.content}" for one in sample_messages())
    assert first.startswith(f"tools []\n{samples}")
    assert second.startswith(f"tools []\n{samples}")


@CONFIGS
async def test_a_later_decision_starts_with_all_of_the_earlier_one(
    desk: Desk, listening: Listening, config: Config
) -> None:
    prompts = await decisions_of(desk, listening, config, TALK)
    texts = [without_opening(chatml(prompt)) for prompt in prompts]
    assert len(texts) > len(TALK)
    for earlier, later in pairwise(texts):
        assert later.startswith(earlier)
        assert len(later) > len(earlier)
    for said in ("It is on its way.", "You are welcome.", "Order 1042 is on its way."):
        assert said in texts[-1]


async def test_a_later_answer_starts_with_all_of_the_earlier_one(desk: Desk) -> None:
    runtime = ScriptedRuntime(SCRIPT)
    agent = desk.agent(runtime, WITH_EXAMPLES)
    for message in TALK:
        await agent.run(message, session="kiosk")
    answers = [one.prompt for one in runtime.requests if not one.prompt.continuation]
    assert len(answers) == len(TALK)
    for earlier, later in pairwise(answers):
        assert later.messages[: len(earlier.messages)] == earlier.messages


async def test_the_same_talk_gives_the_same_prompts_again(desk: Desk, listening: Listening) -> None:
    first = await decisions_of(desk, listening, WITH_EXAMPLES, TALK)
    second = await decisions_of(desk, listening, WITH_EXAMPLES, TALK)
    assert repr(first) == repr(second)


async def test_the_demo_s_model_reads_each_decision_as_the_earlier_one_and_more(
    desk: Desk, listening: Listening, qwen_coder_path: Path
) -> None:
    source = read_gguf_header(qwen_coder_path).chat_template
    assert source is not None
    template = ChatTemplate(source, bos_token="", eos_token="<|im_end|>")  # noqa: S106 - a token of text
    prompts = await decisions_of(desk, listening, WITH_EXAMPLES, TALK)
    texts = [
        template.render(prompt.messages, prompt.tools) + without_opening(prompt.continuation)
        for prompt in prompts
    ]
    for earlier, later in pairwise(texts):
        assert later.startswith(earlier)
    other, *_ = await decisions_of(desk, listening, WITH_EXAMPLES, ["Good night!"])
    written = template.render(other.messages, other.tools)
    stable = written[: written.index("Good night!")]
    assert texts[0].startswith(stable)
    assert "Do you like the sea?" in stable
    assert "order_status(order_id: string)" in stable
    assert "1042" not in stable


async def test_two_answers_of_different_sessions_do_not_start_alike() -> None:
    """The measure of this file can fail."""
    runtime = ScriptedRuntime(["a", "b"])
    agent = Agent(Config(name="desk"), runtime=runtime)
    await agent.run("one")
    await agent.run("two")
    first, second = (chatml(request.prompt) for request in runtime.requests)
    assert not second.startswith(first.removesuffix("<assistant>"))
