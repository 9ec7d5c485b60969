"""A document as it is searched: this file holds its terms and vectors, which are stored with it.

So a process that starts needs neither the text of all documents nor the embedding model to search
them, and a document that is erased takes all that was made of it along.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from smallhold.exceptions import DamagedRecordError, NewerFormatError
from smallhold.state.knowledge.chunk import DIGEST_BYTES, Chunk
from smallhold.state.knowledge.quantization import Quantized
from smallhold.state.knowledge.terms import terms_of

Keys: TypeAlias = npt.NDArray[np.uint64]

FORMAT: Final = 1
CHUNK_SHIFT: Final = 8
TERM_SHIFT: Final = 32
COUNT_MAX: Final = 255
CHUNKS_MAX: Final = 1 << (TERM_SHIFT - CHUNK_SHIFT)
"""16.8 million, in one index; what is left of a key beside a term and a count."""
_HEAD: Final = struct.Struct("<4sHIQI")
_MAGIC: Final = b"SHKI"


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentIndex:
    """The searchable side of a document's chunks, in their order."""

    digests: tuple[bytes, ...]
    """16 bytes each, by which unchanged chunks are known again."""
    lengths: npt.NDArray[np.uint32]
    """uint32 [chunks]: terms of each."""
    keys: Keys
    """uint64 [postings], rising: a term (32 bits), a chunk's number (24), its occurrences (8)."""
    vectors: Quantized | None
    """What the chunks mean; `None` where they were not embedded."""

    def known_vectors(self) -> Mapping[bytes, Quantized]:
        """Give each chunk's vector by its digest."""
        if self.vectors is None:
            return {}
        return {digest: self.vectors.row(number) for number, digest in enumerate(self.digests)}


def document_index(chunks: Sequence[Chunk], *, vectors: Quantized | None) -> DocumentIndex:
    """Index chunks by their words.

    Args:
        chunks: Of one document, in order.
        vectors: One for each chunk, or `None`.
    """
    keys: list[int] = []
    lengths: list[int] = []
    for number, chunk in enumerate(chunks):
        terms = terms_of(chunk.searched_text)
        lengths.append(len(terms))
        keys.extend(
            (term << TERM_SHIFT) | (number << CHUNK_SHIFT) | min(count, COUNT_MAX)
            for term, count in Counter(terms).items()
        )
    return DocumentIndex(
        digests=tuple(chunk.digest for chunk in chunks),
        lengths=np.asarray(lengths, dtype=np.uint32),
        keys=np.sort(np.asarray(keys, dtype=np.uint64)),
        vectors=vectors,
    )


def to_bytes(index: DocumentIndex) -> bytes:
    """Write an index down."""
    vectors = index.vectors
    dimensions = 0 if vectors is None else vectors.dimensions
    parts = [
        _HEAD.pack(_MAGIC, FORMAT, len(index.lengths), len(index.keys), dimensions),
        b"".join(index.digests),
        index.lengths.astype("<u4").tobytes(),
        index.keys.astype("<u8").tobytes(),
    ]
    if vectors is not None:
        parts += [vectors.scales.astype("<f4").tobytes(), vectors.rows.tobytes()]
    return b"".join(parts)


def from_bytes(data: bytes, *, record: str) -> DocumentIndex:
    """Read an index.

    Args:
        data: What `to_bytes` wrote.
        record: Its name, for errors.

    Raises:
        DamagedRecordError: It is none.
        NewerFormatError: A newer version wrote it.
    """
    if len(data) < _HEAD.size:
        raise DamagedRecordError(record=record, problem="it is too short for an index")
    magic, found, chunks, postings, dimensions = _HEAD.unpack_from(data)
    if magic != _MAGIC:
        raise DamagedRecordError(record=record, problem="it is no index")
    if found > FORMAT:
        raise NewerFormatError(what=f"The index {record}", found=str(found), supported=str(FORMAT))
    sizes = (chunks * DIGEST_BYTES, chunks * 4, postings * 8)
    vector_sizes = (chunks * 4, chunks * dimensions) if dimensions else (0, 0)
    if len(data) != _HEAD.size + sum(sizes) + sum(vector_sizes):
        raise DamagedRecordError(record=record, problem="its length is not that of its parts")
    starts = list(accumulate((*sizes, *vector_sizes), initial=_HEAD.size))
    vectors = None
    if dimensions:
        scales = np.frombuffer(data, dtype="<f4", count=chunks, offset=starts[3])
        flat = np.frombuffer(data, dtype=np.int8, count=chunks * dimensions, offset=starts[4])
        vectors = Quantized(rows=flat.reshape(chunks, dimensions), scales=scales)
    return DocumentIndex(
        digests=tuple(
            data[start : start + DIGEST_BYTES]
            for start in range(starts[0], starts[1], DIGEST_BYTES)
        ),
        lengths=np.frombuffer(data, dtype="<u4", count=chunks, offset=starts[1]),
        keys=np.frombuffer(data, dtype="<u8", count=postings, offset=starts[2]),
        vectors=vectors,
    )
