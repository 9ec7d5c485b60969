from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from smallhold.state.knowledge.fusion import fused

SHARES = st.floats(0, 1, width=32)
COSINES = st.floats(-1, 1, width=32)


def one(coverage: float, similarity: float | None) -> float:
    cosine = None if similarity is None else np.array([similarity], dtype=np.float32)
    return float(fused(np.array([coverage], dtype=np.float32), cosine)[0])


@given(SHARES, COSINES)
def test_a_score_is_between_0_and_1(coverage: float, similarity: float) -> None:
    assert 0 <= one(coverage, similarity) <= 1.000001


@given(SHARES, SHARES, COSINES, COSINES)
def test_more_of_either_reading_is_never_worse(
    few: float, more: float, far: float, near: float
) -> None:
    few, more = sorted((few, more))
    far, near = sorted((far, near))
    assert one(more, near) >= one(few, far)


@given(SHARES)
def test_words_alone_count_in_full_without_vectors(coverage: float) -> None:
    assert one(coverage, None) == np.float32(coverage)
