"""Right or wrong: this file holds the judgement over a run of a case.

Four marks, each of its own: does it end right, does no error come out, is there no loop, is there
no wrong side effect.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from smallhold.evals.faults.case import Ask, Audit, Effect, Evidence, FaultCase
from smallhold.messages import JsonObject, JsonValue

CALL_MARKS: Final = (
    "<tool",
    "</tool",
    "[TOOL_CALLS]",
    "<|python_tag|>",
    "<function=",
    '"arguments":',
    "get_weather(",
)
"""Text that no user should see."""
_SHOWN_CHARS: Final = 120


class Mark(StrEnum):
    """What must hold in every case."""

    ENDS_RIGHT = "ends_right"
    """The task is done, or the user is told honestly that it is not."""
    NO_CRASH = "no_crash"
    """No exception comes out of the run."""
    NO_LOOP = "no_loop"
    """The run ends by itself, within the time and a dozen calls of the model."""
    NO_WRONG_EFFECT = "no_wrong_effect"
    """No tool did what nobody asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The marks of one run of one case."""

    case: str
    problems: Mapping[Mark, str] = field(default_factory=dict[Mark, str])
    """The marks that were missed, and why."""
    model_calls: int = 0

    @property
    def passed(self) -> bool:
        """Whether all marks hold."""
        return not self.problems

    def to_dict(self) -> JsonObject:
        """The verdict as JSON."""
        marks: dict[str, JsonValue] = {mark.value: mark not in self.problems for mark in Mark}
        return {
            "case": self.case,
            **marks,
            "model_calls": self.model_calls,
            "problems": {mark.value: problem for mark, problem in self.problems.items()},
        }


def judge(case: FaultCase, evidence: Evidence) -> Verdict:
    """Give the four marks to a run."""
    found = {
        Mark.ENDS_RIGHT: _ending(case, evidence),
        Mark.NO_CRASH: None if evidence.was_refused else evidence.error,
        Mark.NO_LOOP: _looping(case, evidence),
        Mark.NO_WRONG_EFFECT: case.effects_right(evidence.effects),
    }
    problems = {mark: problem for mark, problem in found.items() if problem is not None}
    return Verdict(case=case.name, problems=problems, model_calls=evidence.model_calls)


def _ending(case: FaultCase, evidence: Evidence) -> str | None:
    if evidence.error is not None or not evidence.has_ended:
        return "there is no answer"
    return case.ends_right(evidence)


def _looping(case: FaultCase, evidence: Evidence) -> str | None:
    if not evidence.has_ended:
        return f"no end within {case.limits.time_s:g} s"
    if evidence.model_calls > case.most_model_calls:
        return f"{evidence.model_calls} calls of the model"
    return None


def answers(*words: str) -> Ask:
    """Ask for an answer that holds each of these words, in any case, and no part of a call."""

    def ask(evidence: Evidence) -> str | None:
        missing = [word for word in words if word.casefold() not in evidence.answer.casefold()]
        if missing:
            return f"the answer lacks {missing[0]!r}: {shown(evidence.answer)}"
        return _shows_a_call(evidence)

    return ask


def tells_honestly(*claims: str) -> Ask:
    """Ask for any text to the user that makes none of these claims and shows no part of a call."""

    def ask(evidence: Evidence) -> str | None:
        text = evidence.answer.casefold()
        if not text.strip():
            return "the user gets no text at all"
        made = [claim for claim in claims if claim.casefold() in text]
        if made:
            return f"it claims {made[0]!r}"
        return _shows_a_call(evidence)

    return ask


def all_of(*asks: Ask) -> Ask:
    """Ask for all of these."""

    def ask(evidence: Evidence) -> str | None:
        complaints = (one(evidence) for one in asks)
        return next((complaint for complaint in complaints if complaint is not None), None)

    return ask


def either(*asks: Ask) -> Ask:
    """Ask for one of several endings; the first one's complaint is given."""

    def ask(evidence: Evidence) -> str | None:
        complaints = [one(evidence) for one in asks]
        return None if None in complaints else complaints[0]

    return ask


def claims_nothing_undone(*claims: str) -> Ask:
    """Ask for a text without these claims, or for a doubt that comes with the result."""

    def ask(evidence: Evidence) -> str | None:
        return None if evidence.flags else tells_honestly(*claims)(evidence)

    return ask


def answers_exactly(text: str) -> Ask:
    """Ask for this text, character by character."""

    def ask(evidence: Evidence) -> str | None:
        if evidence.answer.strip() == text.strip():
            return None
        return f"the answer is another: {shown(evidence.answer)}"

    return ask


def is_bounded(phrase: str, *, most: int) -> Ask:
    """Ask for a text that repeats a phrase at most so often, or that is said to be cut."""

    def ask(evidence: Evidence) -> str | None:
        times = evidence.answer.count(phrase)
        if not evidence.answer.strip():
            return "the user gets no text at all"
        return (
            None if evidence.is_cut or times <= most else f"the phrase stands there {times} times"
        )

    return ask


def did(*effects: Effect) -> Ask:
    """Ask that the tools have done this."""

    def ask(evidence: Evidence) -> str | None:
        left = list(effects)
        for effect in evidence.effects:
            if effect in left:
                left.remove(effect)
        return f"not done: {described(left[0])}" if left else None

    return ask


def at_most(*effects: Effect) -> Audit:
    """Allow these effects, each once, and no other."""

    def audit(done: Sequence[Effect]) -> str | None:
        left = list(effects)
        for effect in done:
            if effect not in left:
                return f"unwanted: {described(effect)}"
            left.remove(effect)
        return None

    return audit


def only(*effects: Effect) -> Audit:
    """Allow these effects, however often, and no other: they change nothing."""

    def audit(done: Sequence[Effect]) -> str | None:
        foreign = [effect for effect in done if effect not in effects]
        return f"unwanted: {described(foreign[0])}" if foreign else None

    return audit


def only_tools(*names: str) -> Audit:
    """Allow any effects of these tools, which change nothing, and of no other."""

    def audit(done: Sequence[Effect]) -> str | None:
        foreign = [effect for effect in done if effect.tool not in names]
        return f"unwanted: {described(foreign[0])}" if foreign else None

    return audit


def effect(tool: str, /, **arguments: JsonValue) -> Effect:
    """Write an effect: `effect("cancel_order", order_id="1042")`."""
    return Effect(tool=tool, arguments=dict(arguments))


def described(effect: Effect) -> str:
    """Write an effect as a call."""
    listed = ", ".join(f"{name}={value!r}" for name, value in effect.arguments.items())
    return shown(f"{effect.tool}({listed})")


def shown(text: str) -> str:
    """Shorten a text for a report."""
    flat = " ".join(text.split())
    return flat if len(flat) <= _SHOWN_CHARS else f"{flat[:_SHOWN_CHARS]}…"


def _shows_a_call(evidence: Evidence) -> str | None:
    found = [mark for mark in CALL_MARKS if mark in evidence.answer]
    return f"the user is shown a call: {shown(evidence.answer)}" if found else None
