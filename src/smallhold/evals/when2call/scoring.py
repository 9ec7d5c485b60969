"""How well behaviours are told apart: this file holds precision, recall and F1 of the classes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from smallhold.evals.when2call.dataset import Behaviour

Pair: TypeAlias = tuple[Behaviour, Behaviour | None]
"""What was right and what was done; `None` is nothing that counts as any class."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassScore:
    """How well one class is recognised; shares are within 0 to 1."""

    rows: int
    """Rows of this label."""
    precision: float
    """Of the rows that were taken for it, those that are; 0 where none was."""
    recall: float
    """Of its rows, those that were taken for it; 0 where there is none."""

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 0 where both are."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


def confusion(pairs: Sequence[Pair]) -> Mapping[Behaviour, Counter[Behaviour | None]]:
    """Count what was done, for each label."""
    counts: dict[Behaviour, Counter[Behaviour | None]] = {one: Counter() for one in Behaviour}
    for label, done in pairs:
        counts[label][done] += 1
    return counts


def class_scores(pairs: Sequence[Pair]) -> dict[Behaviour, ClassScore]:
    """Score each class against the others."""
    counts = confusion(pairs)
    taken = Counter(done for _, done in pairs)
    return {
        one: ClassScore(
            rows=counts[one].total(),
            precision=_share(counts[one][one], taken[one]),
            recall=_share(counts[one][one], counts[one].total()),
        )
        for one in Behaviour
    }


def macro_f1(pairs: Sequence[Pair]) -> float:
    """Mean F1 of the classes, each with the same weight however many rows it has.

    A class that is neither a label nor an answer plays no part, as in a run over few rows.
    Source: Ross et al. 2025, "When2Call: When (not) to Call Tools", whose main figure it is.
    """
    present = {one for pair in pairs for one in pair if one is not None}
    scores = class_scores(pairs)
    return _share(sum(scores[one].f1 for one in present), len(present))


def _share(part: float, whole: int) -> float:
    return part / whole if whole else 0.0
