"""What a run over When2Call amounts to: this file holds the report over rows' results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from smallhold.evals.bootstrap import bootstrap_interval
from smallhold.evals.intervals import Interval, wilson_interval
from smallhold.evals.when2call.dataset import Behaviour
from smallhold.evals.when2call.runner import RowResult
from smallhold.evals.when2call.scoring import ClassScore, Pair, class_scores, confusion, macro_f1
from smallhold.exceptions import ConfigError
from smallhold.messages import JsonObject, JsonValue

UNDECIDED = "not_decided"
"""Stands in the confusion matrix for rows on which the run failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A share of rows."""

    part: int
    whole: int

    @property
    def value(self) -> float | None:
        """Within 0 to 1; `None` where there are no such rows."""
        return self.part / self.whole if self.whole else None

    @property
    def ci95(self) -> Interval | None:
        """Wilson score interval, 95 %."""
        return wilson_interval(self.part, trials=self.whole) if self.whole else None


@dataclass(frozen=True, slots=True, kw_only=True)
class When2CallReport:
    """The figures of one model; shares are within 0 to 1."""

    model: str
    n: int
    """Rows that were scored."""
    macro_f1: float
    """Mean F1 of the three classes; a direct answer counts as `cannot_answer`."""
    macro_f1_ci95: Interval
    """Percentile bootstrap interval, 95 %."""
    macro_f1_strict: float
    """The same where a direct answer counts as none of the classes, as in the paper."""
    accuracy: Share
    hallucinated_calls: Share
    """Rows on which a tool was called, of those that no tool can answer (`cannot_answer`, with
    tools or without)."""
    unfounded_calls: Share
    """Rows on which a tool was called, of those where something it needs was not said."""
    right_tool: Share
    """Rows on which the tool that is meant was called, of those that were rightly called on."""
    direct_answers: int
    """Rows that the agent would have answered from what it knows."""
    classes: Mapping[Behaviour, ClassScore]
    confusion: Mapping[str, Mapping[str, int]]
    """For each label how often what was done."""
    passes_mean: float
    """Forward passes for each row with tools that was decided."""
    prompt_tokens_mean: float

    def to_dict(self) -> JsonObject:
        """The report as JSON, with the keys that `smallhold eval when2call --json` promises."""
        return {
            "model": self.model,
            "n": self.n,
            "macro_f1": round(self.macro_f1, 4),
            "macro_f1_ci95": _ends(self.macro_f1_ci95),
            "macro_f1_strict": round(self.macro_f1_strict, 4),
            "accuracy": _rounded(self.accuracy.value),
            "accuracy_ci95": _ends(self.accuracy.ci95),
            "hallucinated_calls": _rounded(self.hallucinated_calls.value),
            "hallucinated_calls_ci95": _ends(self.hallucinated_calls.ci95),
            "unfounded_calls": _rounded(self.unfounded_calls.value),
            "right_tool": _rounded(self.right_tool.value),
            "direct_answers": self.direct_answers,
            "classes": {
                one.value: {
                    "rows": score.rows,
                    "precision": round(score.precision, 4),
                    "recall": round(score.recall, 4),
                    "f1": round(score.f1, 4),
                }
                for one, score in self.classes.items()
            },
            "confusion": {label: dict(counts) for label, counts in self.confusion.items()},
            "passes_mean": round(self.passes_mean, 2),
            "prompt_tokens_mean": round(self.prompt_tokens_mean, 1),
        }


def build_report(results: Sequence[RowResult], *, model: str) -> When2CallReport:
    """Sum up the results of a run.

    Raises:
        ConfigError: There are no results.
    """
    if not results:
        raise ConfigError(field="results", value=[], remedy="score at least one row")
    pairs: list[Pair] = [(result.row.label, result.done) for result in results]
    strict: list[Pair] = [
        (result.row.label, None if _is_direct(result) else result.done) for result in results
    ]
    planned = [result.behaved.usage for result in results if result.behaved and result.row.tools]
    return When2CallReport(
        model=model,
        n=len(results),
        macro_f1=macro_f1(pairs),
        macro_f1_ci95=bootstrap_interval(pairs, figure=macro_f1),
        macro_f1_strict=macro_f1(strict),
        accuracy=Share(part=sum(result.is_right for result in results), whole=len(results)),
        hallucinated_calls=_called_among(results, label=Behaviour.CANNOT_ANSWER),
        unfounded_calls=_called_among(results, label=Behaviour.REQUEST_FOR_INFO),
        right_tool=_right_tool(results),
        direct_answers=sum(map(_is_direct, results)),
        classes=class_scores(pairs),
        confusion=_written_confusion(pairs),
        passes_mean=_mean([usage.passes for usage in planned]),
        prompt_tokens_mean=_mean([usage.prompt_tokens for usage in planned]),
    )


def _called_among(results: Sequence[RowResult], *, label: Behaviour) -> Share:
    rows = [result for result in results if result.row.label is label]
    called = sum(result.done is Behaviour.TOOL_CALL for result in rows)
    return Share(part=called, whole=len(rows))


def _right_tool(results: Sequence[RowResult]) -> Share:
    called = [
        (result.behaved.tools, result.row.target_tool)
        for result in results
        if result.is_right and result.behaved and result.row.label is Behaviour.TOOL_CALL
    ]
    return Share(part=sum(tools == (target,) for tools, target in called), whole=len(called))


def _is_direct(result: RowResult) -> bool:
    return result.behaved is not None and result.behaved.is_direct


def _written_confusion(pairs: Sequence[Pair]) -> dict[str, dict[str, int]]:
    return {
        label.value: {(done.value if done else UNDECIDED): n for done, n in _in_order(counts)}
        for label, counts in confusion(pairs).items()
    }


def _in_order(
    counts: Mapping[Behaviour | None, int],
) -> list[tuple[Behaviour | None, int]]:
    """Put counts in the order of the classes, with what was not decided at the end."""
    order: list[Behaviour | None] = [*Behaviour, None]
    return [(done, counts[done]) for done in order if done is not None or counts.get(done)]


def _mean(values: Sequence[int]) -> float:
    return sum(values) / len(values) if values else 0.0


def _ends(interval: Interval | None) -> JsonValue:
    return None if interval is None else [round(interval.low, 4), round(interval.high, 4)]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
