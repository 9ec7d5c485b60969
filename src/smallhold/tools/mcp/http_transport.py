"""A server over HTTP: this file holds the client that speaks to one address and no other.

The SDK's transport ends the whole connection when one request fails, and reads answers of any
length. So what goes wrong below HTTP is turned into an answer for that one request, and answers are
counted byte by byte.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import httpx2
from mcp.client.streamable_http import streamable_http_client
from typing_extensions import override

from smallhold.tools.mcp.addresses import WebAddress
from smallhold.tools.mcp.wire import Incoming, MessageSink, Wire

TROUBLE: Final = -32_090
"""Code of the answers that we make up ourselves. Source: JSON-RPC 2.0, section 5.1 leaves -32000 to
-32099 to implementations."""
_TIMEOUT_S: Final = 10.0
_SILENCE_S: Final = 300.0
"""How long a stream of events may be silent. Source: the SDK's own default."""
_NOT_SENT: Final = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
_TOLD_STATUSES: Final = frozenset({401, 403, 407, 421, 429})
"""Statuses whose meaning a developer needs; the SDK would only say that there was an error."""
_FIRST_SERVER_ERROR: Final = 500


class TroubleMarks:
    """What made-up answers carry, so that no server can pass off its own as one."""

    def __init__(self) -> None:
        self.not_sent = secrets.token_hex(8)
        self.lost = secrets.token_hex(8)


@asynccontextmanager
async def web_transport(
    address: WebAddress, *, wire: Wire, message_bytes: int, marks: TroubleMarks
) -> AsyncGenerator[tuple[Incoming, MessageSink]]:
    """Hand out the streams of messages to and from a server.

    Args:
        address: Where it is.
        wire: Told of the end.
        message_bytes: Longest answer, and longest event of a stream.
        marks: What tells made-up answers.
    """
    guarded = _OneAddress(httpx2.URL(address.url), message_bytes=message_bytes, marks=marks)
    async with (
        httpx2.AsyncClient(
            transport=guarded,
            # A compressed answer could be any length once it is unpacked.
            headers={"accept-encoding": "identity", **address.headers},
            timeout=httpx2.Timeout(_TIMEOUT_S, read=_SILENCE_S),
            follow_redirects=False,
            # Proxies and credentials of the environment would lead to other addresses.
            trust_env=False,
        ) as client,
        streamable_http_client(
            address.url, http_client=client, max_sse_event_size=message_bytes
        ) as (incoming, outgoing),
    ):
        yield Incoming(incoming, wire=wire), outgoing


class _OneAddress(httpx2.AsyncBaseTransport):
    def __init__(self, url: httpx2.URL, *, message_bytes: int, marks: TroubleMarks) -> None:
        self._origin = _origin(url)
        self._message_bytes = message_bytes
        self._marks = marks
        self._inner = httpx2.AsyncHTTPTransport(trust_env=False)

    @override
    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if _origin(request.url) != self._origin:
            return _trouble(request, "it points to another address", mark=self._marks.not_sent)
        if request.method != "POST":
            return self._bounded(await self._inner.handle_async_request(request))
        try:
            response = await self._inner.handle_async_request(request)
        except httpx2.TransportError as error:
            is_unsent = isinstance(error, _NOT_SENT)
            mark = self._marks.not_sent if is_unsent else self._marks.lost
            what = "it cannot be reached" if is_unsent else "the connection broke"
            return _trouble(request, f"{what} ({type(error).__name__})", mark=mark)
        if response.status_code in _TOLD_STATUSES or response.status_code >= _FIRST_SERVER_ERROR:
            await response.aclose()
            return _trouble(request, f"HTTP {response.status_code} {response.reason_phrase}")
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            await response.aclose()
            return _trouble(request, "its answer is compressed, which was not asked for")
        return self._bounded(response)

    @override
    async def aclose(self) -> None:
        await self._inner.aclose()

    def _bounded(self, response: httpx2.Response) -> httpx2.Response:
        is_endless = response.headers.get("content-type", "").startswith("text/event-stream")
        stream = response.stream
        if not is_endless and isinstance(stream, httpx2.AsyncByteStream):
            response.stream = _BoundedBody(stream, most_bytes=self._message_bytes)
        return response


class _BoundedBody(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream, *, most_bytes: int) -> None:
        self._stream = stream
        self._most_bytes = most_bytes

    @override
    async def __aiter__(self) -> AsyncIterator[bytes]:
        seen_bytes = 0
        async for chunk in self._stream:
            seen_bytes += len(chunk)
            if seen_bytes > self._most_bytes:
                msg = f"it is longer than {self._most_bytes:,} bytes"
                raise httpx2.StreamError(msg)
            yield chunk

    @override
    async def aclose(self) -> None:
        await self._stream.aclose()


def _trouble(request: httpx2.Request, message: str, *, mark: str = "") -> httpx2.Response:
    """Make up the answer to one request that has none."""
    body = {
        "jsonrpc": "2.0",
        "id": None,
        "error": {"code": TROUBLE, "message": message, "data": mark},
    }
    return httpx2.Response(
        httpx2.codes.BAD_GATEWAY,
        headers={"content-type": "application/json"},
        content=json.dumps(body).encode(),
        request=request,
    )


def _origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    return (url.scheme, url.host, url.port)
