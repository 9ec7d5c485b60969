"""Showing instead of telling: this file holds worked examples and how a decision reads them.

A model of half a billion parameters learns little from instructions and much from examples. They
stand at the beginning of each decision's prompt, never change, and so are computed once. Each ends
with the pseudo-tool that stands for "no further tool": so the model sees when to stop, and its
score needs no correction.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from smallhold.agents.decision import NO_TOOL_NAME
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
    """Refuse examples that call unknown tools, and a tool that has the pseudo-tool's name.

    Raises:
        ConfigError: the name is not one of the agent's tools, or is reserved.
    """
    if NO_TOOL_NAME in tools:
        raise ConfigError(
            field="tools", value=NO_TOOL_NAME, remedy="this name is reserved; rename the tool"
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
        messages.append(_no_tool_call(f"example_{number}_end"))
    return tuple(messages)


def decision_view(conversation: Sequence[Message]) -> Iterator[Message]:
    """Show a conversation in the form of the examples: no tool is called before each answer."""
    for number, message in enumerate(conversation):
        if message.role is Role.ASSISTANT and not message.tool_calls:
            yield _no_tool_call(f"answer_{number}")
        yield message


def _no_tool_call(call_id: str) -> Message:
    call = ToolCall(id=call_id, name=NO_TOOL_NAME, arguments=no_arguments())
    return Message(role=Role.ASSISTANT, content="", tool_calls=(call,))
