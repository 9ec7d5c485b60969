"""Being ready before the first message: this file holds what is computed beforehand."""

from __future__ import annotations

from collections.abc import Sequence

from smallhold.agents.examples import Example
from smallhold.agents.planning import ScoredPlanner, owns_decoder
from smallhold.agents.prompts import answer_prompt, decision_prompt
from smallhold.generation import GenerationRequest, Priority, Scheduling
from smallhold.messages import Message, Role, ToolSchema, Usage
from smallhold.runtimes.protocol import Runtime

_GREETING = Message(role=Role.USER, content="Hello")


async def prewarm(
    runtime: Runtime,
    *,
    instructions: Message,
    examples: Sequence[Example],
    tools: Sequence[ToolSchema],
) -> Usage:
    """Load the model and have it read what all prompts of an agent begin with.

    The runtime keeps what it computed, so that the first message is read as quickly as a later one.

    Args:
        runtime: What runs the model.
        instructions: The agent's own.
        examples: The agent's own.
        tools: What is offered; empty where that depends on the message.

    Returns:
        What it cost.

    Raises:
        SmallholdError: the model cannot be loaded or evaluated.
    """
    usage = Usage()
    if tools and owns_decoder(runtime):
        planner = ScoredPlanner(runtime=runtime, max_tokens=1)
        prompt = decision_prompt(instructions, examples, [_GREETING], tools)
        _, spent = await planner.decide(prompt, tool_choice="auto")
        usage += spent
    request = GenerationRequest(
        prompt=answer_prompt(instructions, [_GREETING]),
        max_tokens=1,
        scheduling=Scheduling(priority=Priority.BATCH),
    )
    async with runtime.stream(request) as stream:
        async for _ in stream:
            pass
        return usage + stream.completion.usage
