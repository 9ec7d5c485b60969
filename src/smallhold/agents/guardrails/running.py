"""The hooks of a turn: this file holds how a stage's guardrails are run one after the other.

In order, each on what the one before let through, until one blocks. Whatever a guardrail does, a
hook gives a review: a failing guardrail blocks, or flags where it was told to.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final, TypeVar

from smallhold.agents.guardrails.checks import InputCheck, OutputCheck, ResultCheck, ToolCheck
from smallhold.agents.guardrails.protocols import (
    Decision,
    InputGuardrail,
    OutputGuardrail,
    ResultGuardrail,
    StageGuardrail,
    ToolGuardrail,
)
from smallhold.agents.guardrails.supervision import (
    Failure,
    Guardrail,
    Supervised,
    decide,
    supervised,
)
from smallhold.agents.guardrails.verdict import Flag, Outcome, Review, Stage, Verdict
from smallhold.exceptions import ConfigError

BLOCKED_TEXTS: Final = {
    Stage.INPUT: "I cannot take this message. Please put it another way.",
    Stage.POLICY: "Error: this call is not allowed and was not run.",
    Stage.TOOL_RESULT: "Error: the tool's result was withheld, since it cannot be trusted.",
    Stage.OUTPUT: "I cannot give an answer to this that I could stand by.",
}
"""What is read after a block whose verdict has no message of its own."""

_log = logging.getLogger(__name__)

Checked = TypeVar("Checked", InputCheck, ToolCheck, ResultCheck, OutputCheck)


async def run_input(guardrails: Iterable[Guardrail], check: InputCheck) -> Review:
    """Let all input guardrails look at a message; `Review.text` is the message to go on with."""
    methods = [
        (terms, terms.guardrail.check_input)
        for terms in map(supervised, guardrails)
        if isinstance(terms.guardrail, InputGuardrail)
    ]
    return await _review(Stage.INPUT, methods, check, text=check.text)


async def run_tool_policy(guardrails: Iterable[Guardrail], check: ToolCheck) -> Review:
    """Let all tool guardrails look at a call before it is run.

    After a block, `Review.text` is what the model reads as the call's result. A replacement has no
    meaning here and blocks. Where a person must approve the call, `Review.needs_approval` is true
    and the flags say why.
    """
    methods = [
        (terms, terms.guardrail.check_call)
        for terms in map(supervised, guardrails)
        if isinstance(terms.guardrail, ToolGuardrail)
    ]
    return await _review(Stage.POLICY, methods, check, text="")


async def run_tool_result(guardrails: Iterable[Guardrail], check: ResultCheck) -> Review:
    """Let all result guardrails look at a result; `Review.text` is what the model reads."""
    methods = [
        (terms, terms.guardrail.check_result)
        for terms in map(supervised, guardrails)
        if isinstance(terms.guardrail, ResultGuardrail)
    ]
    return await _review(Stage.TOOL_RESULT, methods, check, text=check.content)


async def run_output(guardrails: Iterable[Guardrail], check: OutputCheck) -> Review:
    """Let all output guardrails look at an answer; `Review.text` is what the user reads."""
    methods = [
        (terms, terms.guardrail.check_output)
        for terms in map(supervised, guardrails)
        if isinstance(terms.guardrail, OutputGuardrail)
    ]
    return await _review(Stage.OUTPUT, methods, check, text=check.text)


def holds_answers_back(guardrails: Iterable[Guardrail]) -> bool:
    """Tell whether an answer must not be shown before `run_output` has passed it."""
    return any(
        isinstance(terms.guardrail, OutputGuardrail) and not terms.only_flags
        for terms in map(supervised, guardrails)
    )


def check_guardrails(guardrails: Iterable[object]) -> None:
    """Refuse what would be silently skipped.

    Raises:
        ConfigError: an entry is no guardrail.
    """
    for entry in guardrails:
        inner = entry.guardrail if isinstance(entry, Supervised) else entry
        if isinstance(inner, type) or not isinstance(inner, StageGuardrail):
            raise ConfigError(field="guardrails", value=entry, remedy=_remedy(inner))


def _remedy(entry: object) -> str:
    if isinstance(entry, type):
        return f"give an instance, `{entry.__name__}(...)`, not the class"
    if callable(entry):
        return "say where it looks: `on_input`, `on_call`, `on_result` or `on_output` around it"
    return (
        "a guardrail has a `name` and at least one of `check_input`, `check_call`, "
        "`check_result`, `check_output`"
    )


async def _review(
    stage: Stage,
    methods: Sequence[tuple[Supervised, Callable[[Checked], Decision]]],
    check: Checked,
    *,
    text: str,
) -> Review:
    flags: list[Flag] = []
    outcome = Outcome.PASS
    for terms, method in methods:
        decided = await decide(terms, lambda m=method, c=check: m(c))
        verdict = _settled(stage, terms, decided)
        if verdict.outcome is Outcome.PASS:
            continue
        flags.append(_flag(stage, terms, verdict))
        outcome = _stronger(outcome, verdict.outcome)
        if verdict.outcome is Outcome.BLOCK:
            text = BLOCKED_TEXTS[stage] if verdict.message is None else verdict.message
            break
        if verdict.outcome is Outcome.REPLACE and verdict.text is not None:
            text, check = verdict.text, _with_text(check, verdict.text)
    return Review(outcome=outcome, text=text, flags=tuple(flags))


def _settled(stage: Stage, terms: Supervised, decided: Verdict | Failure) -> Verdict:
    """Turn whatever a guardrail gave into a verdict that the stage can act on."""
    if isinstance(decided, Verdict):
        failure = _misuse(stage, terms, decided)
        if failure is None:
            return decided
    else:
        failure = decided
    _log.warning(
        "guardrail.failed",
        extra={
            "guardrail": terms.name,
            "stage": stage.value,
            "error": failure.error_type,
            "fail_open": terms.fail_open,
        },
    )
    # One that only flags cannot block by failing either: its answer may be on the screen already.
    is_open = terms.fail_open or (stage is Stage.OUTPUT and terms.only_flags)
    return Verdict.flag(failure.reason) if is_open else Verdict.block(failure.reason)


def _misuse(stage: Stage, terms: Supervised, verdict: Verdict) -> Failure | None:
    if verdict.outcome is Outcome.APPROVAL and stage is not Stage.POLICY:
        reason = f"{terms.name} asks for an approval, which only a call can have"
        return Failure(reason=reason, error_type="ValueError")
    if verdict.outcome is not Outcome.REPLACE:
        return None
    if stage is Stage.POLICY:
        return Failure(reason=f"{terms.name} would replace a call", error_type="ValueError")
    if verdict.text is None:
        return Failure(reason=f"{terms.name} replaces by nothing", error_type="ValueError")
    return None


def _flag(stage: Stage, terms: Supervised, verdict: Verdict) -> Flag:
    _log.info(
        "guardrail.decided",
        extra={"guardrail": terms.name, "stage": stage.value, "outcome": verdict.outcome.value},
    )
    return Flag(guardrail=terms.name, stage=stage, outcome=verdict.outcome, reason=verdict.reason)


def _stronger(one: Outcome, other: Outcome) -> Outcome:
    order = list(Outcome)
    return max(one, other, key=order.index)


def _with_text(check: Checked, text: str) -> Checked:
    match check:
        case InputCheck() | OutputCheck():
            return replace(check, text=text)
        case ResultCheck():
            return replace(check, content=text)
        case ToolCheck():
            return check
