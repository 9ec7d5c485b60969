"""What a tool is found by: this file holds the texts that describe it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from smallhold.messages import JsonObject, ToolSchema
from smallhold.tools.retrieval.words import name_words


class RetrievableTool(Protocol):
    """Something that can be found by what it is for; a `Tool` is one."""

    @property
    def schema(self) -> ToolSchema:
        """Name, description and parameters."""
        ...

    @property
    def examples(self) -> tuple[str, ...]:
        """Messages of users that ask for this tool."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedTool:
    """A tool that is known by its description only, such as one on another machine."""

    schema: ToolSchema
    examples: tuple[str, ...] = ()


def fields_of(tool: RetrievableTool) -> tuple[str, ...]:
    """Give the texts in which words are counted, one for each kind, in the same order always."""
    schema = tool.schema
    parameters = tuple(_parameters(schema.parameters))
    return (
        name_words(schema.name),
        schema.description,
        " ".join(name_words(name) for name, _ in parameters),
        " ".join(description for _, description in parameters),
        " ".join(tool.examples),
    )


def meanings_of(tool: RetrievableTool) -> tuple[str, ...]:
    """Give the texts whose meanings together are the tool's: its description, then its examples.

    Parameters are left out. Source: docs/tool-retrieval.md, where they changed nothing.
    """
    name, description = name_words(tool.schema.name), tool.schema.description.strip()
    return (f"{name}: {description}" if description else name, *tool.examples)


def _parameters(schema: JsonObject) -> Iterator[tuple[str, str]]:
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        return
    for name, parameter in properties.items():
        description = parameter.get("description") if isinstance(parameter, dict) else None
        yield name, description if isinstance(description, str) else ""
