"""What a turn has come to so far: this file holds the record from which its result is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from smallhold.agents.context import Dropped, Fitted
from smallhold.agents.deadline import Deadline
from smallhold.agents.guardrails import Flag
from smallhold.agents.planning import Intent
from smallhold.agents.result import Ending, Result, Step
from smallhold.messages import Message, Role, Timing, ToolCall, Usage


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
            self.first_token_s = self.deadline.passed_s

    def keep(self, fitted: Fitted) -> None:
        """Go on with the conversation that fits the window."""
        self.usage += fitted.usage
        self.dropped += fitted.dropped
        self.conversation[:] = fitted.conversation

    def decided(self, intent: Intent, margin: float | None) -> None:
        """Note the first decision; later ones follow from it."""
        if self.intent is None:
            self.intent, self.margin = intent, margin

    def called(self, calls: Sequence[ToolCall], steps: Sequence[Step]) -> None:
        """Put the calls of one decision, and what came of each, into the conversation."""
        said, self.spoken = self.spoken, ""
        self.conversation.append(
            Message(role=Role.ASSISTANT, content=said, tool_calls=tuple(calls))
        )
        self.conversation += [
            Message(role=Role.TOOL, content=step.content, tool_call_id=step.call.id)
            for step in steps
        ]
        self.decisions += 1

    def result(self, ending: Ending) -> Result[object]:
        """Close the record."""
        total_s = self.deadline.passed_s
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
