"""Promises of `smallhold.models.sources.asking`: this file holds tests of one request."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2
import pytest

from smallhold.exceptions import SourceUnavailableError
from smallhold.models.sources.addresses import MAX_REDIRECTS
from smallhold.models.sources.asking import OUR_HEADERS, HttpAsker, redirect_of
from smallhold.models.sources.http_protocol import BadAnswerError

if TYPE_CHECKING:
    from tests.models.sources.model_server import Hub

pytestmark = pytest.mark.anyio


async def read(
    url: str, *, limit_bytes: int = 100, passing: tuple[int, ...] = (), **headers: str
) -> tuple[int, bytes]:
    async with httpx2.AsyncClient(follow_redirects=False) as client:
        asker = HttpAsker(client=client, source="test", words={404: "is not there"})
        wanted = {**OUR_HEADERS, **headers}
        async with asker.get(httpx2.URL(url), wanted, passing=passing) as response:
            return response.status_code, await asker.read(response, limit_bytes=limit_bytes)


async def test_an_answer_is_read_behind_its_redirect(hub: Hub) -> None:
    hub.content = b"hello"
    assert await read(f"{hub.hub_url}/x") == (200, b"hello")


async def test_credentials_end_where_the_origin_does(hub: Hub) -> None:
    hub.content = b"hello"
    await read(f"{hub.hub_url}/x", Authorization="Bearer canary", Cookie="canary")
    assert "canary" in repr(hub.seen("hub"))
    assert "canary" not in repr(hub.seen("storage"))


async def test_what_should_be_small_is_not_read_on_and_on(hub: Hub) -> None:
    hub.content = b"x" * 10_000
    with pytest.raises(SourceUnavailableError, match="over 100 bytes"):
        await read(f"{hub.storage_url}/x")


async def test_a_status_has_the_words_of_its_source_unless_the_caller_knows_it(hub: Hub) -> None:
    for _ in range(2):
        hub.fail(status=404)
    with pytest.raises(SourceUnavailableError, match="test: is not there"):
        await read(f"{hub.storage_url}/x")
    assert await read(f"{hub.storage_url}/x", passing=(404,)) == (404, b"")


async def test_a_chain_of_redirects_has_an_end(hub: Hub) -> None:
    for number in range(20):
        hub.fail(status=302, headers={"Location": f"/{number}"})
    with pytest.raises(SourceUnavailableError, match="circles"):
        await read(f"{hub.storage_url}/x")
    assert len(hub.requests) == MAX_REDIRECTS + 1


def test_a_redirect_to_what_is_no_address_may_be_better_next_time() -> None:
    request = httpx2.Request("GET", "http://127.0.0.1/x")
    answer = httpx2.Response(302, headers={"location": "http://[::1"}, request=request)
    with pytest.raises(BadAnswerError, match="no address"):
        redirect_of(answer)


@pytest.mark.parametrize(("status", "headers"), [(200, {"location": "/y"}), (304, {}), (302, {})])
def test_what_is_no_redirect_leads_nowhere(status: int, headers: dict[str, str]) -> None:
    request = httpx2.Request("GET", "http://127.0.0.1/x")
    assert redirect_of(httpx2.Response(status, headers=headers, request=request)) is None
