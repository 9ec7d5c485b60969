"""What guardrails are shown: this file holds one frozen value for each stage of a turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from smallhold.messages import Message, ToolCall, ToolSchema


class RunStep(Protocol):
    """One tool call of the run so far; `smallhold.agents.Step` is one."""

    @property
    def call(self) -> ToolCall:
        """The call."""
        ...

    @property
    def content(self) -> str:
        """What the model read as its result."""
        ...

    @property
    def is_error(self) -> bool:
        """Whether it came to nothing."""
        ...

    @property
    def ran(self) -> bool:
        """Whether the tool's code was started."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class InputCheck:
    """A user's message that no model has read yet."""

    text: str
    session: str | None = None
    conversation: Sequence[Message] = ()
    """The session's earlier messages, oldest first."""
    context: object = None
    """What the caller passed for the tools."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCheck:
    """A call that is about to be run."""

    call: ToolCall
    tool: ToolSchema
    steps: Sequence[RunStep] = ()
    """The run's earlier calls, oldest first."""
    session: str | None = None
    context: object = None
    """What the caller passed for the tools."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultCheck:
    """What a tool returned, which the model has not read yet."""

    call: ToolCall
    content: str
    is_error: bool = False
    steps: Sequence[RunStep] = ()
    """The run's earlier calls, oldest first; without this one."""
    session: str | None = None
    context: object = None
    """What the caller passed for the tools."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputCheck:
    """An answer that the user has not read yet."""

    text: str
    steps: Sequence[RunStep] = ()
    """The run's calls, oldest first."""
    conversation: Sequence[Message] = ()
    """The session's messages, the one that is answered included."""
    knowledge: Sequence[str] = ()
    """What the agent was told beside the conversation: its instructions, retrieved texts, kept
    facts."""
    session: str | None = None
    context: object = None
    """What the caller passed for the tools."""
