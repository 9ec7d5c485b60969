"""Showing instead of telling: this file holds worked examples and how a decision reads them.

A model of half a billion parameters learns little from instructions and much from examples. They
stand at the beginning of each decision's prompt, never change, and so are computed once. Each ends
with the special call that stands for answering, so the model sees when to stop.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from smallhold.agents.special_calls import ANSWER_NAME, RESERVED_NAMES
from smallhold.exceptions import ConfigError
from smallhold.messages import JsonObject, Message, Role, ToolCall

_DEFAULT_RESULT: Final = "ok"


def no_arguments() -> JsonObject:
    """Make the arguments of a call that has none."""
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A user's message and what the agent should do about it first."""

    text: str
    tool: str | None = None
    """The tool to call; `None` when none fits and the agent should answer by itself."""
    arguments: JsonObject = field(default_factory=no_arguments)
    """Arguments of the call, with values as they stand in `text`."""
    result: str = _DEFAULT_RESULT
    """What the tool might return, short."""


def check_examples(examples: Iterable[Example], tools: Sequence[str]) -> None:
    """Refuse examples that call unknown tools, and tools that have the name of a special call.

    Raises:
        ConfigError: the name is not one of the agent's tools, or is reserved.
    """
    for name in RESERVED_NAMES.intersection(tools):
        raise ConfigError(
            field="tools", value=name, remedy="this name is reserved; rename the tool"
        )
    for example in examples:
        if example.tool is not None and example.tool not in tools:
            raise ConfigError(
                field="examples",
                value=example.tool,
                remedy=f"the agent's tools are: {', '.join(tools) or 'none'}",
            )


def example_messages(examples: Sequence[Example]) -> tuple[Message, ...]:
    """Write examples as a conversation of decisions."""
    messages: list[Message] = []
    for number, example in enumerate(examples):
        messages.append(Message(role=Role.USER, content=example.text))
        if example.tool is not None:
            call_id = f"example_{number}"
            call = ToolCall(id=call_id, name=example.tool, arguments=example.arguments)
            messages += [
                Message(role=Role.ASSISTANT, content="", tool_calls=(call,)),
                Message(role=Role.TOOL, content=example.result, tool_call_id=call_id),
            ]
        messages.append(_answer(f"example_{number}_end"))
    return tuple(messages)


def _answer(call_id: str) -> Message:
    call = ToolCall(id=call_id, name=ANSWER_NAME, arguments=no_arguments())
    return Message(role=Role.ASSISTANT, content="", tool_calls=(call,))
