"""Resources as tools: this file holds the two that list and read them."""

from __future__ import annotations

from collections.abc import Sequence

from smallhold.messages import JsonObject
from smallhold.tools.mcp.foreign_text import one_line
from smallhold.tools.mcp.hints import ToolHints
from smallhold.tools.mcp.offered_tools import Blueprint, Call
from smallhold.tools.mcp.reading import Resource

_LINE_LIMIT_CHARS = 300
_NOTHING = "There is nothing to read."
_READ_ONLY = ToolHints(read_only=True)


def resource_blueprints(*, list_all: Call, read: Call) -> list[Blueprint]:
    """Plan the tools.

    Args:
        list_all: Gives a line for each resource.
        read: Takes `uri` and gives the resource's text.
    """
    uri: JsonObject = {"type": "string", "description": "As list_resources gives it."}
    return [
        Blueprint(
            offer="list_resources",
            description="List the documents and data that can be read.",
            input_schema={"type": "object", "properties": {}},
            hints=_READ_ONLY,
            call=list_all,
        ),
        Blueprint(
            offer="read_resource",
            description="Read one of the documents or data that list_resources names.",
            input_schema={"type": "object", "properties": {"uri": uri}, "required": ["uri"]},
            hints=_READ_ONLY,
            call=read,
        ),
    ]


def resource_listing(resources: Sequence[Resource]) -> str:
    """Write a line for each resource, its address first."""
    return "\n".join(_line(resource) for resource in resources) or _NOTHING


def _line(resource: Resource) -> str:
    about = ": ".join(filter(None, (resource.name, resource.description)))
    text = f"{resource.uri} ({about})" if about else resource.uri
    return one_line(text, limit_chars=_LINE_LIMIT_CHARS)
