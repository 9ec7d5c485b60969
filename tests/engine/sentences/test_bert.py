"""Promises of `smallhold.engine.sentences.bert`: this file holds tests of the forward pass."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engine.sentences.tiny_bert import TINY, tiny_tensors

from smallhold.engine.sentences.bert import Bert
from smallhold.exceptions import InvalidWeightsError, ModelOutputError

TENSORS = tiny_tensors()
BERT = Bert(TENSORS, shape=TINY, path="tiny")
sentences = st.lists(st.integers(0, TINY.vocabulary - 1), min_size=1, max_size=TINY.positions)


def reference(ids: list[int]) -> list[float]:
    """The same pass for one sentence, without batches, masks, blocks or approximations."""
    weight = {name: tensor.astype(np.float64) for name, tensor in TENSORS.items()}

    def norm(x: np.ndarray, name: str) -> np.ndarray:
        scaled = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-12)
        return scaled * weight[f"{name}.weight"] + weight[f"{name}.bias"]

    def linear(x: np.ndarray, name: str) -> np.ndarray:
        return x @ weight[f"{name}.weight"].T + weight[f"{name}.bias"]

    x = weight["embeddings.word_embeddings.weight"][ids]
    x = x + weight["embeddings.position_embeddings.weight"][: len(ids)]
    x = norm(x + weight["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
    layer = "encoder.layer.0."
    query, key, value = (
        linear(x, f"{layer}attention.self.{part}") for part in ("query", "key", "value")
    )
    width = TINY.hidden // TINY.heads
    heads: list[np.ndarray] = []
    for head in range(TINY.heads):
        part = slice(head * width, (head + 1) * width)
        scores = np.exp(query[:, part] @ key[:, part].T / math.sqrt(width))
        heads.append(scores / scores.sum(-1, keepdims=True) @ value[:, part])
    attended = linear(np.concatenate(heads, -1), f"{layer}attention.output.dense")
    x = norm(x + attended, f"{layer}attention.output.LayerNorm")
    inner = linear(x, f"{layer}intermediate.dense")
    inner = inner * (1 + np.vectorize(math.erf)(inner / math.sqrt(2))) / 2
    x = norm(x + linear(inner, f"{layer}output.dense"), f"{layer}output.LayerNorm")
    mean = x.mean(0)
    return (mean / np.linalg.norm(mean)).tolist()


@given(ids=sentences)
def test_a_sentence_gets_the_vector_of_the_plain_formula(ids: list[int]) -> None:
    (vector,) = BERT.sentence_vectors([ids])
    assert vector.tolist() == pytest.approx(reference(ids), abs=2e-4)


@given(batch=st.lists(sentences, min_size=1, max_size=5))
def test_a_sentence_does_not_see_the_others_of_its_batch(batch: list[list[int]]) -> None:
    together = BERT.sentence_vectors(batch)
    for ids, vector in zip(batch, together, strict=True):
        (alone,) = BERT.sentence_vectors([ids])
        assert vector.tolist() == pytest.approx(alone.tolist(), abs=2e-4)


def test_the_order_of_words_matters() -> None:
    one, other = BERT.sentence_vectors([[5, 6, 7], [7, 6, 5]])
    assert float(one @ other) < 0.999


@pytest.mark.parametrize("name", ["embeddings.LayerNorm.bias", "encoder.layer.0.output.dense.bias"])
def test_weights_without_a_tensor_are_refused_by_its_name(name: str) -> None:
    tensors = {key: tensor for key, tensor in TENSORS.items() if key != name}
    with pytest.raises(InvalidWeightsError, match=f"{name}.*missing"):
        Bert(tensors, shape=TINY, path="tiny")


def test_a_tensor_of_another_shape_is_refused() -> None:
    tensors = TENSORS | {"embeddings.LayerNorm.bias": np.zeros(31, dtype=np.float32)}
    with pytest.raises(InvalidWeightsError, match=r"must be of shape \(32,\) and is of shape"):
        Bert(tensors, shape=TINY, path="tiny")


def test_sums_become_directions_of_length_one() -> None:
    sums = BERT.no_sentences(1)
    sums[0, :2] = (3, 4)
    (direction,) = BERT.directions(sums)
    assert direction[:2] == pytest.approx((0.6, 0.8))
    assert math.hypot(*direction) == pytest.approx(1)


def test_a_vector_that_is_no_number_is_an_error() -> None:
    sums = BERT.no_sentences(1)
    sums[0, 0] = np.nan
    with pytest.raises(ModelOutputError, match="not finite"):
        BERT.directions(sums)
