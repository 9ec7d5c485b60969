from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from smallhold.state.knowledge import Chunk, chunk_index
from smallhold.state.knowledge.chunk_index import ChunkIndex
from smallhold.state.knowledge.document_index import DocumentIndex, document_index
from smallhold.state.knowledge.quantization import quantized
from smallhold.state.knowledge.terms import asked_terms

WORDS = ["tea", "milk", "sugar", "coffee", "cup", "water"]
TEXTS = st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join), max_size=4)
NAMES = st.sampled_from(["a", "b", "c", "d"])


def vector_of(text: str) -> npt.NDArray[np.float32]:
    counts = np.array([text.split().count(word) for word in WORDS], dtype=np.float32)
    return (counts / (np.linalg.norm(counts) or 1)).astype(np.float32)


def index_of(texts: list[str], *, is_embedded: bool = True) -> DocumentIndex:
    vectors = None
    if is_embedded and texts:
        vectors = quantized(np.stack([vector_of(text) for text in texts]))
    return document_index([Chunk(text=text) for text in texts], vectors=vectors)


def answers(
    index: ChunkIndex, text: str, *, limit: int = 50
) -> list[tuple[str, int, float, float]]:
    found = index.search(asked_terms(text), vector=vector_of(text), limit=limit)
    return [(one.document, one.number, one.score, one.coverage) for one in found]


def test_the_chunk_with_the_rarer_word_comes_first() -> None:
    index = ChunkIndex()
    index.replace("a", index_of(["tea cup", "tea milk", "tea sugar"], is_embedded=False))
    found = index.search(asked_terms("tea sugar"), vector=None, limit=5)
    assert found[0].number == 2
    assert found[0].similarity is None


def test_meaning_finds_what_shares_no_word() -> None:
    index = ChunkIndex()
    index.replace("a", index_of(["tea", "coffee"]))
    (found,) = index.search([], vector=vector_of("coffee"), limit=1)
    assert found.number == 1
    assert found.similarity == pytest.approx(1.0, abs=0.01)


def test_nothing_is_found_in_nothing() -> None:
    assert ChunkIndex().search(asked_terms("tea"), vector=None, limit=3) == []


def test_what_was_removed_is_not_found_and_does_not_count() -> None:
    index = ChunkIndex()
    index.replace("a", index_of(["tea"]))
    index.replace("b", index_of(["tea milk"]))
    index.settle()
    index.remove("a")
    assert [document for document, *_ in answers(index, "tea")] == ["b"]
    assert len(index) == 1
    assert index.documents == {"b"}
    index.remove("never there")


@given(st.dictionaries(NAMES, TEXTS), st.integers(1, 5))
def test_a_limit_cuts_the_same_order(documents: dict[str, list[str]], limit: int) -> None:
    index = ChunkIndex()
    for name, texts in documents.items():
        index.replace(name, index_of(texts))
    assert answers(index, "tea milk", limit=limit) == answers(index, "tea milk")[:limit]


class AnySequence(RuleBasedStateMachine):
    """An index after any sequence of changes finds what a fresh one finds."""

    def __init__(self) -> None:
        super().__init__()
        self.index = ChunkIndex()
        self.documents: dict[str, list[str]] = {}

    @rule(name=NAMES, texts=TEXTS)
    def put(self, name: str, texts: list[str]) -> None:
        self.index.replace(name, index_of(texts))
        self.documents[name] = texts

    @rule(name=NAMES)
    def take_away(self, name: str) -> None:
        self.index.remove(name)
        self.documents.pop(name, None)

    @rule()
    def settle(self) -> None:
        self.index.settle()

    @rule(text=st.lists(st.sampled_from(WORDS), min_size=1).map(" ".join))
    def ask(self, text: str) -> None:
        fresh = ChunkIndex()
        for name, texts in self.documents.items():
            fresh.replace(name, index_of(texts))
        assert answers(self.index, text) == answers(fresh, text)

    @invariant()
    def chunks_are_counted(self) -> None:
        assert len(self.index) == sum(map(len, self.documents.values()))


TestAnySequence = pytest.mark.filterwarnings("error")(AnySequence.TestCase)
TestAnySequence.settings = settings(max_examples=60, stateful_step_count=20)


def test_segments_never_grow_beyond_their_size() -> None:
    index = ChunkIndex()
    texts = [" ".join(WORDS)] * 3_000
    for number in range(15):
        index.replace(str(number), index_of(texts))
        index.settle()
    assert len(index) == 45_000
    assert 2 <= len(index.segment_sizes) <= 8
    assert max(index.segment_sizes) <= chunk_index.SEGMENT_CHUNKS
