"""What a run amounts to: this file holds the report over rows' results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from smallhold.evals.bfcl.scoring import Mistake, Verdict
from smallhold.evals.intervals import Interval, wilson_interval
from smallhold.exceptions import ConfigError
from smallhold.messages import JsonObject, ToolCall, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class RowResult:
    """The answer to one row, its score and its cost."""

    row_id: str
    verdict: Verdict
    calls: tuple[ToolCall, ...]
    valid: bool
    """Every call names an offered tool, with arguments that its schema allows."""
    usage: Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class BFCLReport:
    """The figures of one model on one category; shares are within 0 to 1."""

    category: str
    model: str
    n: int
    """Rows that were scored."""
    accuracy: float
    """Share of rows that are right."""
    ci95: Interval
    """Wilson score interval of `accuracy`, 95 %."""
    valid_rate: float
    """Share of rows whose every call keeps to the tools' schemas; no call keeps to them too."""
    passes_per_call: float | None
    """Forward passes of the rows that ended in calls, for each call; `None` without any call."""
    prompt_tokens_mean: float | None
    """Over the rows that were answered; `None` without any."""
    errors: dict[str, int]
    """Wrong rows by the kind of mistake, the commonest first."""

    def to_dict(self) -> JsonObject:
        """The report as JSON, with the keys that `smallhold eval bfcl --json` promises."""
        return {
            "category": self.category,
            "model": self.model,
            "n": self.n,
            "accuracy": round(self.accuracy, 4),
            "ci95": [round(self.ci95.low, 4), round(self.ci95.high, 4)],
            "valid_rate": round(self.valid_rate, 4),
            "passes_per_call": _rounded(self.passes_per_call, digits=2),
            "prompt_tokens_mean": _rounded(self.prompt_tokens_mean, digits=1),
            "errors": dict(self.errors),
        }


def build_report(results: Sequence[RowResult], *, category: str, model: str) -> BFCLReport:
    """Sum up the results of a run.

    Raises:
        ConfigError: There are no results.
    """
    n = len(results)
    if n == 0:
        raise ConfigError(field="results", value=[], remedy="score at least one row")
    correct = sum(result.verdict.correct for result in results)
    return BFCLReport(
        category=category,
        model=model,
        n=n,
        accuracy=correct / n,
        ci95=wilson_interval(correct, trials=n),
        valid_rate=sum(result.valid for result in results) / n,
        passes_per_call=_passes_per_call(results),
        prompt_tokens_mean=_prompt_tokens_mean(results),
        errors=_errors(results),
    )


def _passes_per_call(results: Sequence[RowResult]) -> float | None:
    with_calls = [result for result in results if result.calls]
    passes = sum(result.usage.passes for result in with_calls)
    return _ratio(passes, sum(len(result.calls) for result in with_calls))


def _prompt_tokens_mean(results: Sequence[RowResult]) -> float | None:
    # What a row that failed had cost is not known, and 0 would lower the mean.
    answered = [result for result in results if result.verdict.kind != Mistake.NOT_DECIDED]
    return _ratio(sum(result.usage.prompt_tokens for result in answered), len(answered))


def _errors(results: Sequence[RowResult]) -> dict[str, int]:
    kinds = Counter(result.verdict.kind for result in results if not result.verdict.correct)
    return dict(sorted(kinds.items(), key=lambda item: (-item[1], item[0])))


def _ratio(total: int, count: int) -> float | None:
    return total / count if count else None


def _rounded(value: float | None, *, digits: int) -> float | None:
    return None if value is None else round(value, digits)
