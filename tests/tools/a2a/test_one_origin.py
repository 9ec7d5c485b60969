"""Promises of `smallhold.tools.a2a.one_origin`: this file holds tests of where requests may go."""

from __future__ import annotations

import httpx
import pytest
from tests.tools.mcp.test_http_transport import answering, response

from smallhold.tools.a2a.one_origin import AnotherAddressError, OneOrigin, is_same_origin

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("url", "other", "verdict"),
    [
        ("http://127.0.0.1:9000", "http://localhost:9000/rpc", "same"),
        ("https://a.example", "https://a.example:443/x", "same"),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9001", "another"),
        ("http://a.example", "https://a.example", "another"),
        ("http://a.example", "http://b.example", "another"),
        ("http://127.0.0.1", "http://10.0.0.1", "another"),
    ],
)
def test_a_server_is_known_by_its_origin(url: str, other: str, verdict: str) -> None:
    assert is_same_origin(url, other) == (verdict == "same")


async def test_a_request_to_another_server_is_not_sent() -> None:
    heard: list[bytes] = []
    async with answering(response(b"hi"), heard) as other, answering(response(b"hi")) as url:
        transport = OneOrigin(url, most_bytes=100)
        async with httpx.AsyncClient(transport=transport, follow_redirects=True) as http:
            assert (await http.get(url)).text == "hi"
            with pytest.raises(AnotherAddressError):
                await http.get(other)
    assert not heard


async def test_a_long_or_compressed_answer_is_not_read() -> None:
    long, zipped = response(b"x" * 1_000), response(b"", headers="content-encoding: gzip\r\n")
    for raw in (long, zipped):
        async with answering(raw) as url:
            transport = OneOrigin(url, most_bytes=100)
            async with httpx.AsyncClient(transport=transport) as http:
                with pytest.raises(httpx.DecodingError):
                    await http.get(url)
