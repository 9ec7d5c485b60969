"""What tools and messages mean: this file holds how their texts become vectors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import mul
from typing import Protocol, TypeAlias, runtime_checkable

from smallhold.generation import EmbedRequest, Pooling, Prompt
from smallhold.messages import Message, Role
from smallhold.runtimes.protocol import Embedder

Vector: TypeAlias = tuple[float, ...]


@runtime_checkable
class BatchEmbedder(Protocol):
    """An embedder that is faster when it gets many texts at once."""

    async def embed_texts(self, texts: Sequence[str]) -> tuple[Vector, ...]:
        """Embed texts; vectors in their order, each of length 1."""
        ...


async def vectors_of(texts: Sequence[str], *, embedder: Embedder) -> tuple[Vector, ...]:
    """Embed texts, together where the embedder can.

    Raises as `Embedder.embed`.
    """
    if isinstance(embedder, BatchEmbedder):
        return await embedder.embed_texts(texts)
    return tuple([await vector_of(text, embedder=embedder) for text in texts])


async def vector_of(text: str, *, embedder: Embedder) -> Vector:
    """Embed one text as a user's message.

    Raises as `Embedder.embed`.
    """
    prompt = Prompt(messages=(Message(role=Role.USER, content=text),))
    embedding = await embedder.embed(EmbedRequest(prompt=prompt, pooling=Pooling.MEAN))
    return embedding.vector


def centroid(vectors: Sequence[Vector]) -> Vector:
    """Give the direction of the vectors' sum, as a vector of length 1.

    Args:
        vectors: At least one, all of length 1 and of as many dimensions.

    Source:
        Manning, Raghavan and Schuetze 2008, "Introduction to Information Retrieval", section 14.2.
    """
    summed = [sum(column) for column in zip(*vectors, strict=True)]
    length = math.hypot(*summed)
    # Opposite vectors may leave nothing, and then the tool is like no message.
    return tuple(value / length for value in summed) if length else tuple(summed)


class SimilarityTable(Protocol):
    """Vectors of length 1 that one is compared with."""

    def extend(self, vectors: Sequence[Vector]) -> None:
        """Add vectors after the others."""
        ...

    def similarities(self, query: Vector) -> list[float]:
        """Give the cosine between one vector and each of the table, in order, -1 to 1."""
        ...


class PlainTable:
    """A table without numpy: 15 ms for 1,000 vectors of 384 dimensions."""

    def __init__(self) -> None:
        self._rows: list[Vector] = []

    def extend(self, vectors: Sequence[Vector]) -> None:
        """Add vectors after the others."""
        self._rows.extend(vectors)

    def similarities(self, query: Vector) -> list[float]:
        """Give the cosine between one vector and each of the table, in order, -1 to 1."""
        return [sum(map(mul, query, row)) for row in self._rows]


def similarity_table() -> SimilarityTable:
    """Make an empty table, a fast one where numpy is installed."""
    # Not at import: numpy comes with the engine, and an agent may run on another runtime.
    try:
        from smallhold.engine.sentences.vector_table import VectorTable  # noqa: PLC0415 - see above
    except ModuleNotFoundError:
        return PlainTable()
    return VectorTable()
