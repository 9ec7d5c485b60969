"""From ranks to figures: this file holds the report on one way of searching."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from smallhold.evals.bootstrap import bootstrap_interval
from smallhold.evals.intervals import Interval, wilson_interval
from smallhold.evals.knowledge.questions import Half, Style
from smallhold.evals.knowledge.runner import AskedQuestion
from smallhold.exceptions import ConfigError
from smallhold.messages import JsonObject, JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Questions that were answered among the first so many passages."""

    share: float
    """0 to 1."""
    ci95: Interval
    """Wilson's score interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How well some questions were answered."""

    n: int
    """Questions."""
    found: Mapping[int, Share]
    """An accepted section was among the first 1, 5 or 10 passages."""
    spot: Mapping[int, Share]
    """The key phrase of one was in the first 1, 5 or 10 passages."""
    mrr: float
    """Mean of 1 / rank of the first accepted section within 10 passages."""
    mrr_ci95: Interval
    """Bootstrap over the questions."""

    def to_dict(self) -> JsonObject:
        """The figures as JSON, with the keys that `smallhold eval knowledge` promises."""
        document: JsonObject = {"n": self.n}
        for name, shares in (("recall", self.found), ("spot", self.spot)):
            for depth, share in shares.items():
                document[f"{name}_at_{depth}"] = round(share.share, 4)
                document[f"{name}_at_{depth}_ci95"] = _pair(share.ci95)
        return {**document, "mrr": round(self.mrr, 4), "mrr_ci95": _pair(self.mrr_ci95)}


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchReport:
    """The figures of one way of searching."""

    all: Figures
    halves: Mapping[Half, Figures]
    """Of the halves that were asked."""
    styles: Mapping[Style, Figures]
    """Of the styles that were asked."""
    median_ms: float
    """Time of one search, with embedding the question."""

    def to_dict(self) -> JsonObject:
        """The report as JSON: the figures of all questions, then those of their parts."""
        halves: dict[str, JsonValue] = {
            half.value: figures.to_dict() for half, figures in self.halves.items()
        }
        styles: dict[str, JsonValue] = {
            style.value: figures.to_dict() for style, figures in self.styles.items()
        }
        return {
            **self.all.to_dict(),
            "median_ms": round(self.median_ms, 1),
            "halves": halves,
            "styles": styles,
        }


def build_report(asked: Sequence[AskedQuestion]) -> SearchReport:
    """Sum up a run.

    Raises:
        ConfigError: There are no questions.
    """
    if not asked:
        raise ConfigError(field="asked", value=[], remedy="ask at least one question")
    halves = {half: [one for one in asked if one.question.half is half] for half in Half}
    styles = {style: [one for one in asked if one.question.style is style] for style in Style}
    return SearchReport(
        all=figures_of(asked),
        halves={half: figures_of(part) for half, part in halves.items() if part},
        styles={style: figures_of(part) for style, part in styles.items() if part},
        median_ms=1000 * median(one.seconds for one in asked),
    )


def figures_of(asked: Sequence[AskedQuestion]) -> Figures:
    """Count the answers of some questions, at least one."""
    depths = (1, 5, 10)
    return Figures(
        n=len(asked),
        found={depth: _share([one.is_found(depth) for one in asked]) for depth in depths},
        spot={depth: _share([one.is_spot(depth) for one in asked]) for depth in depths},
        mrr=fmean(one.reciprocal_rank for one in asked),
        mrr_ci95=bootstrap_interval([one.reciprocal_rank for one in asked], figure=fmean),
    )


def _share(answered: Sequence[bool]) -> Share:
    return Share(
        share=sum(answered) / len(answered),
        ci95=wilson_interval(sum(answered), trials=len(answered)),
    )


def _pair(interval: Interval) -> list[JsonValue]:
    return [round(interval.low, 4), round(interval.high, 4)]
