"""From two readings of each chunk to one score: this file holds how they are put together."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float32]

MEANING_SHARE: Final = 0.6
"""Weight of the similarity of meaning; the rest is that of shared words. Source:
docs/knowledge.md, "How well it finds", the half for development."""


def fused(coverage: Scores, similarity: Scores | None) -> Scores:
    """Weigh the readings of each chunk.

    Args:
        coverage: Of the question's words, 0 to 1.
        similarity: Cosine of meanings, -1 to 1; `None` where words alone count.

    Returns:
        0 to 1, comparable within one question only.
    """
    if similarity is None:
        return coverage
    meaning = np.maximum(similarity, np.float32(0)) * np.float32(MEANING_SHARE)
    return coverage * np.float32(1 - MEANING_SHARE) + meaning
