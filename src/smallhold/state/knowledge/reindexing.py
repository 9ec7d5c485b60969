"""After another embedding model: this file holds how all documents are embedded again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from smallhold.exceptions import EmbeddingModelChangedError
from smallhold.state.knowledge.intake import Intake
from smallhold.state.knowledge.known_document import Indexed
from smallhold.state.knowledge.meaning import Meaning, MeaningSource
from smallhold.state.knowledge.rows import Collection, KnowledgeRows


@dataclass(frozen=True, slots=True, kw_only=True)
class Reindexing:
    """Embeds what is stored with the model at hand."""

    rows: KnowledgeRows
    meaning: MeaningSource
    intake: Intake

    async def run(self, *, report: Callable[[Indexed], None]) -> tuple[Indexed, ...]:
        """Embed the documents whose vectors are not of the model; none where there is no model.

        Args:
            report: Called after each document.

        Raises:
            StateError: What is stored cannot be read.
        """
        meaning = await self._agreed()
        if meaning is None:
            return ()
        async with self.rows.rows.reading() as connection:
            versions = await self.rows.versions(connection)
        done: list[Indexed] = []
        for version in versions.values():
            if version.model_key == meaning.model.key:
                continue
            indexed = await self.intake.embed_anew(version.id, meaning=meaning)
            if indexed is not None:
                done.append(indexed)
                report(indexed)
        return tuple(done)

    async def _agreed(self) -> Meaning | None:
        """Make the model at hand that of the documents."""
        current = await self.meaning.current()
        if current is None:
            return None
        async with self.rows.rows.writing() as connection:
            collection = await self.rows.state(connection)
            try:
                if collection.model is not None:
                    collection.model.require_same(current.model.probe)
                    return Meaning(embedder=current.embedder, model=collection.model)
            except EmbeddingModelChangedError:
                # From here on the old vectors are passed over, in all processes.
                pass
            fresh = Collection(generation=collection.generation + 1, model=current.model)
            await self.rows.set_state(connection, fresh)
        return current
