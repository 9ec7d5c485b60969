"""What a run comes to: this file holds its result."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from smallhold.messages import Timing, ToolCall, Usage


class Ending(StrEnum):
    """Why a run ended."""

    ANSWERED = "answered"
    """The model gave its answer."""
    ASKED = "asked"
    """Something that only the user can know is missing; the text asks for it."""
    ANSWER_CUT = "answer_cut"
    """The answer reached `max_tokens`; its text is incomplete."""
    REPEATED_CALL = "repeated_call"
    """The same call with the same arguments was wanted a third time."""
    NO_ANSWER = "no_answer"
    """The model had nothing to say."""
    STEP_LIMIT = "step_limit"
    """`max_steps` decisions led to no answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One tool call of a run and what came of it."""

    call: ToolCall
    content: str
    """What the model read as the call's result."""
    is_error: bool
    ran: bool
    """Whether the tool's code was started."""
    margin: float | None
    """How much likelier this tool was than no tool, in nats over the model's bias; `None` where
    the runtime chose by itself."""
    error: BaseException | None = None
    """What the tool raised, for traces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A finished run."""

    text: str
    """The answer."""
    ending: Ending
    steps: tuple[Step, ...]
    usage: Usage
    timing: Timing
    degraded: bool = False
    """A smaller model than the configured one has answered."""
    escalated: bool = False
    """A larger model than the configured one has answered."""
