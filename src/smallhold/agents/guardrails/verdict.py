"""What guardrails decide: this file holds verdicts and what several of them come to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What becomes of what was checked."""

    PASS = "pass"  # noqa: S105 - no password
    FLAG = "flag"
    """It goes on as it is; the run's result holds the reason."""
    REPLACE = "replace"
    """It goes on with another text."""
    APPROVAL = "approval"
    """It goes on once a person has approved it; only for calls."""
    BLOCK = "block"
    """It does not go on."""


class Stage(StrEnum):
    """Where in a turn a guardrail looks."""

    INPUT = "input"
    """The user's message, before any model reads it."""
    POLICY = "policy"
    """A tool call, before it is run."""
    TOOL_RESULT = "tool_result"
    """What a tool returned, before the model reads it."""
    OUTPUT = "output"
    """The answer, before the user reads it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One guardrail's decision.

    Made by `Verdict.ok`, `flag`, `replace`, `needs_approval` and `block`.
    """

    outcome: Outcome
    reason: str = ""
    """For the developer; kept in the run's flags and never shown to the user or the model. Of a
    call that needs approval, also for the person who decides."""
    message: str | None = None
    """Of a block: what is read instead, by the user (input, output) or by the model (policy, tool
    result). `None` takes the stage's own words."""
    text: str | None = None
    """Of a replacement: the text that goes on."""

    @classmethod
    def ok(cls) -> Verdict:
        """Let it pass."""
        return _PASSED

    @classmethod
    def flag(cls, reason: str) -> Verdict:
        """Let it pass and note why that may be wrong."""
        return cls(outcome=Outcome.FLAG, reason=reason)

    @classmethod
    def replace(cls, text: str, *, reason: str) -> Verdict:
        """Go on with another text."""
        return cls(outcome=Outcome.REPLACE, reason=reason, text=text)

    @classmethod
    def needs_approval(cls, reason: str) -> Verdict:
        """Let a call wait for a person, who reads the reason."""
        return cls(outcome=Outcome.APPROVAL, reason=reason)

    @classmethod
    def block(cls, reason: str, *, message: str | None = None) -> Verdict:
        """Stop it."""
        return cls(outcome=Outcome.BLOCK, reason=reason, message=message)


_PASSED = Verdict(outcome=Outcome.PASS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """What a guardrail noted, for the run's result."""

    guardrail: str
    stage: Stage
    outcome: Outcome
    """Never `PASS`."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What all guardrails of a stage come to."""

    outcome: Outcome
    """The strongest verdict."""
    text: str
    """What goes on: the text that was checked, or its replacement. After a block, what is read
    instead of it: by the user at input and output, by the model at the other stages."""
    flags: tuple[Flag, ...] = ()
    """Every verdict but the passes, in order; a block is the last."""

    @property
    def is_blocked(self) -> bool:
        """Whether it must not go on."""
        return self.outcome is Outcome.BLOCK

    @property
    def needs_approval(self) -> bool:
        """Whether a person must approve it first."""
        return self.outcome is Outcome.APPROVAL
