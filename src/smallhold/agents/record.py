"""What a turn has come to so far: this file holds the record from which its result is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from smallhold.agents.context import Dropped, Fitted
from smallhold.agents.deadline import Deadline
from smallhold.agents.guardrails import Flag
from smallhold.agents.planning import Intent, PlannedCall
from smallhold.agents.result import Ending, Result, Step
from smallhold.messages import Message, Role, Timing, Usage

if TYPE_CHECKING:
    from smallhold.state.recall import Passage


def call_messages(said: str, steps: Sequence[Step]) -> tuple[Message, ...]:
    """Write the calls of one decision as messages: the model's, and a tool's for each result."""
    calls = tuple(step.call for step in steps)
    results = (
        Message(role=Role.TOOL, content=step.content, tool_call_id=step.call.id) for step in steps
    )
    return (Message(role=Role.ASSISTANT, content=said, tool_calls=calls), *results)


@dataclass(slots=True, kw_only=True)
class TurnRecord:
    """Everything that a turn has done, said and spent."""

    deadline: Deadline
    conversation: list[Message]
    """Grows with the turn's messages, the user's own first."""
    usage: Usage = field(default_factory=Usage)
    steps: list[Step] = field(default_factory=list[Step])
    dropped: list[Dropped] = field(default_factory=list[Dropped])
    flags: list[Flag] = field(default_factory=list[Flag])
    decisions: int = 0
    """Decisions that led to calls."""
    intent: Intent | None = None
    margin: float | None = None
    text: str = ""
    """All that was said to the user."""
    spoken: str = ""
    """What was said since the last call."""
    output: object = None
    first_token_s: float | None = None
    earlier_s: float = 0.0
    """Seconds that the run took in processes which have ended."""
    planned: tuple[PlannedCall, ...] = ()
    """The calls of the latest decision, until all of them have come to something."""
    offered: tuple[str, ...] | None = None
    """Names of the tools that are offered in this turn; `None` before they were chosen."""
    interrupted: frozenset[str] = frozenset()
    """Ids of calls that were started by a process which then ended."""
    missing: tuple[str, ...] = ()
    """What the calls need and only the user can know, in words."""
    corrections: list[Message] = field(default_factory=list[Message])
    """Answers of the wrong type and what is wrong with them; no session keeps these."""
    passages: tuple[Passage, ...] = ()
    """What is known about the message, found anew by each process that works on the turn."""
    is_settled: bool = False
    """No further call makes sense, or none is wanted."""
    is_repeating: bool = False
    """The last decision was for calls that had been made before."""

    @property
    def acted(self) -> tuple[Step, ...]:
        """What the latest decision's calls have come to so far."""
        return tuple(step for step in self.steps if step.decision == self.decisions)

    @property
    def remaining(self) -> tuple[PlannedCall, ...]:
        """The latest decision's calls that have come to nothing yet, in order."""
        return self.planned[len(self.acted) :]

    def say(self, text: str) -> str:
        """Note what the user is told; give it set apart from what was said before a call."""
        is_apart = bool(self.spoken) or not self.text or self.text[-1].isspace()
        told = text if is_apart else f"\n\n{text}"
        self.text += told
        self.spoken += text
        return told

    def unsay(self) -> None:
        """Take back what was said since the last call, which nobody was shown."""
        self.text = self.text.removesuffix(self.spoken)
        self.spoken = ""

    def shown(self) -> None:
        """Note that the user sees text."""
        if self.first_token_s is None:
            self.first_token_s = self.passed_s

    def keep(self, fitted: Fitted) -> None:
        """Go on with the conversation that fits the window."""
        self.usage += fitted.usage
        self.dropped += fitted.dropped
        self.conversation[:] = fitted.conversation

    def decided(self, intent: Intent, margin: float | None) -> None:
        """Note the first decision; later ones follow from it."""
        if self.intent is None:
            self.intent, self.margin = intent, margin

    @property
    def passed_s(self) -> float:
        """Seconds that the run has taken, without those in which nobody worked on it."""
        return self.earlier_s + self.deadline.passed_s

    def called(self) -> tuple[Step, ...]:
        """Put the latest decision's calls, and what came of each, into the conversation."""
        steps = self.acted
        self.conversation += call_messages(self.spoken, steps)
        self.spoken, self.planned = "", ()
        self.decisions += 1
        return steps

    def result(self, ending: Ending) -> Result[object]:
        """Close the record."""
        total_s = self.passed_s
        first_s = total_s if self.first_token_s is None else self.first_token_s
        return Result(
            text=self.text,
            ending=ending,
            steps=tuple(self.steps),
            usage=self.usage,
            timing=Timing(first_token_s=first_s, total_s=total_s),
            output=self.output,
            intent=self.intent,
            margin=self.margin,
            dropped=tuple(self.dropped),
            flags=tuple(self.flags),
        )
