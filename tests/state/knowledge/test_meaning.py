from __future__ import annotations

import pytest
from tests.state.knowledge.conftest import BagEmbedder

from smallhold.exceptions import EmbeddingModelChangedError
from smallhold.state.knowledge.meaning import MeaningSource


async def test_the_probe_is_embedded_once(embedder: BagEmbedder) -> None:
    source = MeaningSource(embedder, is_wanted=True)
    first = await source.matching(None)
    assert first is not None
    assert await source.matching(first.model) is not None
    assert len(embedder.texts) == 1


async def test_another_model_than_the_stored_one_is_refused(
    embedder: BagEmbedder, other_embedder: BagEmbedder
) -> None:
    stored = await MeaningSource(embedder, is_wanted=True).current()
    assert stored is not None
    with pytest.raises(EmbeddingModelChangedError, match="reindex"):
        await MeaningSource(other_embedder, is_wanted=True).matching(stored.model)


async def test_no_model_is_opened_where_words_alone_are_wanted(embedder: BagEmbedder) -> None:
    assert await MeaningSource(embedder, is_wanted=False).current() is None
    assert embedder.texts == []
