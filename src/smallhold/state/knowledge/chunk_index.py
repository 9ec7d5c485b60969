"""Which chunks answer a question: this file holds the search by words and by meaning, in memory.

The index is a few segments, of which neighbours of like size are put together as documents come.
Chunks of documents that changed or went are marked and passed over, and left out at such times.
Counts of words are always those of the chunks that are there, so what is found does not depend on
how the index came about.

Source: O'Neil et al. 1996, "The Log-Structured Merge-Tree"; Lucene's segments.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from smallhold.state.knowledge.document_index import DocumentIndex
from smallhold.state.knowledge.fusion import Scores, fused
from smallhold.state.knowledge.segment import Segment, merged, segment_of

SATURATION: Final = 1.2
"""How soon further occurrences of a word stop counting (`k1`), and ..."""
LENGTH_SHARE: Final = 0.75
"""... how much of a chunk's length is held against it (`b`). Source of both: Manning, Raghavan and
Schuetze 2008, "Introduction to Information Retrieval", section 11.4.3."""
SEGMENT_CHUNKS: Final = 32_768
"""The most of one segment: putting it together takes 60 MB and a tenth of a second."""
_LIKE_SIZE: Final = 2
_GONE_SHARE: Final = 0.25
"""A segment of which so much is gone is made anew without it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A chunk that may answer a question."""

    document: str
    number: int
    """In its document, from 0."""
    score: float
    coverage: float
    """How much of the weight of the question's words the chunk covers, 0 to 1."""
    similarity: float | None
    """Cosine of meanings, -1 to 1; `None` where the question was not embedded."""


@dataclass(slots=True, eq=False)
class _Part:
    segment: Segment
    alive: npt.NDArray[np.bool_]
    """bool [chunks]"""
    gone: int = 0

    @property
    def size(self) -> int:
        return len(self.segment) - self.gone


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    part: _Part
    coverage: Scores
    similarity: Scores | None
    score: Scores


