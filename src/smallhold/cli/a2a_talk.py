"""Another agent at the terminal: this file holds how its card and its answers are shown."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing

from rich.console import Console, RenderableType
from rich.table import Table

from smallhold.cli.mcp_listing import headers_from
from smallhold.cli.terminal import foreign, one_line
from smallhold.messages import DoneEvent, JsonObject, JsonValue, TokenEvent
from smallhold.tools.a2a import AgentDescription, RemoteAgent

_LINE_LIMIT_CHARS = 200


def remote_agent(url: str, *, headers: Sequence[str], is_remote: bool) -> RemoteAgent:
    """Make an agent of the command line.

    Args:
        url: Its address.
        headers: `NAME=VARIABLE`, the variable holding the value.
        is_remote: Whether the address may be on another machine.

    Raises:
        ConfigError: The address cannot be used, or a variable is not set.
    """
    return RemoteAgent(url, headers=headers_from(headers), offline_mode=not is_remote)


async def talk(agent: RemoteAgent, text: str, *, console: Console | None) -> str:
    """Send a message; show the answer as it comes, and hand it back.

    Raises:
        PeerError: There is no answer.
    """
    told, answer = "", ""
    async with aclosing(agent.stream(text)) as events:
        async for event in events:
            if isinstance(event, TokenEvent):
                told += event.text
                if console is not None:
                    console.print(foreign(event.text), end="", soft_wrap=True)
            elif isinstance(event, DoneEvent):
                answer = event.text
    if console is not None:
        rest = answer.removeprefix(told) if answer.startswith(told) else f"\n{answer}"
        console.print(foreign(rest), soft_wrap=True)
    return answer


def card_table(description: AgentDescription) -> list[RenderableType]:
    """Lay a card out for people."""
    table = Table(show_header=True)
    for heading in ("skill", "description"):
        table.add_column(heading)
    for skill in description.skills:
        table.add_row(_short(skill.name), _short(skill.description))
    heading = foreign(f"{description.name} {description.version}".strip(), style="bold")
    return [heading, foreign(description.description), table]


def description_json(description: AgentDescription) -> JsonObject:
    """Write a card as JSON."""
    skills: list[JsonValue] = [
        {
            "id": skill.id,
            "name": skill.name,
            "description": skill.description,
            "tags": list[JsonValue](skill.tags),
            "examples": list[JsonValue](skill.examples),
        }
        for skill in description.skills
    ]
    return {
        "name": description.name,
        "description": description.description,
        "version": description.version,
        "skills": skills,
    }


def _short(text: str) -> RenderableType:
    return foreign(one_line(text, limit_chars=_LINE_LIMIT_CHARS))
