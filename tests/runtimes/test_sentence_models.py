"""Promises of `smallhold.runtimes.sentence_models`: this file holds tests of opening them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.conftest import stored_model

from smallhold.exceptions import (
    ConfigError,
    ModelNotInstalledError,
    UnknownModelError,
    UnsignedModelError,
)
from smallhold.generation import EmbedRequest, Prompt
from smallhold.messages import Message, Role
from smallhold.models.catalog.signing import SigningKey
from smallhold.runtimes.sentence_models import installed_sentence_embedder, sentence_embedder
from smallhold.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", cache=tmp_path / "cache")


def test_a_model_that_answers_is_no_sentence_model(settings: Settings) -> None:
    with pytest.raises(ConfigError, match="choose all-minilm-l6-v2"):
        sentence_embedder("smollm2-135m", settings=settings)


def test_an_unknown_alias_is_refused(settings: Settings) -> None:
    with pytest.raises(UnknownModelError):
        sentence_embedder("minilm", settings=settings)


def test_a_model_that_is_not_here_is_an_error_or_none(settings: Settings) -> None:
    with pytest.raises(ModelNotInstalledError, match="smallhold pull all-minilm-l6-v2"):
        sentence_embedder(settings=settings)
    assert installed_sentence_embedder(settings=settings) is None


def test_a_model_that_is_not_signed_where_it_must_be_is_an_error_or_none(
    settings: Settings,
) -> None:
    strict = replace(settings, catalog_keys=(SigningKey.generate().public.text,))
    with pytest.raises(UnsignedModelError):
        sentence_embedder(settings=strict)
    assert installed_sentence_embedder(settings=strict) is None


async def test_a_model_of_the_store_embeds(settings: Settings) -> None:
    real = stored_model("all-minilm-l6-v2")
    blobs = settings.model_store / "blobs"
    blobs.mkdir(parents=True)
    (blobs / real.name).symlink_to(real)
    embedder = installed_sentence_embedder(settings=settings)
    assert embedder is not None
    prompt = Prompt(messages=(Message(role=Role.USER, content="hello"),))
    assert len((await embedder.embed(EmbedRequest(prompt=prompt))).vector) == 384
    await embedder.embed_texts(["a tool"])
    assert (settings.cache / "vectors.sqlite").is_file()
