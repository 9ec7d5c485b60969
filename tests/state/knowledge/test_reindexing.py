from __future__ import annotations

from pathlib import Path

import pytest
from tests.state.knowledge.conftest import BagEmbedder, write

from smallhold.exceptions import EmbeddingModelChangedError
from smallhold.generation import Embedding, EmbedRequest
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


class InterruptedEmbedder(BagEmbedder):
    """Lets a document change while the first of its texts is embedded."""

    def __init__(self, state: State, changing: Path) -> None:
        super().__init__()
        self._state = state
        self._changing: Path | None = changing

    async def embed(self, request: EmbedRequest) -> Embedding:
        path = self._changing
        if path is not None and "citric acid" in request.prompt.messages[-1].content:
            self._changing = None
            write(path, "Descale the espresso machine every day with vinegar.")
            await Knowledge(self._state, settings=WORDS_ALONE).add(path)
        return await super().embed(request)


async def test_a_document_that_changes_while_it_is_embedded_keeps_its_new_text(
    state: State, shop: Path
) -> None:
    await Knowledge(state, settings=WORDS_ALONE).add(shop)
    embedder = InterruptedEmbedder(state, shop / "espresso.txt")
    knowledge = Knowledge(state, embedder=embedder)
    assert [Path(one.source).name for one in await knowledge.reindex()] == ["shop.md"]
    assert "vinegar" in (await knowledge.search("descale", reading=Reading.WORDS))[0].text
    assert (await knowledge.status()).unembedded == 1
    assert len(await knowledge.reindex()) == 1
    assert (await knowledge.status()).unembedded == 0
