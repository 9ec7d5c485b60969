"""The text in which a model decides: this file holds the writing of a prompt as a call script.

A call script is a conversation in which the agent's side is written as calls, one JSON object on
each line: real calls, or one of the special ones. It reads the same in every chat template, since
it uses plain user and assistant turns alone. What stays the same comes first: samples that all
agents share, then the agent's functions, instructions and examples, then the conversation.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import groupby, takewhile
from typing import Final

from smallhold.agents.demonstrations import SAMPLES, Called, Sample
from smallhold.agents.signatures import functions_text
from smallhold.agents.special_calls import (
    ANSWER_NAME,
    ASK_NAME,
    CANNOT_NAME,
    DONE_NAME,
    INSTEAD_OF_A_CALL,
)
from smallhold.generation import Prompt
from smallhold.messages import JsonObject, Message, Role, ToolCall
from smallhold.runtimes.dialects import JSON_LINES

INSTRUCTIONS: Final = f"""\
You call functions. Take argument values from the user's message, word for word. Leave an optional \
argument out unless the user asks for it. Make one call for each thing that is asked for, then \
call {DONE_NAME}. Three functions are always there:
{ANSWER_NAME}() - Small talk, or a question that needs no function.
{ASK_NAME}(missing: string[]) - A function fits, but a required argument is not in the message.
{CANNOT_NAME}() - None of the functions does what is asked."""
"""Explains the samples. Source: `docs/accuracy.md`, prompt forms."""
CONTENT_FREE_TEXT: Final = "N/A"
"""A message without content, which shows what the model prefers whatever is asked. Source:
Zhao et al. 2021, "Calibrate Before Use", section 5."""
_MESSAGE: Final = "Message: "
_RESULTS: Final = "Results:\n"


def call_line(name: str, arguments: JsonObject) -> str:
    """Write one call."""
    written = json.dumps(arguments, ensure_ascii=False)
    return f"{JSON_LINES.opening(name)}{written}{JSON_LINES.after}"


def call_script(
    prompt: Prompt, *, made: Sequence[ToolCall] = (), opened: str | None = None
) -> Prompt:
    """Write a prompt as a call script that ends where the next call's name begins.

    Args:
        prompt: Instructions, examples, conversation and tools. Its `fixed_messages` are examples.
        made: Calls that were already decided in this turn and have not run yet.
        opened: Name of the next call, to end where its arguments begin.
    """
    leading = tuple(takewhile(lambda one: one.role is Role.SYSTEM, prompt.messages))
    own = prompt.messages[len(leading) :]
    examples = own[: prompt.fixed_messages]
    head = _head(prompt, leading)
    shown = list(_turns(own))
    # A conversation that an example's last speaker begins goes on in the same turn.
    fixed = sum(1 for one, other in zip(_turns(examples), shown, strict=False) if one == other)
    if shown and shown[0].role is Role.USER:
        shown[0] = replace(shown[0], content=head + shown[0].content)
    else:
        shown.insert(0, Message(role=Role.USER, content=head))
    samples = sample_messages()
    opening = JSON_LINES.before_name if opened is None else JSON_LINES.opening(opened)
    before = "".join(f"{call_line(call.name, call.arguments)}\n" for call in made)
    return replace(
        prompt,
        messages=(*samples, *shown),
        tools=(),
        fixed_messages=len(samples) - 1 + fixed,
        continuation=before + opening,
    )


def content_free(prompt: Prompt) -> Prompt:
    """Make the twin of a prompt whose user says nothing: its scores are the model's bias.

    Instructions and examples stay; the conversation does not.
    """
    leading = sum(1 for _ in takewhile(lambda one: one.role is Role.SYSTEM, prompt.messages))
    nothing = Message(role=Role.USER, content=CONTENT_FREE_TEXT)
    kept = prompt.messages[: leading + prompt.fixed_messages]
    return replace(prompt, messages=(*kept, nothing))


@cache
def sample_messages() -> tuple[Message, ...]:
    """Write the instructions and samples, which are the same for every agent."""
    turns = [turn for sample in SAMPLES for turn in _sample_turns(sample)]
    return (Message(role=Role.SYSTEM, content=INSTRUCTIONS), *turns)


def _sample_turns(sample: Sample) -> Iterator[Message]:
    question = f"{functions_text(sample.functions)}\n\n{_MESSAGE}{sample.text}"
    yield Message(role=Role.USER, content=question)
    yield Message(role=Role.ASSISTANT, content=_called(sample.calls))
    for result, calls in sample.later:
        yield Message(role=Role.USER, content=_RESULTS + result)
        yield Message(role=Role.ASSISTANT, content=_called(calls))


def _called(calls: Sequence[Called]) -> str:
    """Write the calls of one turn, and that they are all."""
    is_special = any(name in INSTEAD_OF_A_CALL for name, _ in calls)
    end: tuple[Called, ...] = () if is_special else ((DONE_NAME, {}),)
    return "\n".join(call_line(name, arguments) for name, arguments in (*calls, *end))


def _head(prompt: Prompt, leading: Sequence[Message]) -> str:
    instructions = "\n".join(message.content for message in leading)
    stated = f"Instructions: {instructions}\n\n" if instructions else ""
    return f"{functions_text(prompt.tools)}\n\n{stated}"


def _turns(messages: Iterable[Message]) -> Iterator[Message]:
    """Write messages as alternating turns of user and assistant."""
    written = (_spoken(message) for message in messages)
    for role, group in groupby(written, key=lambda message: message.role):
        yield Message(role=role, content="\n".join(message.content for message in group))


def _spoken(message: Message) -> Message:
    match message.role:
        case Role.ASSISTANT:
            calls = [(call.name, call.arguments) for call in message.tool_calls]
            lines = [_called(calls or ((ANSWER_NAME, {}),)), message.content]
            return Message(role=Role.ASSISTANT, content="\n".join(filter(None, lines)))
        case Role.TOOL:
            return Message(role=Role.USER, content=_RESULTS + message.content)
        case Role.USER | Role.SYSTEM:
            return Message(role=Role.USER, content=_MESSAGE + message.content)
