from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from tests.state.knowledge.conftest import BagEmbedder

from smallhold.exceptions import ConfigError, EmbeddingModelChangedError, ModelOutputError
from smallhold.generation import Embedding, EmbedRequest
from smallhold.messages import Usage
from smallhold.models.catalog.signing import SigningKey
from smallhold.runtimes.vector_cache import CachedEmbedder
from smallhold.settings import settings_from
from smallhold.state.knowledge.embedding import PROBE, model_of, sentence_model, vectors_of


class FixedEmbedder:
    def __init__(self, *vectors: tuple[float, ...]) -> None:
        self.vectors = list(vectors)

    async def embed(self, request: EmbedRequest) -> Embedding:
        del request
        return Embedding(vector=self.vectors.pop(0), usage=Usage())


class BatchedBag(BagEmbedder):
    async def embed_texts(self, texts: Sequence[str]) -> tuple[tuple[float, ...], ...]:
        vectors = await vectors_of(texts, embedder=BagEmbedder())
        return tuple(tuple(row) for row in vectors.tolist())


async def test_texts_are_embedded_in_their_order_and_scaled_to_length_1() -> None:
    vectors = await vectors_of(["a", "b"], embedder=FixedEmbedder((3.0, 4.0), (0.0, 2.0)))
    assert vectors.tolist() == [pytest.approx([0.6, 0.8]), [0.0, 1.0]]


@pytest.mark.parametrize(
    "vectors", [((1.0,), (1.0, 2.0)), ((0.0, 0.0), (1.0, 0.0)), ((float("nan"), 1.0), (1.0, 0.0))]
)
async def test_vectors_that_cannot_be_compared_are_refused(
    vectors: tuple[tuple[float, ...], ...],
) -> None:
    with pytest.raises(ModelOutputError):
        await vectors_of(["a", "b"], embedder=FixedEmbedder(*vectors))


async def test_nothing_is_written_into_the_cache_of_an_embedder(tmp_path: Path) -> None:
    file = tmp_path / "vectors.sqlite"
    cached = CachedEmbedder(BatchedBag(), file=file, model="x")
    await vectors_of(["private"], embedder=cached)
    assert not file.exists()


async def test_a_model_is_known_again_by_its_vector_of_one_text() -> None:
    (probe,) = (await vectors_of([PROBE], embedder=BagEmbedder())).tolist()
    model = model_of(probe)
    model.require_same(probe)
    model.require_same((np.asarray(probe) + 1e-4).tolist())
    with pytest.raises(EmbeddingModelChangedError, match="cosine"):
        model.require_same(probe[::-1])
    with pytest.raises(EmbeddingModelChangedError, match="3 dimensions, the documents' has 64"):
        model.require_same([1.0, 0.0, 0.0])


def test_a_model_that_is_not_installed_is_none(tmp_path: Path) -> None:
    settings = settings_from({}, default_home=tmp_path, default_cache=tmp_path)
    assert sentence_model(settings) is None


def test_a_model_that_is_not_signed_where_it_must_be_is_none(tmp_path: Path) -> None:
    keys = {"SMALLHOLD_CATALOG_KEYS": SigningKey.generate().public.text}
    settings = settings_from(keys, default_home=tmp_path, default_cache=tmp_path)
    assert sentence_model(settings) is None


def test_a_model_that_embeds_no_sentences_is_refused(tmp_path: Path) -> None:
    settings = settings_from({}, default_home=tmp_path, default_cache=tmp_path)
    with pytest.raises(ConfigError, match="embeds no sentences"):
        sentence_model(settings, alias="smollm2-135m")
