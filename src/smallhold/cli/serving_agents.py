"""Agents named on the command line: this file holds how one is found, described and served."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from smallhold.agents import Agent
from smallhold.exceptions import ConfigError
from smallhold.tools import load_object
from smallhold.tools.a2a.description import AgentDescription, describe_agent
from smallhold.tools.serving.access import Access

TOKEN_VARIABLE: Final = "SMALLHOLD_SERVER_TOKEN"  # noqa: S105 - the name of a variable
"""Where a server's token is looked for; the command line would show it to every process."""
_FIELD: Final = "agent"
_HERE: Final = "127.0.0.1"
_LAST_PORT: Final = 65_535


def load_agent(spec: str) -> Agent:
    """Import an agent by `module:object`; a function is called to make one.

    Raises:
        ConfigError: There is no such object, or it is no agent.
    """
    found = load_object(spec)
    made = found() if callable(found) and not isinstance(found, Agent) else found
    if not isinstance(made, Agent):
        raise ConfigError(
            field=_FIELD,
            value=spec,
            remedy=f"it is a {type(made).__name__}; name an `Agent`, or a function that makes one",
        )
    return made


def described(agent: Agent, *, version: str) -> AgentDescription:
    """Describe an agent by its settings and tools, its instructions left out."""
    config = agent.config
    return describe_agent(
        config.name, about=(config.specialized_for,), tools=tuple(agent.tools), version=version
    )


def access_for(listen: str, *, token_file: Path | None, names: tuple[str, ...]) -> Access:
    """Make a server's rules from the command line and the environment.

    Args:
        listen: `[HOST:]PORT`; without a host only this machine.
        token_file: Where the token stands; else it is looked for in `TOKEN_VARIABLE`.
        names: Further names of this machine.

    Raises:
        ConfigError: The address is malformed, the token cannot be read, or other machines could do
            without one.
    """
    host, _, port = listen.rpartition(":")
    if not port.isdecimal() or not port.isascii() or int(port) > _LAST_PORT:
        raise ConfigError(
            field="address", value=listen, remedy="write it as PORT or HOST:PORT, such as 8000"
        )
    return Access(
        host=host.strip("[]") or _HERE, port=int(port), token=_token(token_file), host_names=names
    )


async def served(agent: Agent, serve: Callable[[], Awaitable[None]]) -> None:
    """Serve an agent, and free its model afterwards."""
    try:
        await serve()
    finally:
        await agent.aclose()


def _token(file: Path | None) -> str | None:
    if file is None:
        return os.environ.get(TOKEN_VARIABLE) or None
    try:
        return file.read_text("utf-8").strip() or None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            field="token file", value=str(file), remedy=f"it cannot be read ({error})"
        ) from error
