"""What a run comes to: this file holds its result."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Generic

from typing_extensions import TypeVar

from smallhold.agents.context import Dropped
from smallhold.agents.guardrails import Flag
from smallhold.agents.planning import Intent
from smallhold.messages import Timing, ToolCall, Usage

if TYPE_CHECKING:
    from smallhold.state.approvals import Approval
    from smallhold.state.knowledge import Citation

OutputT_co = TypeVar("OutputT_co", covariant=True, default=object)


class Ending(StrEnum):
    """Why a run ended."""

    ANSWERED = "answered"
    """The model gave its answer."""
    ASKED = "asked"
    """Something that only the user can know is missing; the text asks for it."""
    CANNOT = "cannot"
    """None of the agent's tools can do this, and the text says so."""
    ANSWER_CUT = "answer_cut"
    """The answer reached `max_tokens`; its text is incomplete."""
    REPEATING = "repeating"
    """The answer said the same again and again, and was stopped; its text is incomplete."""
    REPEATED_CALL = "repeated_call"
    """The same call was wanted a third time, or the same two or three calls in turn."""
    NO_PROGRESS = "no_progress"
    """Several calls in a row failed, or brought nothing new."""
    INVALID_CALLS = "invalid_calls"
    """The model's calls could not be run, also after it was told twice what is wrong with them."""
    NO_ANSWER = "no_answer"
    """The model had nothing to say."""
    STEP_LIMIT = "step_limit"
    """`max_steps` decisions led to no answer."""
    BLOCKED = "blocked"
    """A guardrail stopped the user's message or the answer."""
    AWAITING_APPROVAL = "awaiting_approval"
    """The run is not over: a call waits for a person's yes. `Agent.resume` goes on afterwards."""


class Refusal(StrEnum):
    """Why a call was not run."""

    UNREADABLE = "unreadable"
    """It was cut off, or its arguments are no JSON object."""
    UNKNOWN_TOOL = "unknown_tool"
    INVALID_ARGUMENTS = "invalid_arguments"
    UNGROUNDED = "ungrounded"
    """It holds an identifier that nobody said."""
    REPEATED = "repeated"
    """It was made before in the same run."""
    BUDGET = "budget"
    """The run's or the tool's number of calls is used up."""
    POLICY = "policy"
    """A guardrail forbids it."""
    DENIED = "denied"
    """A person denied it, or nobody approved it in time."""
    INTERRUPTED = "interrupted"
    """It was started before the process ended, and nobody knows what came of it. It is not started
    again, since it may have been done."""


MENDABLE: Final = frozenset({
    Refusal.UNREADABLE,
    Refusal.UNKNOWN_TOOL,
    Refusal.INVALID_ARGUMENTS,
})
"""Refusals of a call that the model may write anew, told what is wrong with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One tool call of a run and what came of it."""

    call: ToolCall
    content: str
    """What the model read as the call's result."""
    is_error: bool
    ran: bool
    """Whether the tool's code was started; also where it was interrupted."""
    margin: float | None
    """How much likelier this tool was than no tool, in nats over the model's bias; `None` where
    the runtime chose by itself."""
    error: BaseException | None = field(default=None, compare=False)
    """What the tool raised, for traces; not kept where a run is stored."""
    refusal: Refusal | None = None
    """Why it was not run, or not again; `None` where it was."""
    decision: int = 0
    """Number of the decision that led to it, from 0; calls of one decision share it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result(Generic[OutputT_co]):
    """A finished run."""

    text: str
    """All that the user was shown: the answer, and what the model said before its calls."""
    ending: Ending
    steps: tuple[Step, ...]
    usage: Usage
    """Everything the run asked of the model, repairs and summaries included."""
    timing: Timing
    output: OutputT_co | None = None
    """The answer as a value of the `output_type` that was asked for; `None` without one, or where
    the run ended without an answer."""
    intent: Intent | None = None
    """What the first decision was for; `None` where nothing was decided."""
    margin: float | None = None
    """How clear that decision was, in nats; `None` where nothing was scored."""
    dropped: tuple[Dropped, ...] = ()
    """What of the conversation the model could not be shown any more, for lack of room."""
    flags: tuple[Flag, ...] = ()
    """What guardrails noted, blocked or replaced, in order."""
    citations: tuple[Citation, ...] = ()
    """Sentences of the text that stand in what the agent looked up, and where they do. What is not
    cited the model said by itself."""
    degraded: bool = False
    """A smaller model than the configured one has answered."""
    escalated: bool = False
    """A larger model than the configured one has answered."""
    run_id: str = field(default="", compare=False)
    """Names the run; with `state=` it can be resumed by it, also when it is over."""
    approvals: tuple[Approval, ...] = ()
    """The requests that a person must decide on; only with `Ending.AWAITING_APPROVAL`."""
