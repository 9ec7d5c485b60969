"""What arguments may look like while they are decoded: this file holds the narrowing of schemas.

Only narrowing: whatever is decoded under the result is valid under the tool's own schema.
"""

from __future__ import annotations

from typing import Final

from smallhold.messages import JsonObject, JsonValue

MAX_DECODED_INTEGER: Final = 10**15
"""A grammar without bounds lets a model write zeros until its token limit. No quantity or price in
a user's sentence is larger, and identifiers are strings."""
_INTEGER_BOUNDS: Final = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")


def bounded_schema(schema: JsonObject) -> JsonObject:
    """Close objects against invented fields and bound integers, at every depth."""
    narrowed: JsonObject = {key: _narrow_value(key, value) for key, value in schema.items()}
    if narrowed.get("type") == "object" and _names_every_field(narrowed):
        narrowed.setdefault("additionalProperties", False)
    if narrowed.get("type") == "integer" and _is_of_everyday_size(narrowed):
        if "exclusiveMinimum" not in narrowed:
            narrowed.setdefault("minimum", -MAX_DECODED_INTEGER)
        if "exclusiveMaximum" not in narrowed:
            narrowed.setdefault("maximum", MAX_DECODED_INTEGER)
    return narrowed


def _is_of_everyday_size(schema: JsonObject) -> bool:
    """Whether the tool itself asks for no larger integers than a model may write."""
    if schema.keys() & {"enum", "const"}:
        return False
    bounds = (schema.get(key) for key in _INTEGER_BOUNDS)
    return all(
        abs(bound) < MAX_DECODED_INTEGER for bound in bounds if isinstance(bound, int | float)
    )


def _names_every_field(schema: JsonObject) -> bool:
    """Whether fields beyond the named ones are invented; a field may be required yet not named."""
    properties, required = schema.get("properties"), schema.get("required", [])
    if not isinstance(properties, dict) or not isinstance(required, list):
        return False
    return all(name in properties for name in required)


def _narrow_value(key: str, value: JsonValue) -> JsonValue:
    # `properties` and definitions map names, which may be keywords, to schemas.
    if key in {"properties", "$defs", "definitions"} and isinstance(value, dict):
        return {
            name: bounded_schema(inner) if isinstance(inner, dict) else inner
            for name, inner in value.items()
        }
    if key in {"items", "additionalProperties"} and isinstance(value, dict):
        return bounded_schema(value)
    # Not `oneOf`: what two branches allowed, one of them narrowed would make valid.
    if key in {"anyOf", "prefixItems"} and isinstance(value, list):
        return [bounded_schema(inner) if isinstance(inner, dict) else inner for inner in value]
    return value
