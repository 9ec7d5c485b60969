"""What an MCP server offers: this file holds the command `mcp tools`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import RenderableType
from rich.table import Table

from smallhold.cli.terminal import foreign, one_line, side_console
from smallhold.exceptions import ConfigError, PeerUnavailableError
from smallhold.messages import JsonObject, JsonValue
from smallhold.tools import AnyTool
from smallhold.tools.mcp import Changes, Made, MCPOptions, MCPServer

_DESCRIPTION_LIMIT_CHARS = 100
_STDERR_LIMIT_CHARS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    """A server as it is now."""

    server: str
    made: Made
    changes: Changes
    """Against what models were shown before."""

    def to_dict(self) -> JsonObject:
        """Write it as JSON."""
        loose = dict(self.made.left_to_server)
        left_out: list[JsonValue] = [
            {"name": each.name, "reason": each.reason} for each in self.made.left_out
        ]
        return {
            "server": self.server,
            "tools": [_tool_json(tool, loose.get(tool.name, ())) for tool in self.made.tools],
            "left_out": left_out,
            "changes": {
                "added": list[JsonValue](self.changes.added),
                "removed": list[JsonValue](self.changes.removed),
                "changed": list[JsonValue](self.changes.changed),
            },
        }


def server_for(
    words: Sequence[str], *, headers: Sequence[str], is_remote: bool, name: str | None
) -> MCPServer:
    """Make a server of the command line: an address, or a program with its arguments.

    Args:
        words: As they were typed.
        headers: `NAME=VARIABLE`, the variable holding the value.
        is_remote: Whether the address may be on another machine.
        name: What the server is called.

    Raises:
        ConfigError: They name no server, or a variable is not set.
    """
    options = MCPOptions(prompts_as_tools=True, resources_as_tools=True)
    first = words[0]
    if not first.startswith(("http://", "https://")):
        return MCPServer.stdio(first, words[1:], name=name, options=options)
    if len(words) > 1:
        raise ConfigError(field="server", value=words[1], remedy="an address stands alone")
    return MCPServer.http(
        first,
        headers=headers_from(headers),
        name=name,
        options=options,
        offline_mode=not is_remote,
    )


def headers_from(words: Sequence[str]) -> dict[str, str]:
    """Read `NAME=VARIABLE`; a value on the command line would be there for everyone to see.

    Raises:
        ConfigError: One is malformed, or its variable is not set.
    """
    headers: dict[str, str] = {}
    for word in words:
        name, _, variable = word.partition("=")
        value = os.environ.get(variable)
        if not name or not value:
            raise ConfigError(
                field="header",
                value=word,
                remedy="write NAME=VARIABLE, and set that variable to the value",
            )
        headers[name] = value
    return headers


async def inspect_server(server: MCPServer, *, accept: bool) -> Inspected:
    """Ask a server what it offers.

    Args:
        server: Which.
        accept: Whether models are shown that from here on.

    Raises:
        PeerError: It cannot be connected to.
    """
    try:
        made = await server.offered()
        changes = await server.apply_changes() if accept else server.changes
    except PeerUnavailableError as error:
        if error.stderr_tail:
            text = f"It wrote to stderr, at the end:\n{error.stderr_tail}"
            side_console().print(foreign(text, style="dim"), soft_wrap=True)
        raise
    finally:
        await server.aclose()
    return Inspected(server=server.name, made=made, changes=changes)


def listing_table(inspected: Inspected) -> list[RenderableType]:
    """Lay a server's offers out for people."""
    loose = dict(inspected.made.left_to_server)
    table = Table(title=foreign(inspected.server))
    for heading in ("tool", "description", "notes"):
        table.add_column(heading)
    for tool in inspected.made.tools:
        notes = [*_effects(tool), *(f"server checks {word}" for word in loose.get(tool.name, ()))]
        about = one_line(tool.schema.description, limit_chars=_DESCRIPTION_LIMIT_CHARS)
        table.add_row(tool.name, foreign(about), foreign(", ".join(notes)))
    shown: list[RenderableType] = [table]
    for left in inspected.made.left_out:
        name = one_line(left.name, limit_chars=_DESCRIPTION_LIMIT_CHARS)
        shown.append(foreign(f"left out: {name} ({left.reason})", style="yellow"))
    changes = inspected.changes
    for word, names in (
        ("new", changes.added), ("gone", changes.removed), ("changed", changes.changed),
    ):  # fmt: skip
        shown += [foreign(f"{word} since models were last shown: {', '.join(names)}")] * bool(names)
    return shown


def _effects(tool: AnyTool) -> list[str]:
    effects = [("asks first", tool.may_require_approval), ("may be repeated", tool.idempotent)]
    return [word for word, holds in effects if holds]


def _tool_json(tool: AnyTool, loose: Sequence[str]) -> JsonObject:
    return {
        "name": tool.name,
        "description": tool.schema.description,
        "parameters": tool.schema.parameters,
        "requires_approval": tool.may_require_approval,
        "idempotent": tool.idempotent,
        "left_to_server": list[JsonValue](loose),
    }
