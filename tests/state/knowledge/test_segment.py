from __future__ import annotations

import numpy as np

from smallhold.state.knowledge import Chunk
from smallhold.state.knowledge.document_index import DocumentIndex, document_index
from smallhold.state.knowledge.quantization import quantized
from smallhold.state.knowledge.segment import merged, segment_of
from smallhold.state.knowledge.terms import terms_of

TEA = terms_of("tea")[0]
MILK = terms_of("milk")[0]


def index_of(*texts: str, is_embedded: bool = True) -> DocumentIndex:
    vectors = quantized(np.eye(len(texts), 4, dtype=np.float32)) if is_embedded else None
    return document_index([Chunk(text=text) for text in texts], vectors=vectors)


def test_postings_are_found_by_term_across_documents() -> None:
    segment = segment_of([("a", index_of("tea tea", "milk")), ("b", index_of("milk tea"))])
    assert segment.postings(TEA).chunks.tolist() == [0, 2]
    assert segment.postings(TEA).counts.tolist() == [2, 1]
    assert segment.postings(12345).chunks.tolist() == []
    assert segment.document_of.tolist() == [0, 0, 1]
    assert segment.number_of.tolist() == [0, 1, 0]


def test_a_segment_may_be_empty() -> None:
    segment = segment_of([])
    assert len(segment) == 0
    assert segment.postings(TEA).chunks.tolist() == []


def test_documents_without_vectors_stand_beside_others() -> None:
    segment = segment_of([("a", index_of("tea", is_embedded=False)), ("b", index_of("milk"))])
    assert segment.vectors is not None
    query = np.array([1, 0, 0, 0], dtype=np.float32)
    assert segment.vectors.similarities(query).tolist() == [0.0, 1.0]


def test_merging_leaves_out_what_is_gone() -> None:
    first = segment_of([("a", index_of("tea", "milk")), ("b", index_of("tea milk"))])
    second = segment_of([("c", index_of("tea tea tea"))])
    alive = np.array([False, False, True])
    whole = merged([(first, alive), (second, np.ones(1, dtype=np.bool_))])
    assert whole.documents == ("b", "c")
    assert whole.postings(TEA).chunks.tolist() == [0, 1]
    assert whole.postings(TEA).counts.tolist() == [1, 3]
    assert whole.postings(MILK).chunks.tolist() == [0]
    assert whole.lengths.tolist() == [2.0, 3.0]
    assert whole.vectors is not None
    assert len(whole.vectors.rows) == 2
