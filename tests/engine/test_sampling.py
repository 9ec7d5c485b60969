from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from smallhold.engine.sampling import log_softmax, pick_token
from smallhold.generation import Sampling

finite = st.floats(min_value=-50, max_value=50, width=32)
vocabularies = st.lists(finite, min_size=1, max_size=40)


def logits_of(probabilities: list[float]) -> NDArray[np.float32]:
    with np.errstate(divide="ignore"):
        return np.log(np.asarray(probabilities)).astype(np.float32)


def picks(probabilities: list[float], sampling: Sampling, *, draws: int = 400) -> set[int]:
    rng = np.random.default_rng(7)
    return {pick_token(logits_of(probabilities), sampling, rng=rng) for _ in range(draws)}


def test_temperature_zero_takes_the_likeliest_token_and_leaves_the_randomness_alone() -> None:
    rng = np.random.default_rng(7)
    before = rng.bit_generator.state
    assert pick_token(logits_of([0.2, 0.5, 0.3]), Sampling(), rng=rng) == 1
    assert rng.bit_generator.state == before


def test_of_two_equally_likely_tokens_the_first_is_taken() -> None:
    assert pick_token(logits_of([0.2, 0.4, 0.4]), Sampling(), rng=np.random.default_rng()) == 1


def test_the_nucleus_keeps_the_token_that_crosses_its_border() -> None:
    assert picks([0.5, 0.3, 0.15, 0.05], Sampling(temperature=1, top_p=0.6)) == {0, 1}
    assert picks([0.5, 0.3, 0.15, 0.05], Sampling(temperature=1, top_p=0.45)) == {0}


def test_min_p_drops_what_is_unlikely_beside_the_likeliest() -> None:
    assert picks([0.5, 0.26, 0.19, 0.05], Sampling(temperature=1, min_p=0.5)) == {0, 1}


def test_without_filters_every_possible_token_comes_up() -> None:
    assert picks([0.4, 0.3, 0.2, 0.1], Sampling(temperature=1)) == {0, 1, 2, 3}


def test_a_low_temperature_comes_close_to_the_arg_max() -> None:
    assert picks([0.4, 0.35, 0.25], Sampling(temperature=0.01)) == {0}


@pytest.mark.parametrize(
    "sampling",
    [Sampling(temperature=1, top_p=5e-324), Sampling(temperature=1, min_p=1.0)],
)
def test_filters_that_leave_nothing_leave_the_likeliest(sampling: Sampling) -> None:
    assert picks([0.3, 0.7], sampling) == {1}


def test_the_smallest_temperature_above_zero_is_still_a_distribution() -> None:
    assert picks([0.3, 0.7], Sampling(temperature=5e-324)) == {1}


@given(
    logits=vocabularies,
    temperature=st.floats(min_value=0.1, max_value=5),
    top_p=st.floats(min_value=0, max_value=1, exclude_min=True),
    min_p=st.floats(min_value=0, max_value=1),
    seed=st.integers(min_value=0, max_value=2**32),
)
def test_the_same_seed_draws_the_same_token_of_the_vocabulary(
    logits: list[float], temperature: float, top_p: float, min_p: float, seed: int
) -> None:
    values = np.asarray(logits, dtype=np.float32)
    sampling = Sampling(temperature=temperature, top_p=top_p, min_p=min_p)
    first = pick_token(values, sampling, rng=np.random.default_rng(seed))
    second = pick_token(values, sampling, rng=np.random.default_rng(seed))
    assert first == second
    assert 0 <= first < len(logits)


@given(
    logits=vocabularies.filter(lambda values: len(values) > 1),
    data=st.data(),
    temperature=st.floats(min_value=0, max_value=5),
)
def test_a_forbidden_token_is_never_drawn(
    logits: list[float], data: st.DataObject, temperature: float
) -> None:
    values = np.asarray(logits, dtype=np.float32)
    forbidden = data.draw(
        st.sets(st.integers(0, len(logits) - 1), min_size=1, max_size=len(logits) - 1)
    )
    values[list(forbidden)] = -np.inf
    token = pick_token(
        values, Sampling(temperature=temperature), rng=np.random.default_rng(len(logits))
    )
    assert token not in forbidden


@given(
    logits=vocabularies,
    top_p=st.floats(min_value=0.01, max_value=1),
    seed=st.integers(min_value=0, max_value=1000),
)
def test_what_the_nucleus_draws_is_more_likely_than_all_it_drops(
    logits: list[float], top_p: float, seed: int
) -> None:
    values = np.asarray(logits, dtype=np.float32)
    token = pick_token(
        values, Sampling(temperature=1, top_p=top_p), rng=np.random.default_rng(seed)
    )
    probabilities = np.exp(log_softmax(values))
    assert probabilities[probabilities > probabilities[token]].sum() < top_p + 1e-9


@given(vocabularies)
def test_log_probabilities_sum_to_one_and_keep_the_order(logits: list[float]) -> None:
    values = np.asarray(logits, dtype=np.float32)
    log_probs = log_softmax(values)
    assert np.exp(log_probs).sum() == pytest.approx(1)
    assert np.allclose(np.diff(log_probs), np.diff(values.astype(np.float64)))
    assert np.array_equal(values, np.asarray(logits, dtype=np.float32))
