"""Promises of `smallhold.models.sources.origin`: this file holds tests that every kind keeps."""

from __future__ import annotations

import pytest

from smallhold.models.catalog.source_specs import HttpsSpec, HuggingFaceSpec, OllamaSpec
from smallhold.models.sources.https import HttpsSource
from smallhold.models.sources.huggingface import HuggingFaceSource
from smallhold.models.sources.ollama import OllamaSource
from smallhold.models.sources.origin import Origin

ORIGINS: tuple[Origin, ...] = (
    HttpsSource(spec=HttpsSpec(url="https://example.org/x.gguf")),
    HuggingFaceSource(spec=HuggingFaceSpec(repo="owner/name", file="x.gguf")),
    OllamaSource(spec=OllamaSpec(model="tiny")),
)


@pytest.mark.parametrize("origin", ORIGINS, ids=lambda origin: origin.name)
def test_every_kind_of_server_says_what_a_refusal_means_there(origin: Origin) -> None:
    assert set(origin.words) >= {401, 403, 404}
    assert all(f"HTTP {status}" in words for status, words in origin.words.items())
