"""How far a guardrail is trusted: this file holds its time limit and what its failure means."""

from __future__ import annotations

import inspect
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

import anyio
from anyio import to_thread

from smallhold.agents.guardrails.protocols import Decision, OnlyFlagging, StageGuardrail
from smallhold.agents.guardrails.verdict import Outcome, Verdict
from smallhold.exceptions import ConfigError

GUARDRAIL_TIMEOUT_S: Final = 5.0
"""How long one check may take unless `Supervised` says otherwise: long enough for a small model's
scored pass on two cores, short enough for somebody who waits."""


@dataclass(frozen=True, slots=True)
class Supervised:
    """A guardrail with a time limit and a rule for its failure of its own.

    A guardrail without this wrapper has `GUARDRAIL_TIMEOUT_S` and fails closed: when it raises,
    gives something else than a verdict or takes too long, it blocks.

    Raises:
        ConfigError: the time limit is not above 0.
    """

    guardrail: StageGuardrail
    timeout_s: float = GUARDRAIL_TIMEOUT_S
    """Seconds for one check."""
    fail_open: bool = False
    """A failure becomes a flag, and what was checked goes on."""
    in_thread: bool = False
    """Run a synchronous check in a worker thread: for one that waits or computes for long. One
    that exceeds its time is left to end by itself."""

    def __post_init__(self) -> None:
        """Check the time limit."""
        if not self.timeout_s > 0:  # so that NaN is refused too
            raise ConfigError(
                field="timeout_s", value=self.timeout_s, remedy="give a number of seconds above 0"
            )

    @property
    def name(self) -> str:
        """The guardrail's own name."""
        return self.guardrail.name

    @property
    def only_flags(self) -> bool:
        """Whether the guardrail never does more than flag."""
        return isinstance(self.guardrail, OnlyFlagging) and self.guardrail.only_flags


Guardrail: TypeAlias = StageGuardrail | Supervised
"""What an agent's settings take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A check that gave no verdict."""

    reason: str
    error_type: str


def supervised(guardrail: Guardrail) -> Supervised:
    """Give a guardrail the usual terms, unless it has its own."""
    return guardrail if isinstance(guardrail, Supervised) else Supervised(guardrail)


async def decide(terms: Supervised, check: Callable[[], Decision]) -> Verdict | Failure:
    """Run one check under its terms; never raises but for cancellation.

    Args:
        terms: The guardrail's terms.
        check: One of its methods, with what is to be checked.
    """
    started_s = time.perf_counter()
    decision: object = None
    try:
        with anyio.move_on_after(terms.timeout_s) as scope:
            decision = await _called(check, in_thread=terms.in_thread)
    # `SystemExit` too: a guardrail around some program must not end a service.
    except (Exception, SystemExit) as error:  # noqa: BLE001 - becomes a failure
        name = type(error).__name__
        return Failure(reason=f"{terms.name} raised {name}", error_type=name)
    # A synchronous check cannot be interrupted, but its lateness can be seen.
    if scope.cancel_called or time.perf_counter() - started_s > terms.timeout_s:
        reason = f"{terms.name} took longer than {terms.timeout_s:g} s"
        return Failure(reason=reason, error_type=TimeoutError.__name__)
    if not isinstance(decision, Verdict):
        kind = type(decision).__name__
        return Failure(reason=f"{terms.name} gave {kind}, not a verdict", error_type="TypeError")
    return _bounded(terms, decision)


async def _called(check: Callable[[], Decision], *, in_thread: bool) -> object:
    decision: Verdict | Awaitable[Verdict]
    if in_thread:
        decision = await to_thread.run_sync(check, abandon_on_cancel=True)
    else:
        decision = check()
    return await decision if inspect.isawaitable(decision) else decision


def _bounded(terms: Supervised, verdict: Verdict) -> Verdict:
    """Keep a guardrail to its word that it only flags: the answer may be on the screen already."""
    if terms.only_flags and verdict.outcome is not Outcome.PASS:
        return Verdict.flag(verdict.reason)
    return verdict
