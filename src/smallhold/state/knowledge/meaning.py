"""The embedding model at hand: this file holds how it is opened and held to the stored vectors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import anyio

from smallhold.runtimes.protocol import Embedder
from smallhold.settings import load_settings
from smallhold.state.knowledge.embedding import (
    PROBE,
    EmbeddingModel,
    Vectors,
    model_of,
    sentence_model,
    vectors_of,
)

_NOT_OPENED: Final = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """An embedder whose vectors go with those that are stored."""

    embedder: Embedder
    model: EmbeddingModel

    async def vector(self, text: str) -> Vectors:
        """Embed a question: float32 [dimensions]. Raises as `vectors_of`."""
        return (await vectors_of([text], embedder=self.embedder))[0]


class MeaningSource:
    """Opens the embedding model when it is first needed."""

    def __init__(self, embedder: Embedder | None, *, is_wanted: bool) -> None:
        """Note what to use.

        Args:
            embedder: `None` for the sentence model of the store, where there is one.
            is_wanted: False where words alone are compared.
        """
        self._embedder: Embedder | object | None = embedder or _NOT_OPENED
        if not is_wanted:
            self._embedder = None
        self._probe: tuple[float, ...] | None = None
        self._turn = anyio.Lock()

    async def matching(self, stored: EmbeddingModel | None) -> Meaning | None:
        """Give the embedder for vectors of a model; `None` where there is no embedder.

        Args:
            stored: The model of the vectors there are; `None` where there are none.

        Raises:
            EmbeddingModelChangedError: It is another model.
            InvalidWeightsError: The model's file is not sound.
        """
        current = await self.current()
        if current is None or stored is None:
            return current
        stored.require_same(current.model.probe)
        return Meaning(embedder=current.embedder, model=stored)

    async def current(self) -> Meaning | None:
        """Give the embedder for new vectors; `None` where there is none."""
        async with self._turn:
            if self._embedder is _NOT_OPENED:
                self._embedder = sentence_model(load_settings())
            if not isinstance(self._embedder, Embedder):
                return None
            if self._probe is None:
                vectors = await vectors_of([PROBE], embedder=self._embedder)
                self._probe = tuple(vectors[0].tolist())
            return Meaning(embedder=self._embedder, model=model_of(self._probe))
