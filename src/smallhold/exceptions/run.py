"""Errors of runs that ended without an answer: this file holds them."""

from __future__ import annotations

from smallhold.exceptions.root import SmallholdError


class RunError(SmallholdError):
    """A run ended without an answer."""


class DeadlineExceededError(RunError):
    """The request's time was up."""

    def __init__(self, *, limit_s: float) -> None:
        self.limit_s = limit_s
        super().__init__(
            f"The request was not finished within {limit_s:g} s and was stopped. "
            "Raise `timeout`, shorten the prompt or choose a smaller model."
        )


class ModelOutputError(RunError):
    """A runtime returned something that its own contract rules out."""

    def __init__(self, *, runtime: str, problem: str) -> None:
        self.runtime = runtime
        self.problem = problem
        super().__init__(f"The runtime {runtime!r} returned an unusable reply: {problem}")


class InvalidOutputError(ModelOutputError):
    """A model's answer is not of the type that was asked for, also after it was told why."""

    def __init__(self, *, runtime: str, problem: str) -> None:
        super().__init__(runtime=runtime, problem=problem)
        message = (
            f"The model of {runtime!r} gave no answer of the type that was asked for: "
            f"{problem.rstrip('.')}. Simplify `output_type`, raise `max_tokens` or choose a larger "
            "model."
        )
        self.args = (message,)


class ScriptExhaustedError(RunError):
    """A `ScriptedRuntime` was asked for more than its script holds."""

    def __init__(self, *, asked_for: str, played: int) -> None:
        self.asked_for = asked_for
        self.played = played
        super().__init__(
            f"The script has no entry left for {asked_for} (it has played {played}). "
            "Add entries to `ScriptedRuntime`."
        )
