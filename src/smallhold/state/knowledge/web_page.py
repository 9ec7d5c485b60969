"""Pages of the web: this file holds how one is fetched.

The host's name is resolved once, the addresses are checked, and one of those is connected to: a
name that leads elsewhere a moment later cannot lead into the local network.
"""

from __future__ import annotations

import codecs
import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import anyio
import httpx2

from smallhold.exceptions import DocumentFetchError
from smallhold.state.knowledge.files import require_size
from smallhold.state.knowledge.formats import CONTENT_TYPES, DocumentFormat, format_of
from smallhold.state.knowledge.parsers.limits import ParsingLimits
from smallhold.state.knowledge.web_address import (
    WebAddress,
    is_public,
    redirected,
    web_address,
)

TOTAL_S: Final = 60.0
"""For a page with all its redirects."""
STALL_S: Final = 15.0
"""Without a new byte for so long, the connection counts as dead."""
REDIRECTS_MAX: Final = 5
_OK: Final = 200
_VAGUE: Final = frozenset({"", "application/octet-stream", "text/plain"})
"""What servers say of files that they do not know; the name may say more."""
_TEXTS: Final = frozenset({DocumentFormat.TEXT, DocumentFormat.HTML, DocumentFormat.MARKDOWN})
_HEADERS: Final = {
    "User-Agent": "smallhold",
    "Accept": ", ".join(CONTENT_TYPES),
    # Nothing to unpack, so nothing that unpacks to more than was promised.
    "Accept-Encoding": "identity",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class WebPage:
    """What was fetched."""

    source: str
    """Its address, that before any redirect."""
    format: DocumentFormat
    data: bytes


async def fetch_page(url: str, *, limits: ParsingLimits, allows_private: bool) -> WebPage:
    """Fetch a page.

    Args:
        url: Its address.
        limits: Of these, that on the file's size.
        allows_private: Also connect to this machine and its local network.

    Raises:
        DocumentFetchError: It cannot be had, or may not be asked for.
        DocumentTooLargeError: It is too large.
    """
    address = web_address(url)
    source = address.url
    timeout = httpx2.Timeout(STALL_S)
    try:
        with anyio.fail_after(TOTAL_S):
            # No proxies from the environment: one would undo the check of addresses.
            async with httpx2.AsyncClient(timeout=timeout, trust_env=False) as client:
                for _ in range(REDIRECTS_MAX + 1):
                    ip = await _checked_ip(address, source=source, allows_private=allows_private)
                    found = await _asked(client, address, ip, source=source, limits=limits)
                    if isinstance(found, WebPage):
                        return found
                    address = found
    except TimeoutError as error:
        raise _failed(source, f"it took longer than {TOTAL_S:g} s") from error
    except httpx2.HTTPError as error:
        raise _failed(source, str(error) or type(error).__name__) from error
    raise _failed(source, f"it redirects more than {REDIRECTS_MAX} times")


async def _checked_ip(address: WebAddress, *, source: str, allows_private: bool) -> str:
    try:
        found = await anyio.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise _failed(source, f"there is no host {address.host}") from error
    ips = [str(entry[4][0]) for entry in found]
    if not allows_private and not all(map(is_public, ips)):
        raise DocumentFetchError(
            source=source,
            problem="it leads to this machine or its local network",
            remedy="Set `allows_private_addresses` of `KnowledgeSettings` if that is meant.",
        )
    return ips[0]


async def _asked(
    client: httpx2.AsyncClient,
    address: WebAddress,
    ip: str,
    *,
    source: str,
    limits: ParsingLimits,
) -> WebPage | WebAddress:
    url = httpx2.URL(address.url)
    headers = {**_HEADERS, "Host": url.netloc.decode("ascii")}
    pinned = url.copy_with(host=ip)
    extensions = {"sni_hostname": address.host}
    async with client.stream("GET", pinned, headers=headers, extensions=extensions) as response:
        if response.is_redirect:
            return redirected(address, response.headers["location"])
        if response.status_code != _OK:
            raise _failed(source, f"the server answers {response.status_code}")
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            raise _failed(source, "the server packs it, although it was asked not to")
        kind = response.headers.get("content-type", "")
        file_format = _format(kind, address, source=source)
        data = bytearray()
        async for part in response.aiter_raw():
            data += part
            require_size(len(data), source=source, limits=limits)
    return WebPage(source=source, format=file_format, data=_marked(bytes(data), kind, file_format))


def _format(content_type: str, address: WebAddress, *, source: str) -> DocumentFormat:
    name = content_type.partition(";")[0].strip().lower()
    found = CONTENT_TYPES.get(name)
    if name in _VAGUE:
        found = format_of(address.target.partition("?")[0]) or found
    if found is None:
        raise DocumentFetchError(
            source=source,
            problem=f"it is {name or 'of no known kind'}, which is not read",
            remedy="Name a page, or a file of a format that is read.",
        )
    return found


def _marked(data: bytes, content_type: str, file_format: DocumentFormat) -> bytes:
    """Write text in the encoding that the server names as UTF-8 with its mark."""
    _, _, charset = content_type.lower().partition("charset=")
    if file_format in _TEXTS and charset:
        with suppress(LookupError, UnicodeDecodeError):
            text = data.decode(charset.partition(";")[0].strip(" \"'"))
            return codecs.BOM_UTF8 + text.removeprefix("\ufeff").encode("utf-8", "replace")
    return data


def _failed(source: str, problem: str) -> DocumentFetchError:
    return DocumentFetchError(
        source=source, problem=problem, remedy="Check the address and the network, and try again."
    )
