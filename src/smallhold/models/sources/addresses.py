"""Which address may be asked, and with what: this file holds the rules of redirects."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Final

import httpx2

from smallhold.models.catalog.references import is_loopback

MAX_REDIRECTS: Final = 8

_CREDENTIALS: Final = frozenset({"authorization", "cookie", "proxy-authorization"})


class UnsafeAddressError(Exception):
    """An address that may not be asked; never leaves the adapter."""


def next_address(
    url: httpx2.URL, target: httpx2.URL, *, headers: Mapping[str, str]
) -> tuple[httpx2.URL, Mapping[str, str]]:
    """Decide on a redirect from one address to another.

    Returns:
        The address to ask next and the headers to ask with: no credential ever follows to another
        origin, be it another host, another port or another scheme.

    Raises:
        UnsafeAddressError: It leads from HTTPS to anything else, to a scheme that is not HTTP's,
            from elsewhere into this machine, or carries a name and password of its own.
    """
    if target.scheme not in {"https", url.scheme}:
        msg = f"redirects to an unsafe address ({target.scheme}:)"
        raise UnsafeAddressError(msg)
    if target.userinfo:
        msg = "redirects to an unsafe address (with a name and password in it)"
        raise UnsafeAddressError(msg)
    if is_loopback(target.host) and not is_loopback(url.host):
        msg = "redirects to an unsafe address (this machine itself)"
        raise UnsafeAddressError(msg)
    if origin(url) == origin(target):
        return target, headers
    kept = {name: value for name, value in headers.items() if name.lower() not in _CREDENTIALS}
    return target, kept


def require_secure(url: httpx2.URL) -> None:
    """Let pass HTTPS, and HTTP to this machine itself.

    Raises:
        UnsafeAddressError: It is neither.
    """
    if url.scheme != "https" and not (url.scheme == "http" and is_loopback(url.host)):
        msg = f"has an unsafe address ({url.scheme}://{url.host}): only https is asked"
        raise UnsafeAddressError(msg)
    if url.userinfo:
        msg = "has an unsafe address (with a name and password in it)"
        raise UnsafeAddressError(msg)


def is_nearby(url: httpx2.URL) -> bool:
    """Tell whether an address is surely of this machine or of a private network."""
    if is_loopback(url.host):
        return True
    try:
        return ipaddress.ip_address(url.host).is_private
    except ValueError:
        # A name may lead through a proxy to the other side of the world.
        return False


def origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    """Scheme, host and port: whoever shares them shares secrets."""
    return url.scheme, url.host, url.port
