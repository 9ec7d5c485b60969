"""What a conversation is made of: this file holds the split into exchanges.

An exchange is a message of the user with all that followed from it: calls, their results, the
answer. Whole exchanges are left out, never parts of one, so that no result loses its call.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final, TypeAlias

from smallhold.messages import Message, Role

Exchange: TypeAlias = tuple[Message, ...]

_SHOWN_CHARS: Final = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultPlace:
    """Where a tool's result stands in a run of messages."""

    index: int
    tool: str


def split_exchanges(conversation: Sequence[Message]) -> tuple[Exchange, ...]:
    """Split before each message of the user; what comes before the first one stands alone."""
    starts = [i for i, message in enumerate(conversation) if message.role is Role.USER]
    bounds = sorted({0, *starts, len(conversation)})
    return tuple(tuple(conversation[start:end]) for start, end in pairwise(bounds))


def result_places(messages: Sequence[Message]) -> tuple[ResultPlace, ...]:
    """Find tools' results, each with the name of the tool that was called last by its id."""
    names: dict[str, str] = {}
    places: list[ResultPlace] = []
    for index, message in enumerate(messages):
        names |= {call.id: call.name for call in message.tool_calls}
        if message.role is Role.TOOL:
            tool = names.get(message.tool_call_id or "", "a tool")
            places.append(ResultPlace(index=index, tool=tool))
    return tuple(places)


def with_content(messages: Sequence[Message], index: int, content: str) -> Exchange:
    """Give the messages with one content replaced."""
    changed = replace(messages[index], content=content)
    return (*messages[:index], changed, *messages[index + 1 :])


def title(exchange: Exchange) -> str:
    """Name an exchange for a person: how it begins."""
    words = " ".join(exchange[0].content.split())
    return words if len(words) <= _SHOWN_CHARS else f"{words[:_SHOWN_CHARS].rstrip()}…"
