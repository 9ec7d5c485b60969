"""Copying rather than composing: this file holds what is done about values that nobody mentioned.

In the development half of BFCL, the right text argument stands in the user's message in more than
nine rows of ten. So a value that a small model composed is suspect: an optional one is left out, a
required number or text is chosen again among what was said, and a list keeps the items that were
mentioned. Everything else stays as decoded. Source: `docs/evaluation.md`, ablation.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from smallhold.agents.mentions import Said, looks_like_date
from smallhold.messages import JsonObject, JsonValue

MAX_SPANS: Final = 300
"""Spans of a message offered for one text argument: four words deep, about 75 words."""
_PLAIN_TEXT_KEYWORDS: Final = frozenset({"type", "description", "default", "title", "examples"})
"""A text schema with any other keyword (`enum`, `format`, `pattern` …) is not free text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """What becomes of decoded arguments."""

    arguments: JsonObject
    """With unmentioned optional values and list items left out."""
    narrowed: JsonObject | None
    """A schema to decode again under, where something must be chosen anew; all that was mentioned
    is fixed in it, so only the choices cost a pass."""
    is_grounded: bool
    """Whether every required value was mentioned."""


def revise(arguments: JsonObject, schema: JsonObject, *, said: Said) -> Revision:
    """Check decoded arguments against what was said.

    Args:
        arguments: Valid under `schema`.
        schema: The tool's parameters.
        said: What the user and earlier tools have said.
    """
    names = _required(schema)
    kept: JsonObject = {}
    choices: JsonObject = {}
    for name, value in arguments.items():
        mentioned = _mentioned_items(value, name=name, said=said)
        options: list[JsonValue] = []
        if not _is_grounded(value, name=name, said=said):
            options = _options(
                value,
                _property(schema, name),
                said=said,
                others=arguments,
                optional=name not in names,
            )
            if name not in names and not options:
                continue
        kept[name] = mentioned
        choices[name] = {"enum": options} if options else {"const": mentioned}
    return Revision(
        arguments=kept,
        narrowed=_object_schema(choices) if _has_choice(choices) else None,
        is_grounded=bool(names)
        and all(
            _is_grounded(value, name=name, said=said)
            for name, value in arguments.items()
            if name in names
        ),
    )


def _required(schema: JsonObject) -> Collection[JsonValue]:
    required = schema.get("required")
    return required if isinstance(required, list) else ()


def _property(schema: JsonObject, name: str) -> JsonObject:
    properties = schema.get("properties")
    found = properties.get(name) if isinstance(properties, dict) else None
    return found if isinstance(found, dict) else {}


def _is_grounded(value: JsonValue, *, name: str, said: Said) -> bool:
    if isinstance(value, str) and looks_like_date(value):
        return True
    return said.mentions(value, name=name)


def _options(
    value: JsonValue, schema: JsonObject, *, said: Said, others: JsonObject, optional: bool
) -> list[JsonValue]:
    """List what an unmentioned value may be replaced by; empty where it cannot be copied."""
    if isinstance(value, bool):
        return []
    if isinstance(value, int | float):
        return [number for number in _free_numbers(said, others) if _allows(schema, number)]
    if isinstance(value, str) and not optional and schema.keys() <= _PLAIN_TEXT_KEYWORDS:
        return list(said.spans()[:MAX_SPANS])
    return []


def _free_numbers(said: Said, others: JsonObject) -> list[int | float]:
    """List the mentioned numbers that no argument has taken, whole ones as integers."""
    taken = {value for value in others.values() if isinstance(value, int | float)}
    free = dict.fromkeys(number for number in said.numbers if number not in taken)
    return [int(number) if number.is_integer() else number for number in free]


def _allows(schema: JsonObject, number: float) -> bool:
    if schema.get("type") == "integer" and not float(number).is_integer():
        return False
    if schema.keys() & {"enum", "const", "multipleOf"}:
        return False
    low, high = schema.get("minimum"), schema.get("maximum")
    above = not isinstance(low, int | float) or number >= low
    return above and (not isinstance(high, int | float) or number <= high)


def _mentioned_items(value: JsonValue, *, name: str, said: Said) -> JsonValue:
    """Drop invented items of a list of texts; one that is all invention is kept as it is."""
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        return value
    kept = [item for item in value if said.mentions(item, name=name)]
    return kept or value


def _has_choice(choices: JsonObject) -> bool:
    return any(isinstance(choice, dict) and "enum" in choice for choice in choices.values())


def _object_schema(properties: JsonObject) -> JsonObject:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
