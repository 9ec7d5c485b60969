"""Promises of `smallhold.runtimes.vector_cache`: this file holds tests of remembered vectors."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from pathlib import Path

import pytest

from smallhold.generation import Embedding, EmbedRequest, Prompt
from smallhold.messages import Message, Role, Usage
from smallhold.runtimes.vector_cache import CachedEmbedder


class CountingEmbedder:
    """Embeds a text as its length, and notes what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def embed(self, request: EmbedRequest) -> Embedding:
        (vector,) = await self.embed_texts([request.prompt.messages[-1].content])
        return Embedding(vector=vector, usage=Usage())

    async def embed_texts(self, texts: Sequence[str]) -> tuple[tuple[float, ...], ...]:
        self.asked += texts
        return tuple((float(len(text)), 0.1) for text in texts)


def rounded(*values: float) -> tuple[float, ...]:
    return tuple(array("f", values))


async def test_a_text_is_computed_once_across_processes(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "vectors.sqlite"
    for expected in (["one", "three"], []):
        inner = CountingEmbedder()
        cached = CachedEmbedder(inner, file=file, model="m")
        vectors = await cached.embed_texts(["one", "three", "one"])
        assert [vector[0] for vector in vectors] == [3.0, 5.0, 3.0]
        assert inner.asked == expected


async def test_a_remembered_vector_is_the_one_in_single_precision(tmp_path: Path) -> None:
    file = tmp_path / "v"
    await CachedEmbedder(CountingEmbedder(), file=file, model="m").embed_texts(["one"])
    (again,) = await CachedEmbedder(CountingEmbedder(), file=file, model="m").embed_texts(["one"])
    assert again == rounded(3.0, 0.1)


async def test_models_do_not_share_vectors(tmp_path: Path) -> None:
    for model in ("a", "b"):
        inner = CountingEmbedder()
        await CachedEmbedder(inner, file=tmp_path / "v", model=model).embed_texts(["x"])
        assert inner.asked == ["x"]


async def test_what_a_user_says_is_never_stored(tmp_path: Path) -> None:
    file = tmp_path / "v"
    prompt = Prompt(messages=(Message(role=Role.USER, content="a secret"),))
    embedding = await CachedEmbedder(CountingEmbedder(), file=file, model="m").embed(
        EmbedRequest(prompt=prompt)
    )
    assert embedding.vector == (8.0, 0.1)
    assert not file.exists()


async def test_the_texts_themselves_are_not_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "v"
    text = "find the nearest workshop"
    await CachedEmbedder(CountingEmbedder(), file=file, model="m").embed_texts([text])
    assert text.encode() not in file.read_bytes()


@pytest.mark.parametrize("content", [b"", b"not a database" * 100])
async def test_a_damaged_file_costs_time_but_no_answer(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "v"
    file.write_bytes(content)
    cached = CachedEmbedder(CountingEmbedder(), file=file, model="m")
    assert (await cached.embed_texts(["one"]))[0][0] == 3.0


async def test_a_folder_that_cannot_be_made_costs_time_but_no_answer(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("a file")
    cached = CachedEmbedder(CountingEmbedder(), file=tmp_path / "plain" / "v", model="m")
    assert (await cached.embed_texts(["one"]))[0][0] == 3.0
