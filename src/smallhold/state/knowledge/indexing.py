"""From a file's text to what is stored of it: this file holds the indexing of one document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from anyio import to_thread

from smallhold.runtimes.protocol import Embedder
from smallhold.state.knowledge.chunk import Chunk
from smallhold.state.knowledge.document_index import DocumentIndex, document_index
from smallhold.state.knowledge.embedding import vectors_of
from smallhold.state.knowledge.quantization import Quantized, quantized, together

EMBEDDED_AT_ONCE: Final = 256
"""Chunks between two moments at which the work can be cancelled: some seconds of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedChunks:
    """What is stored of a document's text."""

    index: DocumentIndex
    embedded: int
    """Chunks whose vectors were computed now."""


async def indexed(
    chunks: Sequence[Chunk], *, embedder: Embedder | None, known: Mapping[bytes, Quantized]
) -> IndexedChunks:
    """Index chunks, computing only the vectors that are not known.

    Args:
        chunks: Of one document, in order.
        embedder: Computes vectors; `None` for words alone.
        known: Vectors by the digests of chunks, of the same model.

    Raises:
        ModelOutputError: The embedder gives no usable vectors.
    """
    if embedder is None or not chunks:
        index = await to_thread.run_sync(lambda: document_index(chunks, vectors=None))
        return IndexedChunks(index=index, embedded=0)
    texts = {chunk.digest: chunk.searched_text for chunk in chunks if chunk.digest not in known}
    fresh = dict(known)
    digests = list(texts)
    for start in range(0, len(digests), EMBEDDED_AT_ONCE):
        part = digests[start : start + EMBEDDED_AT_ONCE]
        vectors = await vectors_of([texts[digest] for digest in part], embedder=embedder)
        rounded = quantized(np.ascontiguousarray(vectors))
        fresh.update((digest, rounded.row(number)) for number, digest in enumerate(part))
    rows = together([fresh[chunk.digest] for chunk in chunks])
    index = await to_thread.run_sync(lambda: document_index(chunks, vectors=rows))
    return IndexedChunks(index=index, embedded=len(digests))
