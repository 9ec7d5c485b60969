"""One request with its redirects: this file holds the `HttpAsker`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final, NoReturn

import httpx2

from smallhold.exceptions import SourceUnavailableError
from smallhold.models.sources.addresses import MAX_REDIRECTS, UnsafeAddressError, next_address
from smallhold.models.sources.http_protocol import BadAnswerError, refusal

IN_CIRCLES: Final = "it redirects in circles"
OUR_HEADERS: Final[Mapping[str, str]] = MappingProxyType({
    "User-Agent": "smallhold",
    # A compressed answer has no byte ranges of the file, and weights hardly compress.
    "Accept-Encoding": "identity",
})


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAsker:
    """Asks one server for what a source needs, following redirects under our rules."""

    client: httpx2.AsyncClient
    """One that follows no redirects of its own accord."""
    source: str
    """Name for errors."""
    words: Mapping[int, str]
    """What statuses mean at this source."""

    @asynccontextmanager
    async def get(
        self,
        url: httpx2.URL,
        headers: Mapping[str, str],
        *,
        passing: Collection[int] = (),
    ) -> AsyncGenerator[httpx2.Response]:
        """Open an answer whose body is still to be read.

        Args:
            url: The address.
            headers: Headers to ask with; credentials among them never go to another origin.
            passing: Statuses that are no errors to the caller.

        Raises:
            SourceUnavailableError: The server refuses for good, or redirects where it may not.
            BadAnswerError: Another attempt may do better.
        """
        seen: set[httpx2.URL] = set()
        while url not in seen and len(seen) <= MAX_REDIRECTS:
            seen.add(url)
            async with self.client.stream("GET", url, headers=headers) as response:
                target = redirect_of(response)
                if target is None:
                    if response.status_code not in passing:
                        self.refuse_error(response)
                    yield response
                    return
            url, headers = self.follow(url, target, headers=headers)
        self.refuse(IN_CIRCLES)

    async def read(self, response: httpx2.Response, *, limit_bytes: int) -> bytes:
        """Read the body of an answer that should be small.

        Raises:
            SourceUnavailableError: It is larger than `limit_bytes`.
        """
        data = bytearray()
        async for chunk in response.aiter_raw():
            data += chunk
            if len(data) > limit_bytes:
                self.refuse(f"an answer that should be small has over {limit_bytes:,} bytes")
        return bytes(data)

    def follow(
        self, url: httpx2.URL, target: httpx2.URL, *, headers: Mapping[str, str]
    ) -> tuple[httpx2.URL, Mapping[str, str]]:
        """Take one redirect, without credentials where it leads to another origin.

        Raises:
            SourceUnavailableError: It leads where it may not.
        """
        try:
            return next_address(url, target, headers=headers)
        except UnsafeAddressError as error:
            raise SourceUnavailableError(source=self.source, reason=str(error)) from error

    def refuse_error(self, response: httpx2.Response) -> None:
        """Let pass an answer that can be used.

        Raises:
            SourceUnavailableError: The server refuses for good.
            BadAnswerError: Another attempt may do better.
        """
        reason = refusal(
            response.status_code, response.headers, words=self.words, now=datetime.now(UTC)
        )
        if reason is not None:
            self.refuse(reason)

    def refuse(self, reason: str) -> NoReturn:
        """Give the source up.

        Raises:
            SourceUnavailableError: Always.
        """
        raise SourceUnavailableError(source=self.source, reason=reason)


def redirect_of(response: httpx2.Response) -> httpx2.URL | None:
    """The address that an answer points to, if it is a redirect.

    Raises:
        BadAnswerError: It points to what is no address.
    """
    if not response.has_redirect_location:
        return None
    try:
        return response.url.join(response.headers["location"])
    except (httpx2.InvalidURL, ValueError) as error:
        msg = "it redirects to what is no address"
        raise BadAnswerError(msg) from error
