"""Finding facts: this file holds the search of a tenant's facts."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from smallhold.exceptions import DatabaseError
from smallhold.state.memory.fact import Fact
from smallhold.state.memory.fact_index import FactIndex, FactIndexes, index_of
from smallhold.state.memory.lifetime import judged_now
from smallhold.state.memory.rows import EmbeddedFact, FactRows
from smallhold.state.memory.vectors import FactEmbedder, StoredVector

MESSAGE_MAX_CHARS: Final = 2000
"""Of a longer message only the beginning and the end are embedded, where requests stand."""
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class FactSearch:
    """Ranks facts for messages; what it has read is kept until it changes."""

    rows: FactRows
    clock: Callable[[], float]
    """Gives Unix time in seconds."""
    embedder: FactEmbedder | None
    indexes: FactIndexes = field(default_factory=FactIndexes)

    async def rank(self, text: str, *, subject: str | None) -> list[tuple[Fact, float]]:
        """Rank the facts of a subject, or of all, that hold now; the best first.

        Args:
            text: What was said.
            subject: Checked by `subject_name`; `None` searches all subjects.

        Returns:
            Facts with their scores, 0 to 1.
        """
        model = None if self.embedder is None else await self.embedder.fingerprint()
        if subject is None:
            index, mark_s = await self._read_all(model)
        else:
            index, mark_s = await self._read(subject, model)
        vector = None
        if self.embedder is not None and index.facts and text.strip():
            vector = await self.embedder.vector(_ends_of(text))
        now_s = judged_now(self.clock(), mark_s=mark_s)
        return index.rank(text, vector=vector, now_s=now_s)

    async def _read(self, subject: str, model: str | None) -> tuple[FactIndex, float | None]:
        key = await self.rows.subject_key(subject)
        async with self.rows.database.reading() as connection:
            mark_s = await self.rows.mark(connection)
            row = await self.rows.subject(connection, key)
            revision = "" if row is None else row.revision
            known = self.indexes.find(key, revision=revision, model=model)
            if known is not None:
                return known, mark_s
            found = () if row is None else await self.rows.current(connection, key)
        index = index_of(await self._embedded(found, model), model=model)
        if row is not None:
            self.indexes.keep(key, index, revision=revision)
        return index, mark_s

    async def _read_all(self, model: str | None) -> tuple[FactIndex, float | None]:
        async with self.rows.database.reading() as connection:
            mark_s = await self.rows.mark(connection)
            found = await self.rows.current(connection, None)
        return index_of(await self._embedded(found, model), model=model), mark_s

    async def _embedded(
        self, found: tuple[EmbeddedFact, ...], model: str | None
    ) -> tuple[EmbeddedFact, ...]:
        """Give the facts with vectors of this model, computing those of any other."""
        if self.embedder is None:
            return found
        whole: list[EmbeddedFact] = []
        fresh: list[tuple[str, StoredVector]] = []
        for one in found:
            if one.vector is not None and one.vector.model == model:
                whole.append(one)
                continue
            vector = await self.embedder.stored(one.fact.line)
            whole.append(replace(one, vector=vector))
            fresh.append((one.fact.id, vector))
        await self._keep_vectors(fresh)
        return tuple(whole)

    async def _keep_vectors(self, fresh: list[tuple[str, StoredVector]]) -> None:
        if not fresh:
            return
        try:
            # A fact that was erased meanwhile has no row, and gets no vector.
            async with self.rows.database.writing() as connection:
                await self.rows.set_vectors(connection, fresh)
        except DatabaseError as error:
            # They are computed again; a full disk must not keep an agent from remembering.
            _LOG.warning("memory.vectors_unwritten", extra={"error": type(error).__name__})


def _ends_of(text: str) -> str:
    if len(text) <= MESSAGE_MAX_CHARS:
        return text
    half = MESSAGE_MAX_CHARS // 2
    return f"{text[:half]}\n{text[-half:]}"
