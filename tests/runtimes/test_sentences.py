"""Promises of `smallhold.runtimes.sentences`: this file holds tests of the sentence embedder."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
from tests.conftest import stored_model
from tests.engine.sentences.tiny_bert import TINY, tiny_tensors, write_safetensors

from smallhold.exceptions import (
    ContextOverflowError,
    DeadlineExceededError,
    InvalidWeightsError,
    UnknownAdapterError,
)
from smallhold.generation import EmbedRequest, Prompt, Scheduling
from smallhold.messages import Message, Role
from smallhold.runtimes import Embedder
from smallhold.runtimes.sentences import TEXT_MAX_TOKENS, SentenceEmbedder

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_safetensors(tmp_path_factory.mktemp("tiny") / "tiny", tiny_tensors())


@pytest.fixture(scope="module")
def embedder(weights: Path) -> SentenceEmbedder:
    return SentenceEmbedder(weights, shape=TINY)


def request(*texts: str, timeout_s: float | None = None) -> EmbedRequest:
    messages = tuple(Message(role=Role.USER, content=text) for text in texts)
    return EmbedRequest(
        prompt=Prompt(messages=messages), scheduling=Scheduling(timeout_s=timeout_s)
    )


def test_it_is_an_embedder(embedder: SentenceEmbedder) -> None:
    assert isinstance(embedder, Embedder)


async def test_a_vector_has_length_one_and_the_models_dimensions(
    embedder: SentenceEmbedder,
) -> None:
    embedding = await embedder.embed(request("Where is my parcel?"))
    assert len(embedding.vector) == TINY.hidden
    assert math.hypot(*embedding.vector) == pytest.approx(1)
    assert embedding.usage.prompt_tokens == 5 + 2  # four words and a mark; opening and closing
    assert embedding.usage.passes == 1


async def test_only_the_users_last_message_counts(embedder: SentenceEmbedder) -> None:
    one = await embedder.embed(request("hello", "Where is my parcel?"))
    other = await embedder.embed(request("Where is my parcel?"))
    assert one.vector == other.vector


async def test_many_texts_at_once_get_the_vectors_of_each(embedder: SentenceEmbedder) -> None:
    texts = [f"{'word ' * (number % 7)}number {number}" for number in range(70)]
    together = await embedder.embed_texts(texts)
    for text, vector in list(zip(texts, together, strict=True))[::9]:
        alone = await embedder.embed(request(text))
        assert vector == pytest.approx(alone.vector, abs=2e-4)


async def test_a_text_of_several_windows_is_read_to_its_end(embedder: SentenceEmbedder) -> None:
    one, other = await embedder.embed_texts(["word " * 90 + "cat", "word " * 90 + "dog"])
    assert one != pytest.approx(other, abs=1e-4)


async def test_no_text_at_all_has_a_vector_too(embedder: SentenceEmbedder) -> None:
    assert await embedder.embed_texts([]) == ()
    (vector,) = await embedder.embed_texts([""])
    assert math.hypot(*vector) == pytest.approx(1)


async def test_a_text_that_is_far_too_long_is_refused(embedder: SentenceEmbedder) -> None:
    with pytest.raises(ContextOverflowError) as caught:
        await embedder.embed(request("a " * (TEXT_MAX_TOKENS + 1)))
    assert caught.value.limit_tokens == TEXT_MAX_TOKENS


async def test_an_adapter_is_refused(embedder: SentenceEmbedder) -> None:
    prompt = Prompt(messages=(Message(role=Role.USER, content="x"),), adapter="mine")
    with pytest.raises(UnknownAdapterError):
        await embedder.embed(EmbedRequest(prompt=prompt))


async def test_a_request_whose_time_is_up_is_given_up(embedder: SentenceEmbedder) -> None:
    with pytest.raises(DeadlineExceededError):
        await embedder.embed(request("word " * 5000, timeout_s=1e-9))


def test_weights_of_another_model_are_refused(weights: Path) -> None:
    with pytest.raises(InvalidWeightsError, match="must be of shape"):
        SentenceEmbedder(weights)


async def test_the_real_model_gives_the_published_similarities() -> None:
    # Source: the first example of the Sentence Transformers documentation.
    embedder = SentenceEmbedder(stored_model("all-minilm-l6-v2"))
    weather, sunny, stadium = await embedder.embed_texts([
        "The weather is lovely today.",
        "It's so sunny outside!",
        "He drove to the stadium.",
    ])

    def cosine(one: tuple[float, ...], other: tuple[float, ...]) -> float:
        return sum(a * b for a, b in zip(one, other, strict=True))

    assert cosine(weather, sunny) == pytest.approx(0.6660, abs=1e-4)
    assert cosine(weather, stadium) == pytest.approx(0.1046, abs=1e-4)
    assert cosine(sunny, stadium) == pytest.approx(0.1411, abs=1e-4)
