"""Who may reach a server of ours: this file holds the rules on addresses, headers and tokens.

A server on the loopback is reachable from every web page that its user opens, by a host name that
an attacker points to 127.0.0.1 ("DNS rebinding"). Such requests carry that name in `Host`, or the
page's own site in `Origin`, so both are checked even on the loopback.
Source: the MCP specification, Streamable HTTP, "Security Warning"; CVE-2024-28224.
"""

from __future__ import annotations

import hmac
import ipaddress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from smallhold.exceptions import ConfigError

LOOPBACK_NAMES: Final = ("127.0.0.1", "localhost", "[::1]")
"""What a client on the same machine calls it in `Host`."""
MIN_TOKEN_CHARS: Final = 24
"""A shorter token can be guessed. 24 characters of base64 are 144 bits."""
_LOCALHOST: Final = "localhost"
_LOCALHOST_ENDING: Final = ".localhost"


class Verdict(StrEnum):
    """What becomes of a request."""

    ALLOWED = "allowed"
    WRONG_HOST = "wrong_host"
    WRONG_ORIGIN = "wrong_origin"
    UNAUTHENTICATED = "unauthenticated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Where a server listens and whom it serves.

    Raises:
        ConfigError: Other machines could use the server without a token, or the token is short.
    """

    host: str = "127.0.0.1"
    """The address that it listens on."""
    port: int = 0
    """0 takes a free one."""
    token: str | None = field(default=None, repr=False)
    """What clients must send as `Authorization: Bearer TOKEN`; `None` lets everyone in."""
    host_names: tuple[str, ...] = ()
    """Further names that clients may call this machine by, without port."""
    origins: tuple[str, ...] = ()
    """Web sites whose pages may use the server, such as `https://desk.example`."""

    def __post_init__(self) -> None:
        """Refuse what would let strangers in."""
        if self.token is not None and len(self.token) < MIN_TOKEN_CHARS:
            raise ConfigError(
                field="token",
                value="(set)",
                remedy=f"make it at least {MIN_TOKEN_CHARS} characters long, at random",
            )
        if self.token is None and not is_loopback(self.host):
            raise ConfigError(
                field="host",
                value=self.host,
                remedy="other machines could use the agent; set a token, or listen on 127.0.0.1",
            )

    @property
    def known_names(self) -> frozenset[str]:
        """What `Host` may name, lower-case and without port."""
        own = () if is_any_address(self.host) else (_bracketed(self.host),)
        return frozenset(name.lower() for name in (*LOOPBACK_NAMES, *own, *self.host_names))


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address is this machine's own, without asking the network.

    Source: RFC 6761 section 6.3 (`localhost`), RFC 1122 section 3.2.1.3 (127.0.0.0/8), RFC 4291
    section 2.5.3 (`::1`).
    """
    name = host.strip("[]").lower().rstrip(".")
    if name == _LOCALHOST or name.endswith(_LOCALHOST_ENDING):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def is_any_address(host: str) -> bool:
    """Tell whether listening there means listening on all of the machine's addresses."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_unspecified
    except ValueError:
        return not host


def judge(
    access: Access, *, host: str | None, origin: str | None, authorization: str | None
) -> Verdict:
    """Decide on a request by its headers.

    Args:
        access: The server's rules.
        host: The header `Host`.
        origin: The header `Origin`, which browsers send and other clients do not.
        authorization: The header `Authorization`.
    """
    if host is None or _without_port(host) not in access.known_names:
        return Verdict.WRONG_HOST
    if origin is not None and not _is_known_origin(origin, access):
        return Verdict.WRONG_ORIGIN
    if access.token is not None and not _is_token(authorization, access.token):
        return Verdict.UNAUTHENTICATED
    return Verdict.ALLOWED


def _is_known_origin(origin: str, access: Access) -> bool:
    if origin in access.origins:
        return True
    try:
        parts = urlsplit(origin)
        host = parts.hostname or ""
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and is_loopback(host)


def _is_token(authorization: str | None, token: str) -> bool:
    scheme, _, given = (authorization or "").partition(" ")
    # In constant time, so that a token cannot be found out letter by letter.
    is_equal = hmac.compare_digest(given.strip().encode(), token.encode())
    return scheme.lower() == "bearer" and is_equal


def _without_port(host: str) -> str:
    name, separator, port = host.strip().lower().rpartition(":")
    if separator and port.isdigit() and not name.endswith(":"):
        return name
    return host.strip().lower()


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
