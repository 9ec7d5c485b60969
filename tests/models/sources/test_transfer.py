"""Promises of `smallhold.models.sources.transfer`: this file holds tests with servers that fail.

The file is large enough to come in pieces, over several connections.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import anyio
import httpx2
import pytest

from smallhold.exceptions import SourceUnavailableError, StoreFullError
from smallhold.models.pulling.byte_spans import covered_bytes
from smallhold.models.pulling.partial_file import PartialNotes
from smallhold.models.sources.asking import OUR_HEADERS, HttpAsker
from smallhold.models.sources.http_protocol import RemoteFile
from smallhold.models.sources.pacing import Pacer
from smallhold.models.sources.pieces import REFETCH_BYTES
from smallhold.models.sources.protocol import Arrival
from smallhold.models.sources.transfer import transfer
from smallhold.models.sources.transfer_settings import TransferSettings

if TYPE_CHECKING:
    from tests.models.sources.conftest import JobMaker
    from tests.models.sources.model_server import Hub

pytestmark = pytest.mark.anyio

CONTENT = random.Random(4).randbytes(5_000_000)  # noqa: S311 - only filling


@dataclass(frozen=True)
class Storage:
    """The storage alone, without a hub that says anything of the file."""

    hub: Hub
    name: str = "storage:x"
    words: Mapping[int, str] = field(default_factory=dict[int, str])
    version: str | None = None

    async def describe(self, asker: HttpAsker) -> RemoteFile:
        del asker
        url = httpx2.URL(f"{self.hub.storage_url}/blob")
        return RemoteFile(url=url, headers=OUR_HEADERS, version=self.version)


@pytest.fixture
def storage(hub: Hub) -> Storage:
    hub.content = CONTENT
    return Storage(hub)


async def fetch(
    storage: Storage,
    make_job: JobMaker,
    *,
    connections: int = 4,
    limit_bytes_s: float | None = None,
    stall_s: float = 5.0,
    is_known: bool = True,
) -> Arrival:
    settings = TransferSettings(
        connections=connections,
        pacer=Pacer(limit_bytes_s=limit_bytes_s),
        stall_s=stall_s,
        backoff_s=0.01,
    )
    return await transfer(storage, make_job(CONTENT, is_known=is_known), settings=settings)


async def test_pieces_come_over_several_connections_at_once(
    storage: Storage, make_job: JobMaker
) -> None:
    storage.hub.rate_bytes_s = 5_000_000
    await fetch(storage, make_job, connections=3)
    assert make_job.arrived == CONTENT
    assert storage.hub.most_at_once == 3
    assert make_job.reports[-1] == (len(CONTENT), len(CONTENT))
    done = [report[0] for report in make_job.reports]
    assert done == sorted(done)


async def test_one_connection_is_enough(storage: Storage, make_job: JobMaker) -> None:
    await fetch(storage, make_job, connections=1)
    assert make_job.arrived == CONTENT
    assert storage.hub.most_at_once == 1


async def test_no_byte_is_fetched_twice(storage: Storage, make_job: JobMaker) -> None:
    await fetch(storage, make_job)
    assert storage.hub.sent_bytes == len(CONTENT)


async def test_a_server_without_ranges_is_read_in_one_go(
    storage: Storage, make_job: JobMaker
) -> None:
    storage.hub.knows_ranges = False
    await fetch(storage, make_job)
    assert make_job.arrived == CONTENT
    assert len(storage.hub.requests) == 1


async def test_a_server_without_ranges_replaces_what_had_arrived(
    storage: Storage, make_job: JobMaker
) -> None:
    make_job.partial.restart(PartialNotes(source=storage.name))
    with make_job.partial.writer() as writer:
        writer.write(3_000_000, b"from the middle")
    storage.hub.knows_ranges = False
    await fetch(storage, make_job)
    assert make_job.arrived == CONTENT


async def test_connections_that_break_are_mended_one_by_one(
    storage: Storage, make_job: JobMaker
) -> None:
    for size in (0, 100_000, 1, 200_000, 50_000, 16_384):
        storage.hub.fail(cut_after=size)
    await fetch(storage, make_job)
    assert make_job.arrived == CONTENT
    assert storage.hub.sent_bytes < len(CONTENT) + REFETCH_BYTES


async def test_a_connection_that_stalls_is_given_up_while_others_go_on(
    storage: Storage, make_job: JobMaker
) -> None:
    storage.hub.fail()
    storage.hub.fail(stall_after=20_000)
    await fetch(storage, make_job, stall_s=0.4)
    assert make_job.arrived == CONTENT


async def test_a_connection_that_trickles_counts_as_stalled(
    storage: Storage, make_job: JobMaker
) -> None:
    storage.hub.fail(trickle=True)
    with anyio.fail_after(20):
        await fetch(storage, make_job, stall_s=0.4)
    assert make_job.arrived == CONTENT


async def test_a_server_that_never_answers_is_given_up(
    storage: Storage, make_job: JobMaker
) -> None:
    for _ in range(20):
        storage.hub.fail(is_silent=True)
    with pytest.raises(SourceUnavailableError, match="stalled"):
        await fetch(storage, make_job, stall_s=0.1)


async def test_too_many_requests_at_once_become_fewer(storage: Storage, make_job: JobMaker) -> None:
    storage.hub.fail()
    for _ in range(3):
        storage.hub.fail(status=429, headers={"Retry-After": "0"})
    await fetch(storage, make_job)
    assert make_job.arrived == CONTENT


async def test_a_busy_server_is_asked_again_when_it_says(
    storage: Storage, make_job: JobMaker
) -> None:
    storage.hub.fail(status=429, headers={"Retry-After": "1"})
    began_s = anyio.current_time()
    await fetch(storage, make_job)
    assert anyio.current_time() - began_s >= 1
    assert make_job.arrived == CONTENT


async def test_a_server_that_asks_for_hours_is_left(storage: Storage, make_job: JobMaker) -> None:
    storage.hub.fail(status=503, headers={"Retry-After": "7200"})
    with pytest.raises(SourceUnavailableError, match="come back in 7,200 s"):
        await fetch(storage, make_job)


async def test_a_server_that_stays_broken_is_given_up(storage: Storage, make_job: JobMaker) -> None:
    for _ in range(60):
        storage.hub.fail(status=500)
    with pytest.raises(SourceUnavailableError, match="HTTP 500"):
        await fetch(storage, make_job)


async def test_what_arrived_stays_when_a_server_is_given_up(
    storage: Storage, make_job: JobMaker
) -> None:
    for _ in range(4):
        storage.hub.fail()
    for _ in range(60):
        storage.hub.fail(status=500)
    with pytest.raises(SourceUnavailableError):
        await fetch(storage, make_job)
    arrived_bytes = make_job.partial.size_bytes
    assert arrived_bytes > 0
    storage.hub.faults.clear()
    storage.hub.sent_bytes = 0
    await fetch(storage, make_job)
    assert make_job.arrived == CONTENT
    assert storage.hub.sent_bytes == len(CONTENT) - arrived_bytes


async def test_a_range_that_lies_makes_the_pull_begin_without_ranges(
    storage: Storage, make_job: JobMaker
) -> None:
    storage.hub.fail(content_range="bytes 1-249856/5000000")
    await fetch(storage, make_job)
    assert make_job.arrived == CONTENT
    assert storage.hub.ranges()[-1] is None


async def test_a_range_that_lies_later_is_asked_for_again(
    storage: Storage, make_job: JobMaker
) -> None:
    storage.hub.fail()
    storage.hub.fail(content_range="bytes 0-249855/5000000")
    await fetch(storage, make_job)
    assert make_job.arrived == CONTENT
    assert None not in storage.hub.ranges()


async def test_one_answer_without_range_does_not_cost_what_arrived(
    storage: Storage, make_job: JobMaker
) -> None:
    storage.hub.fail()
    storage.hub.fail(ignores_range=True)
    await fetch(storage, make_job)
    assert make_job.arrived == CONTENT
    assert None not in storage.hub.ranges()


async def test_a_web_page_in_place_of_the_file_is_refused_at_once(
    storage: Storage, make_job: JobMaker
) -> None:
    storage.hub.fail(page=b"<html>Please log in</html>")
    with pytest.raises(SourceUnavailableError, match="web page"):
        await fetch(storage, make_job, is_known=False)
    assert make_job.partial.size_bytes == 0


async def test_an_empty_file_is_refused(storage: Storage, make_job: JobMaker) -> None:
    storage.hub.content = b""
    with pytest.raises(SourceUnavailableError, match="empty"):
        await fetch(storage, make_job, is_known=False)


async def test_a_limit_holds_for_all_connections_together(
    storage: Storage, make_job: JobMaker
) -> None:
    began_s = anyio.current_time()
    await fetch(storage, make_job, limit_bytes_s=5_000_000)
    assert 0.6 <= anyio.current_time() - began_s < 10
    assert make_job.arrived == CONTENT


async def test_a_cancelled_transfer_goes_on_with_what_it_lacked(
    storage: Storage, make_job: JobMaker
) -> None:
    with anyio.move_on_after(0.4):
        await fetch(storage, make_job, limit_bytes_s=4_000_000)
    arrived_bytes = make_job.partial.size_bytes
    assert 0 < arrived_bytes < len(CONTENT)
    await fetch(storage, make_job)
    assert make_job.arrived == CONTENT
    assert storage.hub.sent_bytes <= len(CONTENT) + REFETCH_BYTES


async def test_without_catalog_and_hub_the_tag_tells_whether_to_go_on(
    storage: Storage, make_job: JobMaker
) -> None:
    with anyio.move_on_after(0.4):
        await fetch(storage, make_job, limit_bytes_s=4_000_000, is_known=False)
    assert make_job.partial.size_bytes > 0
    storage.hub.requests.clear()
    await fetch(storage, make_job, is_known=False)
    assert make_job.arrived == CONTENT
    assert {request.headers.get("if-range") for request in storage.hub.requests} == {'"v1"'}


async def test_a_file_that_changed_meanwhile_is_fetched_anew(
    storage: Storage, make_job: JobMaker
) -> None:
    with anyio.move_on_after(0.4):
        await fetch(storage, make_job, limit_bytes_s=4_000_000, is_known=False)
    storage.hub.content, storage.hub.etag = CONTENT[::-1], '"v2"'
    await fetch(storage, make_job, is_known=False)
    assert make_job.arrived == CONTENT[::-1]


async def test_a_file_that_changes_while_it_is_fetched_is_never_a_mixture(
    storage: Storage, make_job: JobMaker
) -> None:
    def change(done_bytes: int, total_bytes: int | None) -> None:
        del total_bytes
        if done_bytes > 1_000_000 and storage.hub.etag == '"v1"':
            storage.hub.content, storage.hub.etag = CONTENT[::-1], '"v2"'

    job = dataclasses.replace(make_job(CONTENT, is_known=False), report=change)
    await transfer(storage, job, settings=TransferSettings(backoff_s=0.01))
    assert make_job.arrived == CONTENT[::-1]


async def test_servers_with_a_tag_each_for_one_file_are_read_in_one_go(
    storage: Storage, make_job: JobMaker
) -> None:
    for number in range(40):
        storage.hub.fail(headers={"ETag": f'"server {number}"'})
    await fetch(storage, make_job, is_known=False)
    assert make_job.arrived == CONTENT
    assert storage.hub.ranges()[-1] is None


async def test_a_file_that_nothing_names_comes_in_one_go(
    storage: Storage, make_job: JobMaker
) -> None:
    storage.hub.etag = None
    await fetch(storage, make_job, is_known=False)
    assert make_job.arrived == CONTENT
    assert storage.hub.ranges()[-1] is None


async def test_a_full_disk_ends_all_connections_and_keeps_what_arrived(
    storage: Storage, make_job: JobMaker
) -> None:
    def full(needed_bytes: int) -> None:
        raise StoreFullError(path="/x", needed_bytes=needed_bytes, free_bytes=0)

    make_job.room = full
    with pytest.raises(StoreFullError) as caught:
        await fetch(storage, make_job)
    assert caught.value.needed_bytes == len(CONTENT)


async def test_room_is_asked_for_as_soon_as_the_size_is_known(
    storage: Storage, make_job: JobMaker
) -> None:
    asked: list[int] = []
    make_job.room = asked.append
    await fetch(storage, make_job, is_known=False)
    assert asked == [0, len(CONTENT)]


async def test_pieces_of_an_earlier_pull_are_used_wherever_they_lie(
    storage: Storage, make_job: JobMaker
) -> None:
    make_job.partial.restart(PartialNotes(source="another"))
    with make_job.partial.writer() as writer:
        for start in (0, 1_000_000, 4_000_000):
            writer.write(start, CONTENT[start : start + 700_000])
    there_bytes = covered_bytes(make_job.partial.spans)
    await fetch(storage, make_job)
    assert make_job.arrived == CONTENT
    assert storage.hub.sent_bytes == len(CONTENT) - there_bytes
