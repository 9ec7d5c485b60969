"""Many documents as one index: this file holds a segment, which is made once and never changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from smallhold.state.knowledge.document_index import (
    CHUNK_SHIFT,
    TERM_SHIFT,
    DocumentIndex,
    Keys,
)
from smallhold.state.knowledge.quantization import Quantized

_COUNT_BITS: Final = np.uint64(CHUNK_SHIFT)
_TERM_BITS: Final = np.uint64(TERM_SHIFT)
_CHUNK_MASK: Final = np.uint32((1 << (TERM_SHIFT - CHUNK_SHIFT)) - 1)


class Postings(NamedTuple):
    """The chunks that have a term, and how often."""

    chunks: npt.NDArray[np.uint32]
    counts: npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Chunks of some documents, by terms and by vectors; 430 bytes of postings for each chunk."""

    documents: tuple[str, ...]
    """Their ids."""
    document_of: npt.NDArray[np.uint32]
    """uint32 [chunks]: place in `documents`."""
    number_of: npt.NDArray[np.uint32]
    """uint32 [chunks]: the chunk's number in its document."""
    lengths: npt.NDArray[np.float32]
    """float32 [chunks]: terms of each."""
    terms: npt.NDArray[np.uint32]
    """uint32 [distinct terms], rising."""
    starts: npt.NDArray[np.uint32]
    """uint32 [distinct terms + 1]: where the postings of each term begin."""
    chunks: npt.NDArray[np.uint32]
    """uint32 [postings]"""
    counts: npt.NDArray[np.uint8]
    """uint8 [postings]"""
    vectors: Quantized | None
    """All 0 for chunks without a vector; `None` where no chunk has one."""

    def __len__(self) -> int:
        """Count the chunks."""
        return len(self.lengths)

    def postings(self, term: int) -> Postings:
        """Give the chunks that have a term."""
        place = int(np.searchsorted(self.terms, np.uint32(term)))
        if place == len(self.terms) or self.terms[place] != term:
            return Postings(self.chunks[:0], self.counts[:0])
        here = slice(int(self.starts[place]), int(self.starts[place + 1]))
        return Postings(self.chunks[here], self.counts[here])


def segment_of(indexes: Sequence[tuple[str, DocumentIndex]]) -> Segment:
    """Put documents together.

    Args:
        indexes: Each document's id and index.
    """
    sizes = [len(index.lengths) for _, index in indexes]
    starts = np.concatenate([[0], np.cumsum(sizes, dtype=np.uint64)]).astype(np.uint64)
    keys = np.empty(sum(len(index.keys) for _, index in indexes), dtype=np.uint64)
    filled = 0
    for (_, index), start in zip(indexes, starts[:-1], strict=True):
        np.add(index.keys, start << _COUNT_BITS, out=keys[filled : filled + len(index.keys)])
        filled += len(index.keys)
    return _segment(
        keys,
        documents=tuple(document for document, _ in indexes),
        document_of=np.repeat(np.arange(len(sizes), dtype=np.uint32), sizes),
        number_of=np.concatenate([
            np.zeros(0, dtype=np.uint32),
            *(np.arange(size, dtype=np.uint32) for size in sizes),
        ]),
        lengths=np.concatenate([
            np.zeros(0, dtype=np.float32),
            *(index.lengths.astype(np.float32) for _, index in indexes),
        ]),
        vectors=_vectors([
            (index.vectors, size) for (_, index), size in zip(indexes, sizes, strict=True)
        ]),
    )


def merged(parts: Sequence[tuple[Segment, npt.NDArray[np.bool_]]]) -> Segment:
    """Put segments together without the chunks that are gone.

    Args:
        parts: Each segment with bool [chunks], true for those that are still there.
    """
    documents = [document for segment, _ in parts for document in segment.documents]
    offsets = np.cumsum([0, *(len(segment.documents) for segment, _ in parts)])
    firsts = np.cumsum([0, *(int(alive.sum()) for _, alive in parts)])
    document_of = np.concatenate([
        segment.document_of[alive] + np.uint32(offset)
        for (segment, alive), offset in zip(parts, offsets, strict=False)
    ])
    # Documents without any chunk left are forgotten, names included.
    used, renumbered = np.unique(document_of, return_inverse=True)
    kept: list[int] = used.tolist()
    return _segment(
        np.concatenate([
            _kept_keys(segment, alive, first=int(first))
            for (segment, alive), first in zip(parts, firsts, strict=False)
        ]),
        documents=tuple(documents[place] for place in kept),
        document_of=renumbered.astype(np.uint32),
        number_of=np.concatenate([segment.number_of[alive] for segment, alive in parts]),
        lengths=np.concatenate([segment.lengths[alive] for segment, alive in parts]),
        vectors=_vectors([
            (_kept_vectors(segment.vectors, alive), int(alive.sum())) for segment, alive in parts
        ]),
    )


def _segment(
    keys: Keys,
    *,
    documents: tuple[str, ...],
    document_of: npt.NDArray[np.uint32],
    number_of: npt.NDArray[np.uint32],
    lengths: npt.NDArray[np.float32],
    vectors: Quantized | None,
) -> Segment:
    # In place, step by step: of all that a search needs, the keys take the most memory.
    keys.sort()
    counts = keys.astype(np.uint8)
    keys >>= _COUNT_BITS
    chunks = keys.astype(np.uint32)
    chunks &= _CHUNK_MASK
    keys >>= _TERM_BITS - _COUNT_BITS
    terms = keys.astype(np.uint32)
    is_first = np.ones(len(terms), dtype=np.bool_)
    np.not_equal(terms[1:], terms[:-1], out=is_first[1:])
    places = np.flatnonzero(is_first)
    return Segment(
        documents=documents,
        document_of=document_of,
        number_of=number_of,
        lengths=lengths,
        terms=terms[places],
        starts=np.append(places, len(keys)).astype(np.uint32),
        chunks=chunks,
        counts=counts,
        vectors=vectors,
    )


def _kept_keys(segment: Segment, alive: npt.NDArray[np.bool_], *, first: int) -> Keys:
    """Write a segment's postings as keys again, with the chunks that are left numbered anew."""
    numbers = (np.cumsum(alive) - 1 + first).astype(np.uint64)
    terms = np.repeat(segment.terms, np.diff(segment.starts.astype(np.int64)))
    kept = alive[segment.chunks]
    keys = terms[kept].astype(np.uint64)
    keys <<= _TERM_BITS
    keys |= numbers[segment.chunks[kept]] << _COUNT_BITS
    keys |= segment.counts[kept]
    return keys


def _kept_vectors(vectors: Quantized | None, alive: npt.NDArray[np.bool_]) -> Quantized | None:
    if vectors is None:
        return None
    return Quantized(rows=vectors.rows[alive], scales=vectors.scales[alive])


def _vectors(parts: Sequence[tuple[Quantized | None, int]]) -> Quantized | None:
    dimensions = next((part.dimensions for part, _ in parts if part is not None), None)
    if dimensions is None:
        return None
    count = sum(size for _, size in parts)
    rows = np.zeros((count, dimensions), dtype=np.int8)
    scales = np.zeros(count, dtype=np.float32)
    start = 0
    for part, size in parts:
        if part is not None:
            rows[start : start + size] = part.rows
            scales[start : start + size] = part.scales
        start += size
    return Quantized(rows=rows, scales=scales)
