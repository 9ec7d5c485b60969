"""What the model reads: this file holds the building of prompts.

Stable text comes first and never changes within a session: instructions, tools, then the
conversation in order. So the engine computes the common beginning once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from smallhold.agents.config import Config
from smallhold.agents.examples import Example, example_messages
from smallhold.generation import Prompt
from smallhold.messages import Message, Role, ToolSchema

_DEFAULT_ROLE: Final = "You are a helpful assistant. Answer briefly and honestly."


def build_instructions(config: Config) -> Message:
    """Make the system message from an agent's settings."""
    parts = [config.role or _DEFAULT_ROLE]
    if config.specialized_for is not None:
        parts.append(f"You are specialized in {config.specialized_for}.")
    if config.context is not None:
        parts.append(config.context)
    return Message(role=Role.SYSTEM, content="\n".join(parts))


def decision_prompt(
    instructions: Message,
    examples: Sequence[Example],
    conversation: Sequence[Message],
    tools: Sequence[ToolSchema],
) -> Prompt:
    """Make the prompt in which tools are chosen and filled.

    Instructions, tools and examples come first, then the conversation, so that only the end differs
    from one message to the next.
    """
    fixed = example_messages(examples)
    return Prompt(
        messages=(instructions, *fixed, *conversation),
        tools=tuple(tools),
        fixed_messages=len(fixed),
    )


def rewritten_question(
    conversation: Sequence[Message], write: Callable[[str], str]
) -> tuple[Message, ...]:
    """Write the user's latest message anew, for one prompt; without one nothing changes."""
    places = [i for i, message in enumerate(conversation) if message.role is Role.USER]
    if not places:
        return tuple(conversation)
    place = places[-1]
    asked = conversation[place]
    written = replace(asked, content=write(asked.content))
    return (*conversation[:place], written, *conversation[place + 1 :])


def answer_prompt(instructions: Message, conversation: Sequence[Message]) -> Prompt:
    """Make the prompt in which the user is answered.

    It shows what tools returned but not the tools: a small model that sees them writes calls.
    """
    return Prompt(messages=(instructions, *conversation))
