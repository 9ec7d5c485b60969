"""From a model's JSON to a server's arguments: this file holds a foreign tool's validator."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from pydantic import BaseModel
from typing_extensions import override

from smallhold.messages import JsonObject, JsonValue
from smallhold.tools.arguments import ArgumentValidator
from smallhold.tools.json_limits import json_problem
from smallhold.tools.mcp.value_checks import Misfit, fits, misfits, shown
from smallhold.tools.mending import mended
from smallhold.tools.problems import (
    MESSAGE_LIMIT_CHARS,
    NAME_LIMIT_CHARS,
    InvalidArguments,
    shorten,
)
from smallhold.tools.signatures import ToolParameter

_MOST_PROBLEMS: Final = 5


class _NoFields(BaseModel):
    """A foreign tool's arguments are held to their schema itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignArguments(ArgumentValidator):
    """Holds a model's arguments to the schema of a server's tool."""

    schema: JsonObject
    """As `tool_schemas.usable_schema` writes it."""
    parameters: tuple[ToolParameter, ...] = ()
    model: type[BaseModel] = field(default=_NoFields, repr=False)

    @override
    def validate(self, arguments: JsonObject) -> dict[str, object] | InvalidArguments:
        """Validate arguments, slips that leave no doubt mended first.

        A null for a parameter that is optional and takes no null counts as left out.

        Args:
            arguments: The model's arguments as parsed JSON.
        """
        problem = json_problem(arguments)
        if problem is not None:
            return InvalidArguments(message=f"the call's JSON {problem}")
        whole = mended(self._meant(arguments), self.schema)
        values: JsonObject = whole if isinstance(whole, dict) else arguments
        found = list(islice(misfits(values, self.schema), _MOST_PROBLEMS))
        if found:
            return InvalidArguments(message=_message(found, values))
        return dict[str, object](values)

    def _meant(self, arguments: JsonObject) -> JsonObject:
        """Leave out nulls that can only mean that nothing was meant."""
        properties, required = self.schema.get("properties"), self.schema.get("required")
        known = properties if isinstance(properties, dict) else {}
        needed = required if isinstance(required, list) else []
        return {
            name: value
            for name, value in arguments.items()
            if value is not None or name in needed or _takes_null(known.get(name))
        }


def _takes_null(schema: JsonValue) -> bool:
    return not isinstance(schema, dict) or fits(None, schema)


def _message(found: list[Misfit], values: JsonObject) -> str:
    lines = [
        f"argument `{shorten(misfit.place, limit_chars=NAME_LIMIT_CHARS)}`: {misfit.problem}"
        f"{_got(misfit, values)}"
        for misfit in found
    ]
    return shorten("; ".join(lines), limit_chars=MESSAGE_LIMIT_CHARS)


def _got(misfit: Misfit, values: JsonObject) -> str:
    return f", got {shown(values[misfit.place])}" if misfit.place in values else ""
