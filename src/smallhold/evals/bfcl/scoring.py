"""When an answer counts as right: this file holds BFCL's rules for calls.

Source: the AST checker of the Berkeley Function-Calling Leaderboard v4 (Patil et al. 2025, "The
Berkeley Function Calling Leaderboard (BFCL)").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from smallhold.evals.bfcl.dataset import BFCLRow, ExpectedCall, properties_of
from smallhold.evals.bfcl.values import LEFT_OUT, ValueVerdict, declared_type, judge_value
from smallhold.messages import JsonValue, ToolCall, ToolSchema


class Mistake(StrEnum):
    """What is wrong with an answer."""

    WRONG_COUNT = "wrong_count"
    WRONG_FUNCTION = "wrong_func_name"
    MISSING_REQUIRED = "missing_required"
    """An argument that the tool's schema requires is not there."""
    UNEXPECTED_ARGUMENT = "unexpected_param"
    """An argument that the schema or the label does not know."""
    TYPE = "type"
    VALUE = "value"
    MISSING_LABELLED = "missing_optional"
    """An argument that the schema leaves free, but the question asks for, is not there."""
    CALLED_WHEN_IRRELEVANT = "called_when_irrelevant"
    NO_CALL = "no_call"
    NOT_DECIDED = "not_decided"
    """The row ended in an error of the run before there was an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The score of one answer."""

    correct: bool
    reason: str = ""
    """Empty when correct; else a `Mistake`, and after `:` the argument it is about."""

    @property
    def kind(self) -> str:
        """The reason without the argument."""
        return self.reason.partition(":")[0]


RIGHT = Verdict(correct=True)


def wrong(mistake: Mistake, *, about: str = "") -> Verdict:
    """A verdict that an answer is not correct."""
    return Verdict(correct=False, reason=f"{mistake}:{about}" if about else mistake.value)


def score_row(row: BFCLRow, calls: Sequence[ToolCall]) -> Verdict:
    """Score the calls of one answer.

    As on the board, expected calls take the first call that fits, in the order of the label; the
    reason of a wrong answer is that of the last call which was compared.
    """
    if row.ground_truth is None:
        return RIGHT if calls else wrong(Mistake.NO_CALL)
    if not row.ground_truth:
        return wrong(Mistake.CALLED_WHEN_IRRELEVANT) if calls else RIGHT
    if len(calls) != len(row.ground_truth):
        return wrong(Mistake.WRONG_COUNT)
    tools = {tool.name: tool for tool in row.tools}
    unmatched = list(calls)
    for expected in row.ground_truth:
        verdicts = [
            score_call(call, expected=expected, tool=tools[expected.name]) for call in unmatched
        ]
        fitting = next((i for i, verdict in enumerate(verdicts) if verdict.correct), None)
        if fitting is None:
            return verdicts[-1]
        del unmatched[fitting]
    return RIGHT


def score_call(call: ToolCall, *, expected: ExpectedCall, tool: ToolSchema) -> Verdict:
    """Score one call against one expected call of `tool`; the first mistake found is the reason."""
    if call.name != expected.name:
        return wrong(Mistake.WRONG_FUNCTION)
    return (
        _missing_required(call, tool=tool)
        or _first_wrong_argument(call, expected=expected, tool=tool)
        or _missing_labelled(call, expected=expected)
        or RIGHT
    )


def _missing_required(call: ToolCall, *, tool: ToolSchema) -> Verdict | None:
    required = tool.parameters.get("required")
    for name in required if isinstance(required, list) else ():
        if name not in call.arguments:
            return wrong(Mistake.MISSING_REQUIRED, about=str(name))
    return None


def _first_wrong_argument(
    call: ToolCall, *, expected: ExpectedCall, tool: ToolSchema
) -> Verdict | None:
    verdicts = (
        _score_argument(name, value=value, expected=expected, tool=tool)
        for name, value in call.arguments.items()
    )
    return next((verdict for verdict in verdicts if not verdict.correct), None)


def _score_argument(
    name: str, *, value: JsonValue, expected: ExpectedCall, tool: ToolSchema
) -> Verdict:
    schema = properties_of(tool.parameters).get(name)
    accepted = expected.accepted.get(name)
    if schema is None or accepted is None:
        return wrong(Mistake.UNEXPECTED_ARGUMENT, about=name)
    match judge_value(value, accepted=accepted, declared=declared_type(schema)):
        case ValueVerdict.RIGHT:
            return RIGHT
        case ValueVerdict.WRONG_TYPE:
            return wrong(Mistake.TYPE, about=name)
        case ValueVerdict.WRONG_VALUE:
            return wrong(Mistake.VALUE, about=name)


def _missing_labelled(call: ToolCall, *, expected: ExpectedCall) -> Verdict | None:
    for name, accepted in expected.accepted.items():
        if name not in call.arguments and LEFT_OUT not in accepted:
            return wrong(Mistake.MISSING_LABELLED, about=name)
    return None
