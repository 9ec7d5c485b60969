"""What a guardrail is: this file holds the protocols, one for each stage of a turn.

A guardrail is any object with a `name` and at least one of the four methods. Each may be a plain
method or a coroutine function. It needs not inherit from anything.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol, TypeAlias, runtime_checkable

from smallhold.agents.guardrails.checks import InputCheck, OutputCheck, ResultCheck, ToolCheck
from smallhold.agents.guardrails.verdict import Verdict

Decision: TypeAlias = Verdict | Awaitable[Verdict]
"""What a check gives, at once or after awaiting it."""


@runtime_checkable
class InputGuardrail(Protocol):
    """Looks at the user's message before any model reads it."""

    @property
    def name(self) -> str:
        """Name for flags and logs."""
        ...

    def check_input(self, check: InputCheck) -> Decision:
        """Decide about a message."""
        ...


@runtime_checkable
class ToolGuardrail(Protocol):
    """Looks at a tool call before it is run: the policy hook."""

    @property
    def name(self) -> str:
        """Name for flags and logs."""
        ...

    def check_call(self, check: ToolCheck) -> Decision:
        """Decide about a call: it may pass, be flagged, wait for an approval, or be blocked."""
        ...


@runtime_checkable
class ResultGuardrail(Protocol):
    """Looks at a tool's result before the model reads it."""

    @property
    def name(self) -> str:
        """Name for flags and logs."""
        ...

    def check_result(self, check: ResultCheck) -> Decision:
        """Decide about a result."""
        ...


@runtime_checkable
class OutputGuardrail(Protocol):
    """Looks at the answer before the user reads it."""

    @property
    def name(self) -> str:
        """Name for flags and logs."""
        ...

    def check_output(self, check: OutputCheck) -> Decision:
        """Decide about an answer."""
        ...


@runtime_checkable
class OnlyFlagging(Protocol):
    """A guardrail that says beforehand whether it may do more than flag.

    Where all output guardrails only flag, the answer can be streamed before they have seen it.
    """

    @property
    def only_flags(self) -> bool:
        """Whether it never blocks or replaces; if it does so all the same, that is a flag."""
        ...


StageGuardrail: TypeAlias = InputGuardrail | ToolGuardrail | ResultGuardrail | OutputGuardrail
