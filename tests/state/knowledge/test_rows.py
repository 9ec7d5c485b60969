from __future__ import annotations

import pytest

from smallhold.exceptions import DamagedRecordError
from smallhold.state import State
from smallhold.state.knowledge import Chunk, DocumentFormat, KnownDocument
from smallhold.state.knowledge.document_index import document_index
from smallhold.state.knowledge.embedding import EmbeddingModel
from smallhold.state.knowledge.rows import Collection, KnowledgeRows, StoredDocument

CHUNKS = (Chunk(text="one", headings=("H",), page=1, last_page=2), Chunk(text="two"))
INDEX = document_index(CHUNKS, vectors=None)


def stored(document: str = "d", *, source: str = "/a.md") -> StoredDocument:
    known = KnownDocument(
        id=document,
        source=source,
        title="A",
        format=DocumentFormat.MARKDOWN,
        chunks=len(CHUNKS),
        size_bytes=9,
        indexed_s=1.5,
        is_embedded=False,
    )
    return StoredDocument(known=known, content_key="c" * 32, model_key=None)


@pytest.fixture
def rows(state: State) -> KnowledgeRows:
    return KnowledgeRows(rows=state.rows, collection="documents")


async def put(rows: KnowledgeRows, document: StoredDocument, *, generation: int = 1) -> None:
    key = await rows.rows.blind(document.known.source)
    async with rows.rows.writing() as connection:
        await rows.put(
            connection,
            document,
            source_key=key,
            generation=generation,
            chunks=CHUNKS,
            index=INDEX,
        )


async def test_a_document_is_read_as_it_was_stored(rows: KnowledgeRows) -> None:
    await put(rows, stored())
    async with rows.rows.reading() as connection:
        key = await rows.rows.blind("/a.md")
        assert await rows.by_source(connection, key) == stored()
        assert await rows.by_ids(connection, ["d", "gone"]) == {"d": stored()}
        assert await rows.documents(connection) == [stored()]
        assert await rows.chunks(connection, "d") == CHUNKS
        assert await rows.chunks_at(connection, [("d", 1), ("d", 7)]) == {("d", 1): CHUNKS[1]}
        ((name, sealed),) = await rows.indexes(connection, ["d"])
    assert rows.opened_index(name, sealed).digests == INDEX.digests


async def test_putting_a_document_again_leaves_nothing_of_it_before(rows: KnowledgeRows) -> None:
    await put(rows, stored())
    await put(rows, stored(), generation=2)
    async with rows.rows.reading() as connection:
        versions = await rows.versions(connection)
        assert [version.generation for version in versions.values()] == [2]
        assert len(await rows.chunks(connection, "d")) == 2


async def test_a_dropped_document_leaves_no_row(rows: KnowledgeRows) -> None:
    await put(rows, stored())
    async with rows.rows.writing() as connection:
        await rows.drop(connection, "d")
        assert await rows.chunks(connection, "d") == ()
        assert await rows.indexes(connection, ["d"]) == []
        assert await rows.documents(connection) == []


async def test_the_state_of_a_collection_is_remembered(rows: KnowledgeRows) -> None:
    model = EmbeddingModel(key="k" * 32, probe=(0.6, 0.8))
    async with rows.rows.writing() as connection:
        assert await rows.state(connection) == Collection(generation=0, model=None)
        assert await rows.generation(connection) == 0
        await rows.set_state(connection, Collection(generation=1, model=None))
        await rows.set_state(connection, Collection(generation=2, model=model))
    async with rows.rows.reading() as connection:
        assert await rows.state(connection) == Collection(generation=2, model=model)
        assert await rows.generation(connection) == 2


async def test_collections_and_tenants_do_not_see_each_other(state: State) -> None:
    mine = KnowledgeRows(rows=state.rows, collection="documents")
    await put(mine, stored())
    for other in (
        KnowledgeRows(rows=state.rows, collection="others"),
        KnowledgeRows(rows=state.for_tenant("b").rows, collection="documents"),
    ):
        async with other.rows.reading() as connection:
            assert await other.documents(connection) == []
            assert await other.versions(connection) == {}


async def test_an_index_in_another_row_does_not_open(rows: KnowledgeRows) -> None:
    await put(rows, stored())
    async with rows.rows.reading() as connection:
        ((_, sealed),) = await rows.indexes(connection, ["d"])
    with pytest.raises((DamagedRecordError, Exception)):
        rows.opened_index("e", sealed)
