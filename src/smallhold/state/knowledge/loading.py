"""From the database into memory: this file holds how an index follows what any process changes."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import anyio
from anyio import to_thread

from smallhold.exceptions import DamagedRecordError
from smallhold.state.knowledge.chunk_index import ChunkIndex, Found
from smallhold.state.knowledge.embedding import Vectors
from smallhold.state.knowledge.rows import Collection, DocumentVersion, KnowledgeRows

_READ_CHUNKS: Final = 8_192
"""Chunks whose indexes are read at once, about 10 MB."""
_READ_DOCUMENTS: Final = 500
"""A statement may name so many. Source: SQLite allows 32,766 parameters, PostgreSQL 32,767."""
_log = logging.getLogger(__name__)


class LoadedIndex:
    """The index of a body of documents in this process's memory."""

    def __init__(self, rows: KnowledgeRows) -> None:
        """Begin with nothing; the first search loads it."""
        self._rows = rows
        self._index = ChunkIndex()
        self._collection = Collection(generation=-1, model=None)
        self._versions: dict[str, DocumentVersion] = {}
        self._damaged: set[str] = set()
        self._turn = anyio.Lock()

    @property
    def collection(self) -> Collection:
        """The state that was loaded last."""
        return self._collection

    @property
    def damaged(self) -> frozenset[str]:
        """Documents whose index does not open; the others are searched without them."""
        return frozenset(self._damaged)

    async def refresh(self) -> Collection:
        """Take over what changed since the last time, in this process or another.

        Raises:
            StateError: What is stored cannot be read.
        """
        async with self._turn:
            return await self._refreshed()

    async def search(
        self, terms: Sequence[int], *, vector: Vectors | None, limit: int
    ) -> list[Found]:
        """Search what was loaded, in another thread."""
        async with self._turn:
            return await to_thread.run_sync(
                lambda: self._index.search(terms, vector=vector, limit=limit)
            )

    async def _refreshed(self) -> Collection:
        async with self._rows.rows.reading() as connection:
            if await self._rows.generation(connection) == self._collection.generation:
                return self._collection
            # One transaction is one moment: the documents are those of this generation.
            collection = await self._rows.state(connection)
            versions = await self._rows.versions(connection)
            is_same_model = _key(collection) == _key(self._collection)
            for document in self._versions.keys() - versions.keys():
                self._forget(document)
            stale = [
                version
                for version in versions.values()
                if not is_same_model or self._versions.get(version.id) != version
            ]
            for batch in _batches(stale):
                sealed = await self._rows.indexes(connection, [one.id for one in batch])
                await to_thread.run_sync(self._take, sealed, batch, _key(collection))
            self._collection = collection
        return self._collection

    def _forget(self, document: str) -> None:
        self._index.remove(document)
        self._versions.pop(document, None)
        self._damaged.discard(document)

    def _take(
        self,
        sealed: Sequence[tuple[str, bytes]],
        versions: Sequence[DocumentVersion],
        model_key: str | None,
    ) -> None:
        by_id = {version.id: version for version in versions}
        for document, payload in sealed:
            self._forget(document)
            version = self._versions[document] = by_id[document]
            try:
                index = self._rows.opened_index(document, payload)
            except DamagedRecordError:
                _log.exception("knowledge.index_damaged", extra={"document": document})
                self._damaged.add(document)
                continue
            if version.model_key != model_key:
                # Vectors of another model have nothing to do with a question's.
                index = replace(index, vectors=None)
            self._index.replace(document, index)
        self._index.settle()


def _key(collection: Collection) -> str | None:
    return None if collection.model is None else collection.model.key


def _batches(versions: Sequence[DocumentVersion]) -> list[list[DocumentVersion]]:
    batches: list[list[DocumentVersion]] = [[]]
    chunks = 0
    for version in versions:
        if batches[-1] and (chunks >= _READ_CHUNKS or len(batches[-1]) >= _READ_DOCUMENTS):
            batches.append([])
            chunks = 0
        batches[-1].append(version)
        chunks += version.chunks
    return [batch for batch in batches if batch]
