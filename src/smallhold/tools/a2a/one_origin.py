"""HTTP to one address and no other: this file holds the transport of the A2A client."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

import httpx
from typing_extensions import override

from smallhold.tools.serving.access import is_loopback

_ELSEWHERE: Final = "it points to another address"
_COMPRESSED: Final = "its answer is compressed, which was not asked for"
_PORTS: Final = {"http": 80, "https": 443}


def is_same_origin(url: str, other: str) -> bool:
    """Tell whether two addresses lead to one server; names of the loopback are alike."""
    return _origin(httpx.URL(url)) == _origin(httpx.URL(other))


class AnotherAddressError(httpx.RequestError):
    """A request to another address than the caller gave; it was not sent."""


class OneOrigin(httpx.AsyncBaseTransport):
    """Sends requests to one server, and counts the bytes of each answer."""

    def __init__(self, url: str, *, most_bytes: int) -> None:
        """Allow one server.

        Args:
            url: Any address of it.
            most_bytes: Longest answer.
        """
        self._origin = _origin(httpx.URL(url))
        self._most_bytes = most_bytes
        self._inner = httpx.AsyncHTTPTransport(trust_env=False)

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if _origin(request.url) != self._origin:
            raise AnotherAddressError(_ELSEWHERE, request=request)
        response = await self._inner.handle_async_request(request)
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            await response.aclose()
            raise httpx.DecodingError(_COMPRESSED, request=request)
        if isinstance(response.stream, httpx.AsyncByteStream):
            response.stream = _Bounded(
                response.stream, request=request, most_bytes=self._most_bytes
            )
        return response

    @override
    async def aclose(self) -> None:
        await self._inner.aclose()


class _Bounded(httpx.AsyncByteStream):
    def __init__(
        self, stream: httpx.AsyncByteStream, *, request: httpx.Request, most_bytes: int
    ) -> None:
        self._stream = stream
        self._request = request
        self._most_bytes = most_bytes

    @override
    async def __aiter__(self) -> AsyncIterator[bytes]:
        seen_bytes = 0
        async for chunk in self._stream:
            seen_bytes += len(chunk)
            if seen_bytes > self._most_bytes:
                msg = f"it is longer than {self._most_bytes:,} bytes"
                raise httpx.DecodingError(msg, request=self._request)
            yield chunk

    @override
    async def aclose(self) -> None:
        await self._stream.aclose()


def _origin(url: httpx.URL) -> tuple[str, str, int]:
    host = "localhost" if is_loopback(url.host) else url.host
    return (url.scheme, host, url.port or _PORTS.get(url.scheme, 0))
