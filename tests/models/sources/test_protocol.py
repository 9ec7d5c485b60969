"""Promises of `smallhold.models.sources.protocol`: this file holds tests that every source keeps.

Each adapter is asked for something that it cannot have, and must answer in the same way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from smallhold.exceptions import SourceUnavailableError
from smallhold.models.catalog.source_specs import (
    FileSpec,
    HttpsSpec,
    HuggingFaceSpec,
    OllamaSpec,
    PypiSpec,
    WheelPart,
)
from smallhold.models.sources.file import FileSource
from smallhold.models.sources.https import HttpsSource
from smallhold.models.sources.huggingface import HuggingFaceSource
from smallhold.models.sources.ollama import OllamaSource
from smallhold.models.sources.opening import RefusedSource
from smallhold.models.sources.protocol import Source
from smallhold.models.sources.pypi import PypiSource
from smallhold.models.sources.transfer_settings import TransferSettings

if TYPE_CHECKING:
    from tests.models.sources.conftest import Index, JobMaker

pytestmark = pytest.mark.anyio

NOBODY = "http://127.0.0.1:9"
"""The port of `discard`, which nobody serves."""
QUICK = TransferSettings(backoff_s=0.01)
SOURCES: tuple[Source, ...] = (
    FileSource(spec=FileSpec(path="/nowhere/tiny.gguf")),
    HuggingFaceSource(
        spec=HuggingFaceSpec(repo="owner/name", file="tiny.gguf"),
        endpoint=NOBODY,
        settings=QUICK,
    ),
    HttpsSource(spec=HttpsSpec(url=f"{NOBODY}/tiny.gguf"), settings=QUICK),
    OllamaSource(spec=OllamaSpec(model="tiny", registry=NOBODY), settings=QUICK),
    PypiSource(spec=PypiSpec(parts=(WheelPart(requirement="tiny==1.0", member="*"),))),
    RefusedSource(name="refused", reason="is not for you"),
)


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name.partition(":")[0])
async def test_a_source_that_cannot_deliver_says_who_it_is_and_writes_nothing(
    index: Index, make_job: JobMaker, source: Source
) -> None:
    assert index.folder.is_dir()
    with pytest.raises(SourceUnavailableError) as caught:
        await source.fetch(make_job(b"x"))
    assert caught.value.source == source.name
    assert caught.value.reason
    assert make_job.partial.size_bytes == 0
