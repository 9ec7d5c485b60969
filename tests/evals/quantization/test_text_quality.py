"""Promises of `smallhold.evals.quantization.text_quality`: this file holds tests of the figures."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.engine.job import Likelihoods
from smallhold.evals.quantization.text_quality import TextQuality, agreement, text_quality

log_probs = st.lists(st.floats(-50, 0), min_size=1, max_size=50)


def quality(values: list[float], likeliest: list[int] | None = None) -> TextQuality:
    tokens = list(range(len(values) + 1))
    found = text_quality(Likelihoods(tokens, values, likeliest or tokens[1:]))
    assert found is not None
    return found


def test_a_model_that_is_sure_and_right_has_a_perplexity_of_one() -> None:
    assert quality([0.0, 0.0]).perplexity == 1.0


def test_a_model_that_chooses_among_ten_has_a_perplexity_of_ten() -> None:
    assert quality([-math.log(10)] * 5).perplexity == pytest.approx(10)


@given(log_probs)
def test_the_mean_lies_between_the_extremes(values: list[float]) -> None:
    assert min(values) - 1e-9 <= quality(values).mean_log_prob <= max(values) + 1e-9


def test_a_text_of_one_token_has_no_figures() -> None:
    assert text_quality(Likelihoods([1], [], [])) is None


@given(log_probs)
def test_agreement_is_mutual_and_a_share(values: list[float]) -> None:
    one = quality(values)
    other = quality(values, [0] * len(values))
    assert agreement(one, one) == 1.0
    assert agreement(one, other) == agreement(other, one)
    assert 0 <= (agreement(one, other) or 0.0) <= 1


def test_half_the_places_agree() -> None:
    assert agreement(quality([-1, -1], [5, 6]), quality([-2, -2], [5, 7])) == 0.5


def test_other_tokens_cannot_be_compared() -> None:
    assert agreement(quality([-1.0]), quality([-1.0, -1.0])) is None


def test_the_json_leaves_the_tokens_out() -> None:
    assert quality([-1.0]).to_dict() == {"tokens": 1, "mean_log_prob": -1.0, "perplexity": 2.7183}
