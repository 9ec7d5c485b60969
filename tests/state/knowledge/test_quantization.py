from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from smallhold.state.knowledge.quantization import quantized, together


def random_vectors(count: int, *, dimensions: int = 96, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((count, dimensions), dtype=np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@given(st.integers(1, 1_500), st.integers(0, 5))
def test_similarities_are_those_of_the_exact_vectors_but_for_a_rounding(
    count: int, seed: int
) -> None:
    vectors = random_vectors(count, seed=seed)
    query = random_vectors(1, seed=seed + 100)[0]
    found = quantized(vectors).similarities(query)
    assert np.abs(found - vectors @ query).max() < 0.01


def test_a_vector_of_zeros_is_like_nothing() -> None:
    found = quantized(np.zeros((2, 4), dtype=np.float32)).similarities(np.ones(4, np.float32))
    assert found.tolist() == [0.0, 0.0]


def test_rows_put_together_are_the_rows_that_were_taken_apart() -> None:
    whole = quantized(random_vectors(5))
    again = together([whole.row(number) for number in range(5)])
    assert (again.rows == whole.rows).all()
    assert (again.scales == whole.scales).all()
