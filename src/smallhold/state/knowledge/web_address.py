"""Which addresses of the web may be asked: this file holds the rules."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Final
from urllib.parse import urljoin, urlsplit, urlunsplit

from smallhold.exceptions import DocumentFetchError

_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class WebAddress:
    """A page's address, taken apart."""

    scheme: str
    host: str
    port: int
    target: str
    """Path and query."""

    @property
    def url(self) -> str:
        """The address in its usual form, without a fragment."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        place = host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"
        return f"{self.scheme}://{place}{self.target}"


def is_web_address(source: str) -> bool:
    """Tell an address of a page from a path."""
    return source.lower().startswith(("http://", "https://"))


def web_address(url: str) -> WebAddress:
    """Take an address apart.

    Raises:
        DocumentFetchError: It is none that may be asked.
    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port
        host = (parts.hostname or "").encode("idna" if not _is_ip(parts.hostname) else "ascii")
    except (ValueError, UnicodeError) as error:
        raise _refused(url, "it is no address of a page") from error
    scheme = parts.scheme.lower()
    if scheme not in _PORTS or not host:
        raise _refused(url, "it is no address of a page")
    if parts.username or parts.password:
        raise DocumentFetchError(
            source=f"{scheme}://{parts.hostname}",
            problem="there is a password in the address, which would be stored",
            remedy="Leave it out.",
        )
    target = urlunsplit(("", "", parts.path or "/", parts.query, ""))
    return WebAddress(
        scheme=scheme, host=host.decode("ascii"), port=port or _PORTS[scheme], target=target
    )


def redirected(address: WebAddress, location: str) -> WebAddress:
    """Follow a redirect.

    Raises:
        DocumentFetchError: It leads to where nothing may be asked, or gives up encryption.
    """
    target = web_address(urljoin(address.url, location))
    if address.scheme == "https" and target.scheme != "https":
        raise _refused(address.url, "it redirects from https to http")
    return target


def is_public(ip: str) -> bool:
    """Tell whether an IP address is of the open internet, and no machine nearby.

    Source: IANA's special-purpose address registries, by `ipaddress`.
    """
    found = ipaddress.ip_address(ip.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None)
    if mapped is not None:
        found = mapped
    return found.is_global and not found.is_multicast


def _is_ip(host: str | None) -> bool:
    try:
        ipaddress.ip_address(host or "")
    except ValueError:
        return False
    return True


def _refused(source: str, problem: str) -> DocumentFetchError:
    return DocumentFetchError(
        source=source, problem=problem, remedy="Give the page's address as http:// or https://."
    )
