"""From a question to hits: this file holds the search of one body of documents."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from smallhold.exceptions import ConfigError
from smallhold.state.knowledge.chunk_index import Found
from smallhold.state.knowledge.embedding import Vectors
from smallhold.state.knowledge.hit import Hit
from smallhold.state.knowledge.loading import LoadedIndex
from smallhold.state.knowledge.meaning import MeaningSource
from smallhold.state.knowledge.reranking import Reranker, in_order
from smallhold.state.knowledge.rows import Collection, KnowledgeRows
from smallhold.state.knowledge.settings import KnowledgeSettings, Reading
from smallhold.state.knowledge.terms import asked_terms

QUESTION_MAX_CHARS: Final = 4_000
"""Of a longer message the beginning and the end are searched for, where requests stand."""
_SPARE: Final = 8
"""Found beyond the limit, for chunks that stand in several documents word for word."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Searcher:
    """Finds chunks."""

    rows: KnowledgeRows
    index: LoadedIndex
    meaning: MeaningSource
    settings: KnowledgeSettings
    reranker: Reranker | None

    async def search(self, text: str, *, limit: int, reading: Reading) -> tuple[Hit, ...]:
        """Find the chunks that answer a question best, each text once.

        Raises:
            ConfigError: The limit is below 1, or there is no embedder for meaning alone.
            EmbeddingModelChangedError: The documents' vectors are of another model.
            StateError: What is stored cannot be read.
        """
        if limit < 1:
            raise ConfigError(field="limit", value=limit, remedy="give 1 or more")
        question = _shortened(text)
        collection = await self.index.refresh()
        vector = await self._vector(question, collection, reading)
        wanted = limit if self.reranker is None else max(limit, self.settings.reranked)
        terms = () if reading is Reading.MEANING else asked_terms(question)
        found = await self.index.search(terms, vector=vector, limit=wanted + _SPARE)
        hits = (await self._hits(found))[:wanted]
        if self.reranker is not None and hits:
            hits = in_order(hits, await self.reranker.scores(question, hits))
        return tuple(hits[:limit])

    async def _vector(
        self, question: str, collection: Collection, reading: Reading
    ) -> Vectors | None:
        if reading is Reading.WORDS or not question.strip():
            return None
        meaning = await self.meaning.matching(collection.model)
        if meaning is None and reading is Reading.MEANING:
            remedy = "install a sentence model (`smallhold pull all-minilm-l6-v2`) or read words"
            raise ConfigError(field="reading", value=reading.value, remedy=remedy)
        if meaning is None or collection.model is None:
            return None
        return await meaning.vector(question)

    async def _hits(self, found: Sequence[Found]) -> list[Hit]:
        if not found:
            return []
        async with self.rows.rows.reading() as connection:
            chunks = await self.rows.chunks_at(
                connection, [(one.document, one.number) for one in found]
            )
            documents = await self.rows.by_ids(
                connection, list(dict.fromkeys(one.document for one in found))
            )
        hits: dict[str, Hit] = {}
        for one in found:
            chunk = chunks.get((one.document, one.number))
            document = documents.get(one.document)
            # Somebody may have removed it since the index was loaded.
            if chunk is None or document is None:
                continue
            hit = Hit(
                document=one.document,
                number=one.number,
                digest=chunk.digest.hex(),
                source=document.known.source,
                title=document.known.title,
                text=chunk.text,
                headings=chunk.headings,
                page=chunk.page,
                last_page=chunk.last_page,
                score=min(1.0, one.score),
                coverage=min(1.0, one.coverage),
                similarity=one.similarity,
            )
            hits.setdefault(hit.digest, hit)
        return list(hits.values())


def _shortened(text: str) -> str:
    if len(text) <= QUESTION_MAX_CHARS:
        return text
    half = QUESTION_MAX_CHARS // 2
    return f"{text[:half]}\n{text[-half:]}"
