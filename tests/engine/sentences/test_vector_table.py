"""Promises of `smallhold.engine.sentences.vector_table`: this file holds tests of comparing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.engine.sentences.vector_table import VectorTable
from smallhold.tools.retrieval.tool_vectors import PlainTable

vectors = st.lists(st.tuples(*[st.floats(-1, 1, width=32)] * 3), max_size=6)


def test_an_empty_table_has_nothing_similar() -> None:
    assert VectorTable().similarities((1.0, 0.0)) == []


@given(first=vectors, second=vectors, query=st.tuples(*[st.floats(-1, 1, width=32)] * 3))
def test_it_says_what_the_table_without_numpy_says(
    first: list[tuple[float, ...]], second: list[tuple[float, ...]], query: tuple[float, ...]
) -> None:
    fast, plain = VectorTable(), PlainTable()
    for table in (fast, plain):
        table.extend(first)
        table.extend(second)
    assert fast.similarities(query) == pytest.approx(plain.similarities(query), abs=1e-5)
