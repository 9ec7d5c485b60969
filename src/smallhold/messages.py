"""The plain data that every floor speaks: this file holds messages, calls, usage and events.

Frozen values only. Nothing here does I/O, and nothing here imports from the rest of the package.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
JsonObject: TypeAlias = dict[str, JsonValue]


class Role(StrEnum):
    """Who speaks in a message."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


class FinishReason(StrEnum):
    """Why a generation ended."""

    STOP = "stop"
    """The model ended its turn, a stop string was met, or the grammar was complete."""
    LENGTH = "length"
    """`max_tokens` was reached; the text is incomplete."""
    TOOL_CALLS = "tool_calls"
    """The runtime itself returned tool calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSchema:
    """What a model is shown of one tool."""

    name: str
    description: str
    """Paid for in prompt tokens on every turn, so one sentence."""
    parameters: JsonObject
    """JSON Schema draft 2020-12 with root type `object`."""
    composed: tuple[str, ...] = ()
    """Parameters whose values the model may compose, such as the body of a message. All others must
    come from the conversation. Not shown to the model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A model's wish to run one tool."""

    id: str
    name: str
    arguments: JsonObject
    raw_arguments: str | None = None
    """What the model wrote where that is no JSON object; `arguments` is then empty. Such a call
    never runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One turn of a conversation."""

    role: Role
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    """For `Role.TOOL`: the id of the call that this message answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a generation cost, in counts that do not depend on the machine's speed.

    `passes` is the number of forward passes of the model (one `llama_decode` of any batch size);
    it is the figure to compare between engines, since seconds depend on the machine.
    """

    prompt_tokens: int = 0
    cached_tokens: int = 0
    """Prompt tokens whose keys and values were already in memory or in a snapshot."""
    completion_tokens: int = 0
    forced_tokens: int = 0
    """Completion tokens that the grammar left no choice about, taken without sampling."""
    passes: int = 0
    """Forward passes that this request took part in."""
    drafted_tokens: int = 0
    """Tokens that were guessed, and evaluated together with the one they follow."""
    accepted_tokens: int = 0
    """Guesses that turned out right: completion tokens that needed no pass of their own."""

    def __add__(self, other: Usage) -> Usage:
        """Sum two usages field by field."""
        return Usage(
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            forced_tokens=self.forced_tokens + other.forced_tokens,
            passes=self.passes + other.passes,
            drafted_tokens=self.drafted_tokens + other.drafted_tokens,
            accepted_tokens=self.accepted_tokens + other.accepted_tokens,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long a generation took, in seconds of wall time."""

    queued_s: float = 0.0
    """From the request's arrival until its first forward pass, model load included."""
    first_token_s: float = 0.0
    """From the request's arrival until the first token was sent out."""
    total_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """A finished generation."""

    message: Message
    usage: Usage
    timing: Timing
    finish_reason: FinishReason


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenEvent:
    """A piece of the answer's text, in order; pieces joined give the whole text."""

    text: str
    run_id: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCallEvent:
    """The agent is about to run a tool."""

    call: ToolCall
    run_id: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolResultEvent:
    """A tool has ended; `content` is what the model will read."""

    call: ToolCall
    content: str
    is_error: bool
    error: BaseException | None = field(default=None, compare=False)
    """The exception that the tool raised, for traces; the model sees only `content`."""
    run_id: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorEvent:
    """The run failed; no further event follows."""

    error: Exception
    run_id: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DoneEvent:
    """The run ended; `text` is the whole answer."""

    text: str
    usage: Usage
    timing: Timing
    notes: tuple[str, ...] = ()
    """What a developer should know beside the text, a line each: an end without an answer, what the
    model could not be shown for lack of room, what guardrails did."""
    degraded: bool = False
    """A smaller model than the configured one has answered."""
    run_id: str = field(default="", compare=False)
    """The run that the event is of, as in all events; see `Agent.resume`."""


Event: TypeAlias = TokenEvent | ToolCallEvent | ToolResultEvent | ErrorEvent | DoneEvent


def text_of(events: Sequence[Event]) -> str:
    """Join the token events of a run into the answer's text."""
    return "".join(event.text for event in events if isinstance(event, TokenEvent))
