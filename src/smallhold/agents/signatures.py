"""Tools in few tokens: this file holds the writing of a tool as a signature with its parameters.

A signature says in a line what JSON Schema says in a paragraph. Small models choose and fill from
it as well, and the prompt, which is most of the bill on a CPU, shrinks by half. Source:
`docs/accuracy.md`, prompt forms.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final

from smallhold.messages import JsonObject, JsonValue, ToolSchema

_MAX_DEPTH: Final = 3
"""Objects within objects that are spelled out; deeper ones are written `object`."""
_MAX_ENUM_VALUES: Final = 40
"""A longer list of values is cut with `...`: the grammar still knows all of them."""
_INDENT: Final = "  "


def functions_text(tools: Sequence[ToolSchema]) -> str:
    """Write tools as a block of text, in their order."""
    return "Functions:\n" + "\n".join(signature(tool) for tool in tools)


def signature(tool: ToolSchema) -> str:
    """Write one tool: a line with its parameters' types, then a line for each described one.

    `?` marks what may be left out, `[]` a list, `|` alternatives.
    """
    properties = property_schemas(tool.parameters)
    required = required_names(tool.parameters)
    fields = _fields(properties, required, depth=0)
    head = f"{_line(tool.name)}({fields}) - {_line(tool.description)}"
    return "\n".join([head, *_descriptions(properties, indent=_INDENT)])


def described(tool: ToolSchema, names: Sequence[str]) -> tuple[str, ...]:
    """Give the descriptions of a tool's parameters, or their names where there are none."""
    known = property_schemas(tool.parameters)
    texts: list[str] = []
    for name in names:
        text = known[name].get("description") if name in known else None
        texts.append(str(text).rstrip(".") if text else name)
    return tuple(texts)


def _fields(properties: dict[str, JsonObject], required: Sequence[JsonValue], *, depth: int) -> str:
    return ", ".join(
        f"{_line(name)}{'' if name in required else '?'}: {_type(schema, depth=depth)}"
        for name, schema in properties.items()
    )


def _type(schema: JsonObject, *, depth: int) -> str:
    values = [schema["const"]] if "const" in schema else schema.get("enum")
    if isinstance(values, list):
        shown = [json.dumps(value, ensure_ascii=False) for value in values[:_MAX_ENUM_VALUES]]
        return "|".join(shown + ["..."] * (len(values) > _MAX_ENUM_VALUES))
    branches = schema.get("anyOf", schema.get("oneOf"))
    if isinstance(branches, list):
        texts = [_type(branch, depth=depth) for branch in branches if isinstance(branch, dict)]
        return "|".join(dict.fromkeys(texts))
    names = schema.get("type")
    if isinstance(names, list):
        return "|".join(_type({**schema, "type": name}, depth=depth) for name in names)
    return _plain_type(schema, depth=depth)


def _plain_type(schema: JsonObject, *, depth: int) -> str:
    match schema.get("type"):
        case "array":
            items = schema.get("items")
            return f"{_type(items, depth=depth)}[]" if isinstance(items, dict) else "any[]"
        case "object":
            inner = property_schemas(schema)
            if not inner or depth >= _MAX_DEPTH:
                return "object"
            return f"{{{_fields(inner, required_names(schema), depth=depth + 1)}}}"
        case str() as name:
            return _line(name)
        case _:
            return "any"


def _descriptions(properties: dict[str, JsonObject], *, indent: str) -> Iterator[str]:
    if len(indent) > _MAX_DEPTH * len(_INDENT):
        return
    for name, schema in properties.items():
        inner = list(_descriptions(_inner_properties(schema), indent=indent + _INDENT))
        text = _line(schema.get("description"))
        if text or inner:
            yield f"{indent}{_line(name)}: {text}".rstrip()
            yield from inner


def _inner_properties(schema: JsonObject) -> dict[str, JsonObject]:
    items = schema.get("items")
    return property_schemas(items if isinstance(items, dict) else schema)


def property_schemas(schema: JsonObject) -> dict[str, JsonObject]:
    """Give the schemas of an object's properties by name."""
    found = schema.get("properties")
    if not isinstance(found, dict):
        return {}
    # `true` in a schema's place is one that allows anything.
    return {name: inner if isinstance(inner, dict) else {} for name, inner in found.items()}


def required_names(schema: JsonObject) -> list[JsonValue]:
    """List what an object's schema requires."""
    required = schema.get("required")
    return required if isinstance(required, list) else []


def _line(text: JsonValue) -> str:
    """Write a text in one line, so that nobody's words can pretend to be another tool."""
    return " ".join(text.split()) if isinstance(text, str) else ""
