from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.exceptions import DamagedRecordError
from smallhold.generation import Embedding, EmbedRequest
from smallhold.messages import Usage
from smallhold.state.memory.vectors import (
    FINGERPRINT_CHARS,
    FactEmbedder,
    PlainTable,
    Vector,
    packed,
    similarity_table,
    unpacked,
)
from smallhold.testing import ScriptedRuntime

FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)


class Turned:
    """Another model: all vectors of the wrapped one, turned by one place."""

    def __init__(self, embedder: ScriptedRuntime) -> None:
        self._embedder = embedder

    async def embed(self, request: EmbedRequest) -> Embedding:
        vector = (await self._embedder.embed(request)).vector
        return Embedding(vector=(*vector[1:], vector[0]), usage=Usage())


@given(st.lists(FLOATS, min_size=1))
def test_a_vector_comes_back_as_it_was(values: list[float]) -> None:
    assert unpacked(packed(tuple(values)), record="f") == tuple(values)


@pytest.mark.parametrize("data", [b"", b"abc", b"abcde"])
def test_a_cut_vector_is_damaged(data: bytes) -> None:
    with pytest.raises(DamagedRecordError, match="facts f"):
        unpacked(data, record="f")


async def test_two_models_have_two_fingerprints_and_one_model_has_one() -> None:
    first = await FactEmbedder(ScriptedRuntime()).fingerprint()
    again = await FactEmbedder(ScriptedRuntime()).fingerprint()
    other = await FactEmbedder(Turned(ScriptedRuntime())).fingerprint()
    assert first == again != other
    assert len(first) == FINGERPRINT_CHARS


async def test_a_stated_fingerprint_needs_no_probe() -> None:
    stated = await FactEmbedder(ScriptedRuntime(), fingerprint="sha256 of a").fingerprint()
    other = await FactEmbedder(ScriptedRuntime(), fingerprint="sha256 of b").fingerprint()
    assert stated != other
    assert len(stated) == FINGERPRINT_CHARS


@pytest.mark.parametrize("make", [PlainTable, similarity_table])
def test_a_table_compares_one_vector_with_all(make: type[PlainTable]) -> None:
    half = math.sqrt(0.5)
    rows: tuple[Vector, ...] = ((1.0, 0.0), (half, half), (0.0, -1.0))
    assert make(rows).similarities((0.0, 1.0)) == pytest.approx([0.0, half, -1.0])


def test_an_empty_table_compares_with_nothing() -> None:
    assert similarity_table([]).similarities((1.0, 0.0)) == []
