"""What was found in a text: this file holds calls that came as text, whole or broken."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from smallhold.messages import JsonObject, ToolSchema
from smallhold.tools.definition import properties_of


@dataclass(frozen=True, slots=True, kw_only=True)
class TextCall:
    """A call that a model wrote into its answer."""

    name: str
    """The offered tool's name; as the model wrote it where no tool is meant for certain."""
    arguments: JsonObject
    raw_arguments: str | None = None
    """What was written where it is no object; `arguments` is then empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenCall:
    """What is certainly meant as a call and cannot be read as one."""

    written: str
    """The model's own text."""
    is_cut: bool
    """The text ended inside the call; otherwise it is malformed."""
    name: str | None = None
    """The tool that is meant, where that can be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Calls that stand at one place of a text."""

    calls: tuple[TextCall, ...]
    """None where the text was read up to `end` and holds no call."""
    end: int
    """Where the text goes on after them."""


class Look(StrEnum):
    """What a place of a text is that holds no call, as far as can be told."""

    NOTHING = "nothing"
    """No call begins here, however the text goes on."""
    MORE = "more"
    """That depends on how the text goes on."""


Match: TypeAlias = Found | BrokenCall | Look


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """The tools that a call may be for."""

    schemas: tuple[ToolSchema, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Their names, in order."""
        return tuple(schema.name for schema in self.schemas)

    def parameters(self, name: str) -> tuple[str, ...]:
        """Names of a tool's parameters in the order of its schema; none for an unknown tool."""
        found = (schema for schema in self.schemas if schema.name == name)
        return next((tuple(properties_of(schema)) for schema in found), ())
