"""Promises of `smallhold.tools.retrieval.tool_vectors`: this file holds tests of vectors."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.generation import Embedding, EmbedRequest
from smallhold.messages import Role, Usage
from smallhold.testing.bag_of_words import bag_of_words
from smallhold.tools.retrieval.tool_vectors import (
    PlainTable,
    centroid,
    similarity_table,
    vectors_of,
)


class OneByOne:
    """Embeds prompts only."""

    async def embed(self, request: EmbedRequest) -> Embedding:
        (message,) = request.prompt.messages
        assert message.role is Role.USER
        return Embedding(vector=bag_of_words(request.prompt), usage=Usage())


class Together(OneByOne):
    """Embeds many texts as well."""

    async def embed_texts(self, texts: Sequence[str]) -> tuple[tuple[float, ...], ...]:
        return tuple((float(len(text)),) for text in texts)


async def test_an_embedder_of_prompts_gets_the_texts_one_by_one() -> None:
    first, second = await vectors_of(["one text", "one text"], embedder=OneByOne())
    assert first == second
    assert len(first) == 64


async def test_an_embedder_of_many_texts_gets_them_together() -> None:
    assert await vectors_of(["a", "bcd"], embedder=Together()) == ((1.0,), (3.0,))


def test_the_centroid_points_between() -> None:
    assert centroid([(1.0, 0.0), (0.0, 1.0)]) == pytest.approx((math.sqrt(0.5),) * 2)


def test_opposite_vectors_have_no_direction() -> None:
    assert centroid([(1.0, 0.0), (-1.0, 0.0)]) == (0.0, 0.0)


angles = st.floats(0, 2 * math.pi)


@given(st.lists(angles, min_size=1, max_size=5))
def test_a_centroid_has_length_one_or_none(found: list[float]) -> None:
    length = math.hypot(*centroid([(math.cos(angle), math.sin(angle)) for angle in found]))
    assert length == pytest.approx(1) or length == 0


def test_similarity_is_the_cosine() -> None:
    for table in (PlainTable(), similarity_table()):
        table.extend([(1.0, 0.0), (0.6, 0.8)])
        assert table.similarities((0.0, 1.0)) == pytest.approx([0.0, 0.8])
