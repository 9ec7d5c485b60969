"""Promises of `smallhold.models.sources.ollama`: this file holds tests against a real registry.

The registry is ours, on loopback, and can be told to misbehave.
"""

from __future__ import annotations

import hashlib
import random
from typing import TYPE_CHECKING

import pytest
from tests.models.sources.model_server import MODEL_LAYER, TOKEN

from smallhold.exceptions import SourceUnavailableError
from smallhold.models.catalog.source_specs import OllamaSpec
from smallhold.models.sources.ollama import OllamaSource
from smallhold.models.sources.transfer_settings import TransferSettings

if TYPE_CHECKING:
    from tests.models.sources.conftest import JobMaker
    from tests.models.sources.model_server import Hub

pytestmark = pytest.mark.anyio

CONTENT = random.Random(6).randbytes(3_000_000)  # noqa: S311 - only filling


def source(hub: Hub, *, model: str = "tiny", tag: str = "latest") -> OllamaSource:
    hub.content = CONTENT
    spec = OllamaSpec(model=model, tag=tag, registry=hub.registry_url)
    return OllamaSource(spec=spec, settings=TransferSettings(backoff_s=0.01))


@pytest.mark.parametrize("tag", ["latest", "1b"])
async def test_the_weights_arrive_with_the_digest_that_the_manifest_names(
    hub: Hub, make_job: JobMaker, tag: str
) -> None:
    arrival = await source(hub, tag=tag).fetch(make_job(CONTENT, is_known=False))
    assert make_job.arrived == CONTENT
    assert arrival.sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert (arrival.revision or "").startswith("sha256:")
    manifest = hub.seen("registry")[0]
    assert manifest.path == f"/v2/library/tiny/manifests/{tag}"
    assert "application/vnd.docker.distribution.manifest.v2+json" in manifest.headers["accept"]


async def test_a_broken_connection_is_resumed(hub: Hub, make_job: JobMaker) -> None:
    hub.fail(cut_after=100_000)
    await source(hub).fetch(make_job(CONTENT, is_known=False))
    assert make_job.arrived == CONTENT
    assert hub.sent_bytes < len(CONTENT) + 300_000


async def test_a_registry_that_wants_a_token_gets_one_that_the_storage_never_sees(
    hub: Hub, make_job: JobMaker
) -> None:
    hub.wants_token = True
    await source(hub).fetch(make_job(CONTENT))
    assert make_job.arrived == CONTENT
    blobs = [request for request in hub.seen("registry") if "/blobs/" in request.path]
    assert {request.headers["authorization"] for request in blobs} == {f"Bearer {TOKEN}"}
    assert TOKEN not in repr(hub.seen("storage"))


@pytest.mark.parametrize("realm", ["ftp://127.0.0.1/token", "http://a:b@127.0.0.1/token", "//["])
async def test_a_token_is_not_fetched_from_an_unsafe_address(
    hub: Hub, make_job: JobMaker, realm: str
) -> None:
    hub.wants_token, hub.realm = True, realm
    with pytest.raises(SourceUnavailableError):
        await source(hub).fetch(make_job(CONTENT))
    assert len(hub.requests) == 1


async def test_a_registry_that_takes_no_token_is_given_up(hub: Hub, make_job: JobMaker) -> None:
    hub.wants_token, hub.realm = True, f"{hub.registry_url}/v2/library/tiny/manifests/other"
    with pytest.raises(SourceUnavailableError):
        await source(hub).fetch(make_job(CONTENT))


async def test_an_unknown_model_or_tag_is_told(hub: Hub, make_job: JobMaker) -> None:
    for wrong in (source(hub, model="other"), source(hub, tag="70b")):
        with pytest.raises(SourceUnavailableError, match="no such model or tag"):
            await wrong.fetch(make_job(CONTENT))


@pytest.mark.parametrize(
    "digest",
    ["sha256:../../../../etc/passwd", "sha256:abc", "md5:" + "a" * 32, "SHA256:" + "a" * 64, 7],
)
async def test_a_digest_that_is_none_is_never_asked_for(
    hub: Hub, make_job: JobMaker, digest: object
) -> None:
    hub.manifest = {"layers": [{"mediaType": MODEL_LAYER, "digest": digest, "size": 5}]}
    with pytest.raises(SourceUnavailableError, match="no sha256 digest"):
        await source(hub).fetch(make_job(CONTENT))
    assert len(hub.requests) == 1
    assert make_job.partial.size_bytes == 0


async def test_a_manifest_that_never_ends_is_not_read_to_its_end(
    hub: Hub, make_job: JobMaker
) -> None:
    hub.manifest = b" " * (2 << 20)
    with pytest.raises(SourceUnavailableError, match="should be small"):
        await source(hub).fetch(make_job(CONTENT))


async def test_another_file_than_the_catalog_s_is_refused_before_a_byte_of_it(
    hub: Hub, make_job: JobMaker
) -> None:
    wanted = source(hub)
    with pytest.raises(SourceUnavailableError, match="offers another file"):
        await wanted.fetch(make_job(CONTENT[::-1]))
    assert hub.seen("storage") == []


async def test_a_registry_without_encryption_is_asked_on_this_machine_alone(
    make_job: JobMaker,
) -> None:
    spec = OllamaSpec(model="tiny", registry="http://example.org")
    with pytest.raises(SourceUnavailableError, match="only https"):
        await OllamaSource(spec=spec).fetch(make_job(CONTENT))
