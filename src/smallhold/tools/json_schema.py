"""Schemas short enough for a small model: this file holds the compaction of JSON Schemas.

Every keyword is paid for in prompt tokens on every turn and must be expressible as a grammar, so
what neither guides the model nor can be enforced while decoding is dropped. Dropped refinements
(uniqueness, formats outside the standard) still hold: validation checks them afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaWarningKind

from smallhold.exceptions import UnsupportedSchemaError
from smallhold.messages import JsonObject, JsonValue

_DROPPED = frozenset({
    "title", "$defs", "discriminator", "uniqueItems", "propertyNames", "readOnly", "writeOnly",
    "contentMediaType", "contentEncoding",
})  # fmt: skip
"""Not instructive for a model, or not enforceable. Source: llguidance 1.9.1 refuses a grammar with
`uniqueItems` or `propertyNames`."""

_FORMATS = frozenset({
    "date-time", "date", "time", "duration", "email", "hostname", "ipv4", "ipv6", "uri", "uuid",
})  # fmt: skip
"""Formats that can be enforced. Source: JSON Schema draft 2020-12 validation, section 7.3, and
llguidance 1.9.1, which refuses a grammar with a format it does not know."""

_FIRST = ("type", "description")
"""Keywords in the order of the schemas that models were trained on. Source: the OpenAI API
reference, whose examples open so."""

_SCHEMA_MAPS = frozenset({"properties", "patternProperties", "dependentSchemas"})
_SCHEMA_LISTS = frozenset({"anyOf", "allOf", "oneOf", "prefixItems"})
_SCHEMAS = frozenset({"items", "additionalProperties", "contains", "not", "if", "then", "else"})
_PYTHON_BOUNDS = frozenset({"ge", "gt", "le", "lt", "multiple_of"})
"""Bounds that pydantic leaves in a schema under their Python names when the type has no such
bound; every value would then fail while it is checked."""
_NULL: JsonObject = {"type": "null"}
_REFERENCE_PREFIX = "#/$defs/"
_NO_END = (
    "it contains itself, so it has no end; write the levels that are needed as types of their own"
)


class SchemaWriter(GenerateJsonSchema):
    """Leaves out a default that is no JSON, without a warning: the function still applies it."""

    ignored_warning_kinds: set[JsonSchemaWarningKind] = {  # noqa: RUF012 - as pydantic declares it
        "non-serializable-default",
        "skipped-choice",
    }


def compact_schema(schema: JsonObject, *, definitions: Mapping[str, JsonValue]) -> JsonObject:
    """Write a schema out without references, titles and other words a model does not need.

    Objects are closed with `additionalProperties: false`; a property whose default is null loses
    both the default and the null, since leaving it out says the same.

    Args:
        schema: A JSON Schema as pydantic writes it; not changed.
        definitions: What `#/$defs/...` refers to.

    Raises:
        UnsupportedSchemaError: A definition contains itself, or a bound is not one of its type.
    """
    return _compact(schema, definitions, ())


def _compact(
    schema: JsonObject, definitions: Mapping[str, JsonValue], open_names: tuple[str, ...]
) -> JsonObject:
    schema = _without_null_default(schema)
    reference = schema.get("$ref")
    if isinstance(reference, str):
        name = reference.removeprefix(_REFERENCE_PREFIX)
        if name in open_names:
            raise UnsupportedSchemaError(subject=f"The type {name}", detail=_NO_END)
        target = _summarised(_object(definitions[name]))
        siblings = {key: value for key, value in schema.items() if key != "$ref"}
        return _compact(target | siblings, definitions, (*open_names, name))
    if bounds := _PYTHON_BOUNDS & schema.keys():
        raise UnsupportedSchemaError(
            subject="A type", detail=f"it cannot be compared by {', '.join(sorted(bounds))}"
        )
    compact: JsonObject = {}
    for key, value in schema.items():
        if key in _DROPPED or (key == "format" and value not in _FORMATS):
            continue
        if key in _SCHEMA_MAPS:
            compact[key] = {
                name: _compact(_object(part), definitions, open_names)
                for name, part in _object(value).items()
            }
        elif key in _SCHEMA_LISTS:
            parts = cast("list[JsonObject]", value)
            # pydantic writes `oneOf` only for unions told apart by a constant, where it means the
            # same as `anyOf`, which every grammar engine knows.
            plain_key = "anyOf" if key == "oneOf" else key
            compact[plain_key] = [_compact(part, definitions, open_names) for part in parts]
        elif key in _SCHEMAS and isinstance(value, dict):
            compact[key] = _compact(value, definitions, open_names)
        else:
            compact[key] = value
    if "properties" in compact:
        compact["additionalProperties"] = False
    first: JsonObject = {key: compact[key] for key in _FIRST if key in compact}
    return first | compact


def _object(value: JsonValue) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _summarised(definition: JsonObject) -> JsonObject:
    """Keep the first paragraph of a class docstring, which becomes the description."""
    description = definition.get("description")
    if not isinstance(description, str):
        return definition
    paragraph = " ".join(description.strip().split("\n\n", maxsplit=1)[0].split())
    return definition | {"description": paragraph}


def _without_null_default(schema: JsonObject) -> JsonObject:
    if "default" not in schema or schema["default"] is not None:
        return schema
    rest = {key: value for key, value in schema.items() if key != "default"}
    branches = rest.get("anyOf")
    if not isinstance(branches, list):
        return rest
    remaining: list[JsonValue] = [branch for branch in branches if branch != _NULL]
    rest["anyOf"] = remaining
    if len(remaining) > 1:
        return rest
    del rest["anyOf"]
    return _object(remaining[0]) | rest
