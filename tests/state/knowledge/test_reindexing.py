from __future__ import annotations

from pathlib import Path

import pytest
from tests.state.knowledge.conftest import BagEmbedder

from smallhold.exceptions import EmbeddingModelChangedError
from smallhold.state import State
from smallhold.state.knowledge import Indexed, Knowledge, KnowledgeSettings, Reading

WORDS_ALONE = KnowledgeSettings(reading=Reading.WORDS)


async def test_another_model_is_refused_until_everything_is_embedded_anew(
    state: State, embedder: BagEmbedder, other_embedder: BagEmbedder, shop: Path
) -> None:
    await Knowledge(state, embedder=embedder).add(shop)
    knowledge = Knowledge(state, embedder=other_embedder)
    assert (await knowledge.status()).is_embedder_same is False
    for attempt in (knowledge.search("hours"), knowledge.add(shop)):
        with pytest.raises(EmbeddingModelChangedError, match="smallhold knowledge reindex"):
            await attempt
    told: list[Indexed] = []
    done = await knowledge.reindex(report=told.append)
    assert [one.source for one in done] == [one.source for one in told]
    assert sum(one.embedded for one in done) == 3
    assert (await knowledge.status()).is_embedder_same is True
    assert (await knowledge.search("opening hours"))[0].similarity is not None
    with pytest.raises(EmbeddingModelChangedError):
        await Knowledge(state, embedder=embedder).search("hours")


async def test_documents_from_before_there_was_a_model_are_embedded(
    state: State, embedder: BagEmbedder, shop: Path
) -> None:
    await Knowledge(state, settings=WORDS_ALONE).add(shop)
    knowledge = Knowledge(state, embedder=embedder)
    assert (await knowledge.status()).unembedded == 2
    assert (await knowledge.search("receipt"))[0].headings[-1] == "Returns"
    assert len(await knowledge.reindex()) == 2
    assert (await knowledge.status()).unembedded == 0
    assert await knowledge.reindex() == ()


async def test_without_a_model_nothing_is_lost(
    state: State, embedder: BagEmbedder, shop: Path
) -> None:
    await Knowledge(state, embedder=embedder).add(shop)
    assert await Knowledge(state, settings=WORDS_ALONE).reindex() == ()
    assert (await Knowledge(state, embedder=embedder).status()).unembedded == 0
