from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.exceptions import DamagedRecordError, NewerFormatError
from smallhold.state.knowledge import Chunk
from smallhold.state.knowledge.document_index import (
    DocumentIndex,
    document_index,
    from_bytes,
    to_bytes,
)
from smallhold.state.knowledge.quantization import quantized

TEXTS = st.lists(st.text(max_size=30), max_size=5)


def index_of(texts: list[str], *, dimensions: int = 0) -> DocumentIndex:
    rows = np.random.default_rng(1).standard_normal((len(texts), dimensions), dtype=np.float32)
    vectors = quantized(rows) if dimensions and texts else None
    return document_index([Chunk(text=text) for text in texts], vectors=vectors)


@given(TEXTS, st.sampled_from([0, 8]))
def test_an_index_is_read_as_it_was_written(texts: list[str], dimensions: int) -> None:
    index = index_of(texts, dimensions=dimensions)
    again = from_bytes(to_bytes(index), record="x")
    assert again.digests == index.digests
    assert again.lengths.tolist() == index.lengths.tolist()
    assert again.keys.tolist() == index.keys.tolist()
    assert (again.vectors is None) == (index.vectors is None)
    if again.vectors is not None and index.vectors is not None:
        assert (again.vectors.rows == index.vectors.rows).all()
        assert (again.vectors.scales == index.vectors.scales).all()


def test_vectors_are_known_again_by_the_digests_of_their_chunks() -> None:
    index = index_of(["one", "two"], dimensions=8)
    known = index.known_vectors()
    assert index.vectors is not None
    assert (known[Chunk(text="two").digest].rows == index.vectors.rows[1:]).all()
    assert not index_of(["one"]).known_vectors()


def test_a_word_is_counted_up_to_255_times() -> None:
    index = index_of(["word " * 1_000])
    assert [int(key) & 0xFF for key in index.keys] == [255]
    assert index.lengths.tolist() == [1_000]


@given(TEXTS, st.sampled_from([0, 8]), st.integers(0, 200))
def test_a_cut_or_longer_index_is_refused(texts: list[str], dimensions: int, cut: int) -> None:
    data = to_bytes(index_of(texts, dimensions=dimensions))
    for wrong in (data[: min(cut, len(data) - 1)], data + b"\0", b"ABCD" + data[4:]):
        with pytest.raises(DamagedRecordError):
            from_bytes(wrong, record="x")


def test_an_index_of_a_newer_version_is_refused_by_name() -> None:
    data = bytearray(to_bytes(index_of(["x"])))
    data[4] = 99
    with pytest.raises(NewerFormatError, match="99"):
        from_bytes(bytes(data), record="x")
