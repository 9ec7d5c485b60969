"""Functions as guardrails: this file holds the decorators that say where a function looks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from smallhold.agents.guardrails.checks import InputCheck, OutputCheck, ResultCheck, ToolCheck
from smallhold.agents.guardrails.protocols import Decision

CheckT = TypeVar("CheckT", InputCheck, ToolCheck, ResultCheck, OutputCheck)
CheckFunction: TypeAlias = Callable[[CheckT], Decision]


@dataclass(frozen=True, slots=True)
class _OfFunction(Generic[CheckT]):
    function: Callable[[CheckT], Decision]

    @property
    def name(self) -> str:
        """The function's name."""
        return str(getattr(self.function, "__name__", type(self.function).__name__))


class _OnInput(_OfFunction[InputCheck]):
    def check_input(self, check: InputCheck) -> Decision:
        return self.function(check)


class _OnCall(_OfFunction[ToolCheck]):
    def check_call(self, check: ToolCheck) -> Decision:
        return self.function(check)


class _OnResult(_OfFunction[ResultCheck]):
    def check_result(self, check: ResultCheck) -> Decision:
        return self.function(check)


class _OnOutput(_OfFunction[OutputCheck]):
    def check_output(self, check: OutputCheck) -> Decision:
        return self.function(check)


def on_input(function: Callable[[InputCheck], Decision]) -> _OnInput:
    """Make a guardrail for users' messages of a function or coroutine function."""
    return _OnInput(function)


def on_call(function: Callable[[ToolCheck], Decision]) -> _OnCall:
    """Make a guardrail for tool calls of a function or coroutine function."""
    return _OnCall(function)


def on_result(function: Callable[[ResultCheck], Decision]) -> _OnResult:
    """Make a guardrail for tools' results of a function or coroutine function."""
    return _OnResult(function)


def on_output(function: Callable[[OutputCheck], Decision]) -> _OnOutput:
    """Make a guardrail for answers of a function or coroutine function."""
    return _OnOutput(function)
