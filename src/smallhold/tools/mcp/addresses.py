"""Where an MCP server is: this file holds the addresses of programs and web pages."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import TypeAlias
from urllib.parse import SplitResult, urlsplit

from smallhold.exceptions import ConfigError
from smallhold.tools.serving.access import is_loopback


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessAddress:
    """A server that is started as a process of this machine and spoken to over its pipes."""

    command: str
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    """Variables beside the few that every server is given (`PATH`, `HOME` and the like); nothing
    else of this process's environment is handed on, since it holds other programs' secrets."""
    folder: Path | None = None
    """The working directory; by default this process's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebAddress:
    """A server that runs already, spoken to over HTTP."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    """Sent with every request, such as `Authorization`."""


ServerAddress: TypeAlias = ProcessAddress | WebAddress


def remote_host(address: ServerAddress) -> str | None:
    """Name the other machine that an address leads to; `None` if it is this one."""
    if isinstance(address, ProcessAddress):
        return None
    host = _split(address.url).hostname or ""
    return None if is_loopback(host) else host


def check_address(address: ServerAddress, *, offline: bool) -> None:
    """Refuse an address that cannot be used.

    Args:
        address: Where the server is.
        offline: Whether only this machine may be spoken to.

    Raises:
        ConfigError: It is malformed, or on another machine while offline.
    """
    if isinstance(address, ProcessAddress):
        if not address.command.strip() or "\0" in "".join((address.command, *address.arguments)):
            raise ConfigError(
                field="command", value=address.command, remedy="name a program to start"
            )
        return
    check_url(address.url)
    host = remote_host(address)
    if offline and host is not None:
        raise ConfigError(
            field="url",
            value=host,
            remedy="it is another machine, and nothing may leave this one in offline mode; use a "
            "server on this machine, or pass `offline_mode=False` here and to the agent",
        )


def check_url(url: str) -> None:
    """Refuse what is no address of a web server, or carries a password. Raises `ConfigError`."""
    parts = _split(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigError(
            field="url", value=url, remedy="write it as `http://HOST:PORT/PATH` or with https"
        )
    if parts.username is not None or parts.password is not None:
        # Not the address itself: it holds the password.
        raise ConfigError(
            field="url", value=parts.hostname, remedy="give credentials as `headers` instead"
        )


def default_name(address: ServerAddress) -> str:
    """Make up a name for a server from its address."""
    if isinstance(address, WebAddress):
        return _split(address.url).netloc
    named = [word for word in address.arguments if word and not word.startswith("-")]
    return PurePath(named[0] if named else address.command).stem


def identity_of(address: ServerAddress, *, name: str) -> str:
    """Give a server's identity, by which its tools are remembered: 64 hexadecimal digits.

    Headers and variables are no part of it, since tokens change while a server stays the same. Two
    servers that differ only in these are told apart by their names.
    """
    if isinstance(address, WebAddress):
        words = ["http", name, address.url]
    else:
        folder = "" if address.folder is None else str(address.folder)
        words = ["stdio", name, address.command, *address.arguments, folder]
    return hashlib.sha256(json.dumps(words).encode()).hexdigest()


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where it is no number
    except ValueError as error:
        raise ConfigError(field="url", value=url, remedy=f"it is no address ({error})") from error
    return parts
