"""What facts mean: this file holds their vectors, stored and compared."""

from __future__ import annotations

import hashlib
import struct
import sys
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from operator import mul
from typing import Final, Protocol, TypeAlias

from smallhold.exceptions import DamagedRecordError
from smallhold.generation import EmbedRequest, Pooling, Prompt
from smallhold.messages import Message, Role
from smallhold.runtimes.protocol import Embedder

Vector: TypeAlias = tuple[float, ...]

FINGERPRINT_CHARS: Final = 32
_PROBE: Final = "The quick brown fox jumps over the lazy dog near 17 grey stones."
_PROBE_STEP: Final = 0.02
"""Vectors of one model on two machines differ far less, those of two models far more."""
_FLOAT_BYTES: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredVector:
    """A fact's vector."""

    model: str
    """Fingerprint of the model that computed it."""
    values: Vector


class FactEmbedder:
    """Turns facts and messages into vectors, and knows which model does."""

    def __init__(self, embedder: Embedder, *, fingerprint: str | None = None) -> None:
        """Wrap an embedder.

        Args:
            embedder: Computes vectors.
            fingerprint: What tells its model from others, best the sha256 of its weights. By
                default it is found by embedding one sentence, when the first vector is needed.
        """
        self._embedder = embedder
        self._fingerprint = None if fingerprint is None else _digest(fingerprint.encode())

    async def fingerprint(self) -> str:
        """Give what tells the model from others: `FINGERPRINT_CHARS` hexadecimal digits."""
        if self._fingerprint is None:
            probe = await self.vector(_PROBE)
            steps = [round(value / _PROBE_STEP) for value in probe]
            self._fingerprint = _digest(repr(steps).encode())
        return self._fingerprint

    async def vector(self, text: str) -> Vector:
        """Embed a message. Raises as `Embedder.embed`."""
        prompt = Prompt(messages=(Message(role=Role.USER, content=text),))
        embedding = await self._embedder.embed(EmbedRequest(prompt=prompt, pooling=Pooling.MEAN))
        return embedding.vector

    async def stored(self, text: str) -> StoredVector:
        """Embed the line of a fact. Raises as `Embedder.embed`.

        One by one, and not as texts of a `CachedEmbedder`, whose cache on the disk would outlive
        the fact.
        """
        return StoredVector(model=await self.fingerprint(), values=await self.vector(text))


class SimilarityTable(Protocol):
    """Vectors of length 1 that one is compared with."""

    def similarities(self, query: Vector) -> list[float]:
        """Give the cosine between one vector and each of the table, in order, -1 to 1."""
        ...


@dataclass(frozen=True, slots=True)
class PlainTable:
    """A table without numpy: 5 ms for 300 vectors of 384 dimensions."""

    rows: tuple[Vector, ...]

    def similarities(self, query: Vector) -> list[float]:
        """Give the cosine between one vector and each of the table, in order, -1 to 1."""
        return [sum(map(mul, query, row)) for row in self.rows]


def similarity_table(vectors: Sequence[Vector]) -> SimilarityTable:
    """Make a table of vectors of one model, a fast one where numpy is installed."""
    # Not at import: numpy comes with the engine, and vectors may come from another runtime.
    try:
        from smallhold.engine.sentences.vector_table import VectorTable  # noqa: PLC0415 - see above
    except ModuleNotFoundError:
        return PlainTable(tuple(vectors))
    table = VectorTable()
    table.extend(vectors)
    return table


def packed(values: Vector) -> bytes:
    """Write a vector as little-endian float32."""
    return struct.pack(f"<{len(values)}f", *values)


def unpacked(data: bytes, *, record: str) -> Vector:
    """Read a vector. Raises `DamagedRecordError` where the bytes are no whole numbers."""
    if not data or len(data) % _FLOAT_BYTES:
        raise DamagedRecordError(record=f"facts {record}", problem="its vector is cut")
    values = array("f", data)
    if sys.byteorder == "big":
        values.byteswap()
    return tuple(values)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:FINGERPRINT_CHARS]
