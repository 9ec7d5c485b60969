"""What tests of the context share: this file holds short ways to write conversations."""

from __future__ import annotations

from collections.abc import Sequence

from smallhold.agents.context.exchanges import Exchange
from smallhold.generation import Prompt
from smallhold.messages import JsonValue, Message, Role, ToolCall, ToolSchema

INSTRUCTIONS = Message(role=Role.SYSTEM, content="You serve a small shop.")


def user(text: str) -> Message:
    return Message(role=Role.USER, content=text)


def answer(text: str) -> Message:
    return Message(role=Role.ASSISTANT, content=text)


def called(tool: str, content: str, *, call_id: str = "call_1", **arguments: JsonValue) -> Exchange:
    """A call and its result."""
    call = ToolCall(id=call_id, name=tool, arguments=dict(arguments))
    return (
        Message(role=Role.ASSISTANT, content="", tool_calls=(call,)),
        Message(role=Role.TOOL, content=content, tool_call_id=call_id),
    )


def talk(count: int, *, first: int = 1) -> tuple[Message, ...]:
    """Questions with answers, 21 words each pair, the order's number in the question."""
    messages: list[Message] = []
    for number in range(first, first + count):
        messages += [
            user(f"Could you please tell me where my order {1000 + number} is now?"),
            answer("It has left our house and will be there soon."),
        ]
    return tuple(messages)


def prompt_of(messages: Sequence[Message]) -> Prompt:
    """A prompt with instructions alone."""
    return Prompt(messages=(INSTRUCTIONS, *messages))


def words(count: int) -> str:
    return " ".join(["word"] * count)


def tool(name: str, *, description_words: int) -> ToolSchema:
    """A tool whose schema has about so many words, as `ScriptedRuntime` counts them."""
    return ToolSchema(
        name=name,
        description="",
        parameters={"type": "object", "description": words(description_words)},
    )


def is_valid(conversation: Sequence[Message]) -> bool:
    """Whether roles come in an order that chat templates take."""
    waiting: set[str] = set()
    previous: Role | None = None
    for message in conversation:
        if message.role is Role.TOOL:
            if message.tool_call_id not in waiting:
                return False
        elif message.role is previous and message.role is Role.USER:
            return False
        waiting |= {call.id for call in message.tool_calls}
        previous = message.role
    return True
