"""What the model says was said: this file holds the short summary of what is left out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import anyio

from smallhold.exceptions import SmallholdError
from smallhold.generation import GenerationRequest, LarkConstraint, Prompt
from smallhold.messages import FinishReason, Message, Role, Usage
from smallhold.runtimes.limits import Capability
from smallhold.runtimes.protocol import Runtime

SUMMARY_REQUEST: Final = (
    "Summarize the conversation so far in two or three short sentences, in its language: what the "
    "user wants, what was done, what is still open. Write only the summary."
)
SUMMARY_GRAMMAR: Final = r"""start: /[\p{L}\p{N}"'“¿¡(][^\n\r<>{}|`]*/"""
"""One line of prose: no call, no list, no code."""

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f|]+")
_CALL_LIKE: Final = ("<", "{", "[", "`")
_SENTENCE_END: Final = re.compile(r"[.!?\u3002\uff01\uff1f](?=\s|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Summarised:
    """A summary, or the reason why there is none."""

    text: str = ""
    usage: Usage = field(default_factory=Usage)
    reason: str = ""
    """Empty when there is a text."""


def summary_prompt(instructions: Sequence[Message], conversation: Sequence[Message]) -> Prompt:
    """Make the prompt in which the model sums a conversation up.

    It is the conversation itself and one message more, so the engine computes little anew: it has
    read most of that to answer.

    Args:
        instructions: The agent's system messages.
        conversation: Whole exchanges.
    """
    request = Message(role=Role.USER, content=SUMMARY_REQUEST)
    return Prompt(messages=(*instructions, *conversation, request))


async def summarise(
    runtime: Runtime, prompt: Prompt, *, max_tokens: int, timeout_s: float
) -> Summarised:
    """Let the model answer a summary's prompt.

    Args:
        runtime: Runs the model.
        prompt: From `summary_prompt`.
        max_tokens: Most tokens of the summary.
        timeout_s: Seconds after which there is none.
    """
    can_constrain = Capability.CONSTRAINTS in runtime.limits.capabilities
    request = GenerationRequest(
        prompt=prompt,
        constraint=LarkConstraint(grammar=SUMMARY_GRAMMAR) if can_constrain else None,
        max_tokens=max_tokens,
    )
    with anyio.move_on_after(timeout_s):
        try:
            return await _asked(runtime, request)
        except SmallholdError as error:
            return Summarised(reason=f"the summary failed: {type(error).__name__}")
    return Summarised(reason=f"no summary within {timeout_s:g} s")


async def _asked(runtime: Runtime, request: GenerationRequest) -> Summarised:
    async with runtime.stream(request) as stream:
        text = "".join([piece async for piece in stream])
        completion = stream.completion
    line = one_line(text, is_cut=completion.finish_reason is FinishReason.LENGTH)
    reason = "" if line else "the model wrote no summary"
    return Summarised(text=line, usage=completion.usage, reason=reason)


def one_line(text: str, *, is_cut: bool) -> str:
    """Make a summary one line of whole sentences; empty where it is none.

    Args:
        text: What the model wrote.
        is_cut: It reached its limit; what follows the last whole sentence is then left out.
    """
    line = " ".join(_CONTROL.sub(" ", text).split())
    if line.startswith(_CALL_LIKE):
        return ""
    if not is_cut:
        return line
    ends = [match.end() for match in _SENTENCE_END.finditer(line)]
    return line[: ends[-1]] if ends else line and f"{line}…"