class ChunkIndex:
    """Chunks of documents, found by words and by meaning. Not for two threads at a time."""

    def __init__(self) -> None:
        self._parts: list[_Part] = []
        self._waiting: dict[str, DocumentIndex] = {}
        self._places: dict[str, tuple[_Part, int]] = {}
        """In which part a document is, and its number there."""

    def __len__(self) -> int:
        """Count the chunks."""
        waiting = sum(len(index.lengths) for index in self._waiting.values())
        return waiting + sum(part.size for part in self._parts)

    @property
    def documents(self) -> frozenset[str]:
        """Ids of the documents."""
        return frozenset(self._places) | frozenset(self._waiting)

    @property
    def segment_sizes(self) -> tuple[int, ...]:
        """Chunks of each segment, those that are gone not counted."""
        return tuple(part.size for part in self._parts)

    def replace(self, document: str, index: DocumentIndex) -> None:
        """Add a document, or put its new chunks in the place of its old ones."""
        self.remove(document)
        self._waiting[document] = index

    def remove(self, document: str) -> None:
        """Forget a document; nothing happens where it is not there."""
        self._waiting.pop(document, None)
        place = self._places.pop(document, None)
        if place is not None:
            part, number = place
            mine = part.segment.document_of == np.uint32(number)
            part.gone += int(np.count_nonzero(part.alive & mine))
            part.alive &= ~mine

    def settle(self) -> None:
        """Make what was added ready to be searched."""
        for group in _groups(self._waiting):
            self._append(segment_of(group))
        self._waiting.clear()
        self._merge()

    def search(self, terms: Sequence[int], *, vector: Scores | None, limit: int) -> list[Found]:
        """Find the chunks that fit best.

        Args:
            terms: Of the question, each once.
            vector: float32 [dimensions], what the question means, of length 1; `None`: words only.
            limit: The most that are given.

        Returns:
            The best first; of equal ones the first by document and number.
        """
        self.settle()
        coverages = self._coverages(terms)
        found: list[Found] = []
        for part, coverage in zip(self._parts, coverages, strict=True):
            vectors = part.segment.vectors
            similarity = None
            if vector is not None:
                none = np.zeros(len(part.segment), dtype=np.float32)
                similarity = none if vectors is None else vectors.similarities(vector)
            score = fused(coverage, similarity)
            reading = _Reading(part=part, coverage=coverage, similarity=similarity, score=score)
            found += _candidates(reading, count=limit)
        found.sort(key=lambda entry: (-entry.score, entry.document, entry.number))
        return found[:limit]

    def _coverages(self, terms: Sequence[int]) -> list[Scores]:
        """Give, for each chunk of each part, how much of the terms' weight it covers, 0 to 1.

        Source:
            Robertson and Zaragoza 2009, "The Probabilistic Relevance Framework: BM25 and Beyond",
            section 3; divided by the weight of all terms, an unknown one weighing the most.
        """
        chunks = sum(part.size for part in self._parts)
        total = sum(
            float(part.segment.lengths[part.alive].sum(dtype=np.float64)) for part in self._parts
        )
        mean = total / chunks if total else 1.0
        penalties = [_penalties(part.segment.lengths, mean=mean) for part in self._parts]
        found = [np.zeros(len(part.segment), dtype=np.float32) for part in self._parts]
        whole = 0.0
        for term in terms:
            postings = [part.segment.postings(term) for part in self._parts]
            having = sum(
                int(np.count_nonzero(part.alive[posting.chunks]))
                if part.gone
                else len(posting.chunks)
                for part, posting in zip(self._parts, postings, strict=True)
            )
            weight = math.log(1 + (chunks - having + 0.5) / (having + 0.5))
            whole += weight
            for coverage, penalty, posting in zip(found, penalties, postings, strict=True):
                counts = posting.counts.astype(np.float32)
                counts /= counts + penalty[posting.chunks]
                coverage[posting.chunks] += np.float32(weight) * counts
        return [coverage / np.float32(whole or 1.0) for coverage in found]

    def _append(self, segment: Segment) -> None:
        part = _Part(segment=segment, alive=np.ones(len(segment), dtype=np.bool_))
        self._parts.append(part)
        for number, document in enumerate(segment.documents):
            self._places[document] = (part, number)

    def _merge(self) -> None:
        parts, self._parts = self._parts, []
        for part in parts:
            self._parts.append(part)
            while len(self._parts) > 1 and _belong_together(*self._parts[-2:]):
                self._put_together(2)
            if self._parts and self._parts[-1].gone > _GONE_SHARE * len(self._parts[-1].segment):
                self._put_together(1)

    def _put_together(self, count: int) -> None:
        old = self._parts[-count:]
        del self._parts[-count:]
        if any(part.size for part in old):
            self._append(merged([(part.segment, part.alive) for part in old]))


def _groups(waiting: Mapping[str, DocumentIndex]) -> Iterator[list[tuple[str, DocumentIndex]]]:
    group: list[tuple[str, DocumentIndex]] = []
    chunks = 0
    for document, index in waiting.items():
        if group and chunks + len(index.lengths) > SEGMENT_CHUNKS:
            yield group
            group, chunks = [], 0
        group.append((document, index))
        chunks += len(index.lengths)
    if group:
        yield group


def _belong_together(left: _Part, right: _Part) -> bool:
    return left.size + right.size <= SEGMENT_CHUNKS and left.size <= _LIKE_SIZE * right.size


def _penalties(lengths: Scores, *, mean: float) -> Scores:
    relative = lengths * np.float32(LENGTH_SHARE / mean)
    return (relative + np.float32(1 - LENGTH_SHARE)) * np.float32(SATURATION)


def _candidates(reading: _Reading, *, count: int) -> list[Found]:
    """Take the chunks that share something with the question, at least the best `count` of them."""
    segment, similarity = reading.part.segment, reading.similarity
    scores = np.where(reading.part.alive, reading.score, np.float32(0))
    least = np.float32(0)
    if len(scores) > count:
        least = np.partition(scores, -count)[-count]
    # All that are as good as the last one, or which of them is taken would be chance.
    places: list[int] = np.flatnonzero((scores >= least) & (scores > 0)).tolist()
    return [
        Found(
            document=segment.documents[int(segment.document_of[place])],
            number=int(segment.number_of[place]),
            score=float(reading.score[place]),
            coverage=float(reading.coverage[place]),
            similarity=None if similarity is None else float(similarity[place]),
        )
        for place in places
    ]
