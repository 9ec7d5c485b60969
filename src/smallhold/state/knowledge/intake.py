"""How documents come in: this file holds the intake, from a file's bytes to its rows."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from anyio import to_thread

from smallhold.exceptions import DamagedRecordError, EmbeddingModelChangedError
from smallhold.state.knowledge.chunk import Chunk
from smallhold.state.knowledge.chunking import ChunkSizes, chunks_of
from smallhold.state.knowledge.formats import DocumentFormat
from smallhold.state.knowledge.indexing import IndexedChunks, indexed
from smallhold.state.knowledge.known_document import Indexed, KnownDocument, Outcome
from smallhold.state.knowledge.meaning import Meaning, MeaningSource
from smallhold.state.knowledge.parsing_process import ParsingProcess
from smallhold.state.knowledge.quantization import Quantized
from smallhold.state.knowledge.rows import Collection, KnowledgeRows, StoredDocument

CUT_VERSION: Final = 1
"""Grows when documents are read or cut otherwise, so that unchanged files are taken in again."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A document that came from somewhere."""

    source: str
    format: DocumentFormat
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """Takes documents into a body of them."""

    rows: KnowledgeRows
    meaning: MeaningSource
    sizes: ChunkSizes
    clock: Callable[[], float]
    new_id: Callable[[], str]

    async def take(self, arrival: Arrival, *, parser: ParsingProcess) -> Indexed:
        """Add a document, or put it in the place of what its source held before.

        Raises:
            DocumentError: It cannot be read; what was known of it stays.
            EmbeddingModelChangedError: Its vectors would not go with those of the others.
            StateError: It could not be stored.
        """
        source_key = await self.rows.rows.blind(arrival.source)
        content_key = await self.rows.rows.blind(self._content(arrival.data))
        async with self.rows.rows.reading() as connection:
            collection = await self.rows.state(connection)
            before = await self.rows.by_source(connection, source_key)
        meaning = await self.meaning.matching(collection.model)
        if before is not None and _is_current(before, content_key, meaning):
            return Indexed(
                source=arrival.source, outcome=Outcome.UNCHANGED, chunks=before.known.chunks
            )
        document = await parser.parse(
            arrival.data, file_format=arrival.format, source=arrival.source
        )
        chunks = await to_thread.run_sync(lambda: chunks_of(document, sizes=self.sizes))
        found = await self._indexed(chunks, meaning=meaning, before=before)
        known = KnownDocument(
            id=self.new_id() if before is None else before.known.id,
            source=arrival.source,
            title=document.title,
            format=arrival.format,
            chunks=len(chunks),
            size_bytes=len(arrival.data),
            indexed_s=self.clock(),
            is_embedded=meaning is not None,
        )
        stored = StoredDocument(known=known, content_key=content_key, model_key=_key(meaning))
        await self._store(stored, source_key, chunks=chunks, found=found, meaning=meaning)
        outcome = Outcome.ADDED if before is None else Outcome.CHANGED
        _log.info("knowledge.indexed", extra={"chunks": len(chunks), "embedded": found.embedded})
        return Indexed(
            source=arrival.source, outcome=outcome, chunks=len(chunks), embedded=found.embedded
        )

    async def embed_anew(self, document: str, *, meaning: Meaning | None) -> Indexed | None:
        """Index a document's stored text again; `None` where it changed or went in the meantime.

        Raises:
            StateError: It could not be read or stored.
        """
        async with self.rows.rows.reading() as connection:
            before = (await self.rows.by_ids(connection, [document])).get(document)
            chunks = await self.rows.chunks(connection, document)
        if before is None:
            return None
        found = await self._indexed(chunks, meaning=meaning, before=before)
        source_key = await self.rows.rows.blind(before.known.source)
        known = replace(before.known, is_embedded=meaning is not None)
        stored = replace(before, known=known, model_key=_key(meaning))
        is_stored = await self._store(
            stored, source_key, chunks=chunks, found=found, meaning=meaning, instead_of=before
        )
        if not is_stored:
            return None
        return Indexed(
            source=known.source,
            outcome=Outcome.CHANGED,
            chunks=len(chunks),
            embedded=found.embedded,
        )

    async def _indexed(
        self, chunks: tuple[Chunk, ...], *, meaning: Meaning | None, before: StoredDocument | None
    ) -> IndexedChunks:
        known: Mapping[bytes, Quantized] = {}
        if before is not None and meaning is not None and before.model_key == meaning.model.key:
            known = await self._known_vectors(before.known.id)
        embedder = None if meaning is None else meaning.embedder
        return await indexed(chunks, embedder=embedder, known=known)

    async def _known_vectors(self, document: str) -> Mapping[bytes, Quantized]:
        async with self.rows.rows.reading() as connection:
            sealed = await self.rows.indexes(connection, [document])
        try:
            return {
                digest: vector
                for name, payload in sealed
                for digest, vector in self.rows.opened_index(name, payload).known_vectors().items()
            }
        except DamagedRecordError:
            _log.warning("knowledge.index_damaged", extra={"document": document})
            return {}

    async def _store(
        self,
        document: StoredDocument,
        source_key: str,
        *,
        chunks: tuple[Chunk, ...],
        found: IndexedChunks,
        meaning: Meaning | None,
        instead_of: StoredDocument | None = None,
    ) -> bool:
        """Store a document, unless it is to replace one that is no longer there as it was."""
        async with self.rows.rows.writing() as connection:
            collection = await self.rows.state(connection)
            model = collection.model
            if meaning is not None:
                model = model or meaning.model
                # Another process may have begun with another model since.
                if model.key != meaning.model.key:
                    raise EmbeddingModelChangedError(
                        similarity=0.0,
                        dimensions=len(meaning.model.probe),
                        stored_dimensions=len(model.probe),
                    )
            there = await self.rows.by_source(connection, source_key)
            if instead_of is not None and (
                there is None or there.content_key != instead_of.content_key
            ):
                # What has come since was read later than this text.
                return False
            if there is not None and there.known.id != document.known.id:
                # So may it have added the same document.
                document = replace(document, known=replace(document.known, id=there.known.id))
            generation = collection.generation + 1
            await self.rows.put(
                connection,
                document,
                source_key=source_key,
                generation=generation,
                chunks=chunks,
                index=found.index,
            )
            await self.rows.set_state(connection, Collection(generation=generation, model=model))
        return True

    def _content(self, data: bytes) -> str:
        return f"{CUT_VERSION}/{self.sizes}/{hashlib.sha256(data).hexdigest()}"


def _is_current(before: StoredDocument, content_key: str, meaning: Meaning | None) -> bool:
    """Whether nothing is to be done: the same bytes, and with vectors where they can be had."""
    has_vectors = meaning is None or before.model_key == meaning.model.key
    return before.content_key == content_key and has_vectors


def _key(meaning: Meaning | None) -> str | None:
    return None if meaning is None else meaning.model.key
