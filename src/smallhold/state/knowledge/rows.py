"""Documents in the database: this file holds how they are stored and read back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from sqlalchemy import BindParameter, bindparam, delete, func, insert, select, update

from smallhold.exceptions import DamagedRecordError
from smallhold.messages import JsonObject, JsonValue
from smallhold.state.database import TenantConnection, TenantDatabase
from smallhold.state.knowledge.chunk import Chunk
from smallhold.state.knowledge.document_index import DocumentIndex, from_bytes, to_bytes
from smallhold.state.knowledge.embedding import EmbeddingModel
from smallhold.state.knowledge.formats import DocumentFormat
from smallhold.state.knowledge.known_document import KnownDocument
from smallhold.state.tables.knowledge import CHUNKS, COLLECTIONS, DOCUMENT_INDEXES, DOCUMENTS

PAYLOAD_VERSION: Final = 1
_COLLECTION: Final[BindParameter[Any]] = bindparam("of_collection")
_DOCUMENT: Final[BindParameter[Any]] = bindparam("of_document")
_STATE: Final = select(COLLECTIONS).where(COLLECTIONS.c.id == _COLLECTION)
_NEW_STATE: Final = insert(COLLECTIONS)
_SET_STATE: Final = (
    update(COLLECTIONS)
    .where(COLLECTIONS.c.id == _COLLECTION)
    .values(
        generation=bindparam("new_generation"),
        embedding_model=bindparam("new_model"),
        payload=bindparam("new_payload"),
    )
)
_GENERATION: Final = select(COLLECTIONS.c.generation).where(COLLECTIONS.c.id == _COLLECTION)
_VERSIONS: Final = select(
    DOCUMENTS.c.id, DOCUMENTS.c.generation, DOCUMENTS.c.embedding_model, DOCUMENTS.c.chunks
).where(DOCUMENTS.c.collection == _COLLECTION)
_ALL: Final = select(DOCUMENTS).where(DOCUMENTS.c.collection == _COLLECTION)
_BY_SOURCE: Final = _ALL.where(DOCUMENTS.c.source_key == bindparam("of_source"))
_BY_IDS: Final = select(DOCUMENTS).where(DOCUMENTS.c.id.in_(bindparam("ids", expanding=True)))
_COUNTS: Final = select(func.count(DOCUMENTS.c.id), func.sum(DOCUMENTS.c.chunks)).where(
    DOCUMENTS.c.collection == _COLLECTION
)
_NEW_DOCUMENT: Final = insert(DOCUMENTS)
_DROP_DOCUMENT: Final = delete(DOCUMENTS).where(DOCUMENTS.c.id == _DOCUMENT)
_NEW_CHUNKS: Final = insert(CHUNKS)
_DROP_CHUNKS: Final = delete(CHUNKS).where(CHUNKS.c.document == _DOCUMENT)
_CHUNKS_OF: Final = select(CHUNKS).where(CHUNKS.c.document == _DOCUMENT).order_by(CHUNKS.c.number)
_CHUNKS_AT: Final = select(CHUNKS).where(
    # Not the pairs themselves: to compare pairs, SQLite reads every row of the table.
    CHUNKS.c.document.in_(bindparam("ids", expanding=True)),
    CHUNKS.c.number.in_(bindparam("numbers", expanding=True)),
)
_NEW_INDEX: Final = insert(DOCUMENT_INDEXES)
_DROP_INDEX: Final = delete(DOCUMENT_INDEXES).where(DOCUMENT_INDEXES.c.document == _DOCUMENT)
_INDEXES: Final = select(DOCUMENT_INDEXES).where(
    DOCUMENT_INDEXES.c.document.in_(bindparam("ids", expanding=True))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """A body of documents as a whole."""

    generation: int
    model: EmbeddingModel | None
    """What its vectors are of; `None` while there are none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentVersion:
    """Which state of a document is the present one."""

    id: str
    generation: int
    model_key: str | None
    chunks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDocument:
    """A document's row."""

    known: KnownDocument
    content_key: str
    model_key: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnowledgeRows:
    """One body of documents in a tenant's part of a database."""

    rows: TenantDatabase
    collection: str

    async def state(self, connection: TenantConnection) -> Collection:
        """Read the generation and the embedding model."""
        found = await connection.execute(_STATE, {"of_collection": self.collection})
        row = found.mappings().one_or_none()
        if row is None:
            return Collection(generation=0, model=None)
        payload = self._unsealed(row["payload"], table=COLLECTIONS.name, row=self.collection)
        probe = payload.get("probe")
        model = None
        if row["embedding_model"] is not None and isinstance(probe, list):
            values = tuple(float(cast("float", value)) for value in probe)
            model = EmbeddingModel(key=row["embedding_model"], probe=values)
        return Collection(generation=row["generation"], model=model)

    async def set_state(self, connection: TenantConnection, state: Collection) -> None:
        """Write the generation and the embedding model."""
        model = state.model
        payload: JsonObject = {
            "v": PAYLOAD_VERSION,
            "probe": None if model is None else list(model.probe),
        }
        sealed = self.rows.seal(payload, table=COLLECTIONS.name, row=self.collection)
        key = None if model is None else model.key
        changed = await connection.execute(
            _SET_STATE,
            {
                "of_collection": self.collection,
                "new_generation": state.generation,
                "new_model": key,
                "new_payload": sealed,
            },
        )
        if changed.rowcount == 0:
            row = {"id": self.collection, "generation": state.generation}
            await connection.execute(_NEW_STATE, {**row, "embedding_model": key, "payload": sealed})

    async def generation(self, connection: TenantConnection) -> int:
        """Read the generation alone; 0 where nothing was ever added."""
        found = await connection.execute(_GENERATION, {"of_collection": self.collection})
        return found.scalar_one_or_none() or 0

    async def versions(self, connection: TenantConnection) -> dict[str, DocumentVersion]:
        """List the present state of all documents, by id."""
        found = await connection.execute(_VERSIONS, {"of_collection": self.collection})
        return {
            row.id: DocumentVersion(
                id=row.id,
                generation=row.generation,
                model_key=row.embedding_model,
                chunks=row.chunks,
            )
            for row in found
        }

    async def documents(self, connection: TenantConnection) -> list[StoredDocument]:
        """Read all documents' rows, by source."""
        found = await connection.execute(_ALL, {"of_collection": self.collection})
        stored = [self._stored(row) for row in found.mappings()]
        return sorted(stored, key=lambda one: one.known.source)

    async def by_source(
        self, connection: TenantConnection, source_key: str
    ) -> StoredDocument | None:
        """Find the document that came from somewhere."""
        parameters = {"of_collection": self.collection, "of_source": source_key}
        row = (await connection.execute(_BY_SOURCE, parameters)).mappings().one_or_none()
        return None if row is None else self._stored(row)

    async def by_ids(
        self, connection: TenantConnection, ids: Sequence[str]
    ) -> dict[str, StoredDocument]:
        """Read some documents' rows, by id."""
        found = await connection.execute(_BY_IDS, {"ids": list(ids)})
        return {row["id"]: self._stored(row) for row in found.mappings()}

    async def counts(self, connection: TenantConnection) -> tuple[int, int]:
        """Count documents and chunks."""
        found = await connection.execute(_COUNTS, {"of_collection": self.collection})
        row: Sequence[Any] = tuple(found.one())
        return int(row[0]), int(row[1] or 0)

    async def put(
        self,
        connection: TenantConnection,
        document: StoredDocument,
        *,
        source_key: str,
        generation: int,
        chunks: Sequence[Chunk],
        index: DocumentIndex,
    ) -> None:
        """Store a document in the place of what it was before."""
        known = document.known
        await self.drop(connection, known.id)
        payload: JsonObject = {
            "v": PAYLOAD_VERSION,
            "source": known.source,
            "title": known.title,
            "format": known.format.value,
            "size_bytes": known.size_bytes,
        }
        row = {
            "id": known.id,
            "collection": self.collection,
            "source_key": source_key,
            "content_key": document.content_key,
            "embedding_model": document.model_key,
            "generation": generation,
            "chunks": known.chunks,
            "indexed_s": known.indexed_s,
            "payload": self.rows.seal(payload, table=DOCUMENTS.name, row=known.id),
        }
        await connection.execute(_NEW_DOCUMENT, row)
        rows = [self._chunk_row(known.id, number, chunk) for number, chunk in enumerate(chunks)]
        if rows:
            await connection.execute(_NEW_CHUNKS, rows)
        await self._put_index(connection, known.id, index)

    async def drop(self, connection: TenantConnection, document: str) -> None:
        """Delete a document with its chunks and its index."""
        parameters = {"of_document": document}
        for statement in (_DROP_INDEX, _DROP_CHUNKS, _DROP_DOCUMENT):
            await connection.execute(statement, parameters)

    async def indexes(
        self, connection: TenantConnection, ids: Sequence[str]
    ) -> list[tuple[str, bytes]]:
        """Read the sealed indexes of some documents; `opened_index` opens them."""
        found = await connection.execute(_INDEXES, {"ids": list(ids)})
        return [(row.document, row.payload) for row in found]

    def opened_index(self, document: str, sealed: bytes) -> DocumentIndex:
        """Open a sealed index; safe in another thread.

        Raises:
            DamagedRecordError: It is not what was written.
            WrongKeyError: The keys do not open it.
        """
        plain = self.rows.unseal_bytes(sealed, table=DOCUMENT_INDEXES.name, row=document)
        return from_bytes(plain, record=f"{DOCUMENT_INDEXES.name} {document}")

    async def chunks(self, connection: TenantConnection, document: str) -> tuple[Chunk, ...]:
        """Read all chunks of a document, in order."""
        found = await connection.execute(_CHUNKS_OF, {"of_document": document})
        return tuple(self._chunk(row) for row in found.mappings())

    async def chunks_at(
        self, connection: TenantConnection, places: Sequence[tuple[str, int]]
    ) -> dict[tuple[str, int], Chunk]:
        """Read some chunks by document and number; those that are gone are missing."""
        wanted = set(places)
        ids = list(dict.fromkeys(document for document, _ in places))
        numbers = list(dict.fromkeys(number for _, number in places))
        found = await connection.execute(_CHUNKS_AT, {"ids": ids, "numbers": numbers})
        return {
            (row["document"], row["number"]): self._chunk(row)
            for row in found.mappings()
            if (row["document"], row["number"]) in wanted
        }

    async def _put_index(
        self, connection: TenantConnection, document: str, index: DocumentIndex
    ) -> None:
        sealed = self.rows.seal_bytes(to_bytes(index), table=DOCUMENT_INDEXES.name, row=document)
        await connection.execute(_NEW_INDEX, {"document": document, "payload": sealed})

    def _chunk_row(self, document: str, number: int, chunk: Chunk) -> dict[str, Any]:
        payload: JsonObject = {
            "v": PAYLOAD_VERSION,
            "text": chunk.text,
            "headings": list(chunk.headings),
            "page": chunk.page,
            "last_page": chunk.last_page,
        }
        sealed = self.rows.seal(payload, table=CHUNKS.name, row=f"{document}/{number}")
        return {"document": document, "number": number, "payload": sealed}

    def _chunk(self, row: Any) -> Chunk:
        name = f"{row['document']}/{row['number']}"
        payload = self._unsealed(row["payload"], table=CHUNKS.name, row=name)
        headings = payload.get("headings")
        return Chunk(
            text=str(payload.get("text")),
            headings=tuple(map(str, headings)) if isinstance(headings, list) else (),
            page=_page(payload.get("page")),
            last_page=_page(payload.get("last_page")),
        )

    def _stored(self, row: Any) -> StoredDocument:
        payload = self._unsealed(row["payload"], table=DOCUMENTS.name, row=row["id"])
        size = payload.get("size_bytes")
        known = KnownDocument(
            id=row["id"],
            source=str(payload.get("source")),
            title=str(payload.get("title")),
            format=DocumentFormat(str(payload.get("format"))),
            chunks=row["chunks"],
            size_bytes=size if isinstance(size, int) else 0,
            indexed_s=row["indexed_s"],
            is_embedded=row["embedding_model"] is not None,
        )
        return StoredDocument(
            known=known, content_key=row["content_key"], model_key=row["embedding_model"]
        )

    def _unsealed(self, data: bytes, *, table: str, row: str) -> JsonObject:
        payload = self.rows.unseal(data, table=table, row=row)
        if not isinstance(payload, dict):
            raise DamagedRecordError(record=f"{table} {row}", problem="it is no JSON object")
        return payload


def _page(value: JsonValue) -> int | None:
    return value if isinstance(value, int) else None
