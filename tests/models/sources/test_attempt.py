"""Promises of `smallhold.models.sources.attempt`: this file holds tests of one way through.

What whole transfers promise, with all their failures, is in `test_transfer.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2
import pytest

from smallhold.exceptions import SourceUnavailableError
from smallhold.models.sources.asking import OUR_HEADERS, HttpAsker
from smallhold.models.sources.attempt import Attempt
from smallhold.models.sources.backoff import Backoff
from smallhold.models.sources.http_protocol import BadAnswerError, RemoteFile
from smallhold.models.sources.protocol import Arrival, FetchJob
from smallhold.models.sources.transfer_settings import TransferSettings

if TYPE_CHECKING:
    from tests.models.sources.conftest import JobMaker
    from tests.models.sources.model_server import Hub

pytestmark = pytest.mark.anyio

CONTENT = b"weights" * 1000


class Fixed:
    """A server about whose file all is known."""

    name = "fixed:x"
    words: dict[int, str] = {}  # noqa: RUF012 - it is never changed

    def __init__(self, remote: RemoteFile) -> None:
        self.remote = remote

    async def describe(self, asker: HttpAsker) -> RemoteFile:
        del asker
        return self.remote


async def attempt(remote: RemoteFile, job: FetchJob, *, uses_ranges: bool = True) -> Arrival:
    async with httpx2.AsyncClient(follow_redirects=False) as client:
        origin = Fixed(remote)
        return await Attempt(
            origin=origin,
            job=job,
            asker=HttpAsker(client=client, source=origin.name, words={}),
            settings=TransferSettings(),
            backoff=Backoff(source=origin.name, pause_s=0.0),
            uses_ranges=uses_ranges,
        ).run()


def remote_file(hub: Hub, **facts: str | int) -> RemoteFile:
    hub.content = CONTENT
    url = httpx2.URL(f"{hub.storage_url}/x")
    return RemoteFile(url=url, headers=OUR_HEADERS, **facts)  # pyright: ignore[reportArgumentType] - each test names fields with their types


async def test_what_the_server_announced_is_handed_on(hub: Hub, make_job: JobMaker) -> None:
    hub.content = CONTENT
    remote = remote_file(hub, sha256=hub.digest, revision="v7")
    arrival = await attempt(remote, make_job(CONTENT))
    assert arrival == Arrival(sha256=hub.digest, revision="v7")
    assert make_job.arrived == CONTENT


async def test_a_promise_that_the_catalog_contradicts_ends_it_before_the_first_byte(
    hub: Hub, make_job: JobMaker
) -> None:
    for facts in ({"sha256": "0" * 64}, {"size_bytes": 5}):
        with pytest.raises(SourceUnavailableError, match="the catalog says"):
            await attempt(remote_file(hub, **facts), make_job(CONTENT))
    assert hub.requests == []


async def test_a_file_that_is_whole_already_costs_no_request(hub: Hub, make_job: JobMaker) -> None:
    remote = remote_file(hub)
    await attempt(remote, make_job(CONTENT))
    hub.requests.clear()
    await attempt(remote, make_job(CONTENT))
    assert hub.requests == []


async def test_what_breaks_the_first_answer_ends_the_attempt_and_keeps_what_came(
    hub: Hub, make_job: JobMaker
) -> None:
    hub.fail(cut_after=4000)
    with pytest.raises((BadAnswerError, httpx2.TransportError)):
        await attempt(remote_file(hub), make_job(CONTENT))
    assert make_job.partial.spans == ((0, 4000),)


async def test_without_ranges_all_is_asked_for_at_once(hub: Hub, make_job: JobMaker) -> None:
    remote = remote_file(hub)
    make_job.partial.path.parent.mkdir()
    with make_job.partial.writer() as writer:
        writer.write(100, b"x")
    await attempt(remote, make_job(CONTENT), uses_ranges=False)
    assert make_job.arrived == CONTENT
    assert hub.ranges() == [None]
