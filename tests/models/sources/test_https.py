"""Promises of `smallhold.models.sources.https`: this file holds tests of plain addresses."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from smallhold.exceptions import SourceUnavailableError
from smallhold.models.catalog.source_specs import HttpsSpec
from smallhold.models.sources.https import HttpsSource
from smallhold.models.sources.protocol import Arrival
from smallhold.models.sources.transfer_settings import TransferSettings

if TYPE_CHECKING:
    from tests.models.sources.conftest import JobMaker
    from tests.models.sources.model_server import Hub

pytestmark = pytest.mark.anyio

CONTENT = random.Random(5).randbytes(600_000)  # noqa: S311 - only filling


def source(url: str) -> HttpsSource:
    return HttpsSource(spec=HttpsSpec(url=url), settings=TransferSettings(backoff_s=0.01))


@pytest.mark.parametrize("is_known", [True, False])
async def test_a_file_arrives_whether_or_not_it_is_known_beforehand(
    hub: Hub, make_job: JobMaker, *, is_known: bool
) -> None:
    hub.content = CONTENT
    arrival = await source(f"{hub.storage_url}/blob").fetch(make_job(CONTENT, is_known=is_known))
    assert arrival == Arrival()
    assert make_job.arrived == CONTENT


async def test_a_redirect_is_followed(hub: Hub, make_job: JobMaker) -> None:
    hub.content = CONTENT
    await source(f"{hub.hub_url}/x.gguf").fetch(make_job(CONTENT))
    assert make_job.arrived == CONTENT


async def test_the_user_s_tokens_are_for_no_plain_address(
    hub: Hub, make_job: JobMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_canary")
    hub.content = CONTENT
    await source(f"{hub.hub_url}/x.gguf").fetch(make_job(CONTENT))
    assert "canary" not in repr(hub.requests)


@pytest.mark.parametrize(
    "url", ["http://example.org/x.gguf", "https://a:b@example.org/x", "ftp://127.0.0.1/x", "x"]
)
async def test_an_unsafe_address_is_not_asked(make_job: JobMaker, url: str) -> None:
    with pytest.raises(SourceUnavailableError, match="unsafe address"):
        await source(url).fetch(make_job(CONTENT))


async def test_a_redirect_with_a_password_in_it_is_refused(hub: Hub, make_job: JobMaker) -> None:
    hub.location = hub.storage_url.replace("http://", "http://someone:canary@")
    with pytest.raises(SourceUnavailableError, match="unsafe address") as caught:
        await source(f"{hub.hub_url}/x.gguf").fetch(make_job(CONTENT))
    assert "canary" not in str(caught.value)
    assert hub.seen("storage") == []


async def test_redirects_in_circles_are_given_up(hub: Hub, make_job: JobMaker) -> None:
    hub.location = f"{hub.hub_url}/again"
    with pytest.raises(SourceUnavailableError, match="circles"):
        await source(f"{hub.hub_url}/x.gguf").fetch(make_job(CONTENT))
    assert len(hub.requests) == 2


@pytest.mark.parametrize(("status", "words"), [(401, "password"), (403, "expired"), (404, "no ")])
async def test_a_refusal_says_what_it_means_for_an_address(
    hub: Hub, make_job: JobMaker, status: int, words: str
) -> None:
    hub.fail(status=status)
    with pytest.raises(SourceUnavailableError, match=words):
        await source(f"{hub.storage_url}/blob").fetch(make_job(CONTENT))
    assert len(hub.requests) == 1
