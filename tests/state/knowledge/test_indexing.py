from __future__ import annotations

from tests.state.knowledge.conftest import BagEmbedder

from smallhold.state.knowledge import Chunk
from smallhold.state.knowledge.indexing import indexed

CHUNKS = [Chunk(text=text) for text in ("one", "two", "one")]


async def test_only_unknown_texts_are_embedded_and_each_once(embedder: BagEmbedder) -> None:
    first = await indexed(CHUNKS, embedder=embedder, known={})
    assert first.embedded == 2
    known = first.index.known_vectors()
    again = await indexed([*CHUNKS, Chunk(text="three")], embedder=embedder, known=known)
    assert again.embedded == 1
    assert embedder.texts == ["one", "two", "three"]
    assert again.index.vectors is not None
    assert first.index.vectors is not None
    assert (again.index.vectors.rows[:3] == first.index.vectors.rows).all()


async def test_without_an_embedder_words_alone_are_indexed() -> None:
    found = await indexed(CHUNKS, embedder=None, known={})
    assert found.index.vectors is None
    assert found.index.lengths.tolist() == [0, 1, 0]


async def test_a_document_without_chunks_is_an_empty_index(embedder: BagEmbedder) -> None:
    assert (await indexed([], embedder=embedder, known={})).index.digests == ()
