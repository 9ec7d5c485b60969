"""From readings of every clause to one score a tool: this file holds how they are put together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

MEANING_SHARE: Final = 0.5
"""Weight of the similarity of meaning; the rest is that of shared words. Source:
docs/tool-retrieval.md, Seal-Tools and MetaTool; 0.3 to 0.6 differ by about one point."""
EVENNESS: Final = 0.85
"""How much each clause's best tool counts the same, 0 to 1: at 0 a clause with a close match keeps
the tools of the others out, at 1 a clause that asks for nothing takes a full share. Source: as
above, 0.7 to 0.85 the best of 0.5 to 1."""


def clause_scores(coverage: Sequence[float], similarity: Sequence[float] | None) -> list[float]:
    """Weigh a clause's two readings of each tool.

    Args:
        coverage: Of shared words, 0 to 1; for each tool.
        similarity: Cosine of meanings, -1 to 1; for each tool. `None`: there is no embedder.
    """
    if similarity is None:
        return list(coverage)
    return [
        MEANING_SHARE * max(0.0, meaning) + (1 - MEANING_SHARE) * words
        for words, meaning in zip(coverage, similarity, strict=True)
    ]


def message_scores(clauses: Sequence[Sequence[float]]) -> list[float]:
    """Give each tool its best score in any clause, after evening out the clauses.

    Args:
        clauses: For each clause, at least one, the scores of all tools, 0 to 1.

    Returns:
        For each tool 0 to 1.
    """
    evened = [_evened(scores) for scores in clauses]
    return [max(column) for column in zip(*evened, strict=True)]


def best(scores: Sequence[float], *, limit: int) -> list[int]:
    """Give the numbers of the best tools, the best first; equal ones in their own order."""
    return sorted(range(len(scores)), key=lambda tool: (-scores[tool], tool))[:limit]


def _evened(scores: Sequence[float]) -> list[float]:
    highest = max(scores, default=0.0)
    if highest <= 0:
        return list(scores)
    divisor = highest**EVENNESS
    return [score / divisor for score in scores]
