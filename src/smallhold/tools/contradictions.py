"""Schemas that no value can satisfy: this file holds the search for what contradicts itself.

A grammar of such a schema allows no token at all, or a model would write until its token limit. So
it is looked for where the schema is made, and named by its place.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from smallhold.messages import JsonObject, JsonValue

_PAIRS: Final = (
    ("minLength", "maxLength"),
    ("minItems", "maxItems"),
    ("minContains", "maxContains"),
    ("minProperties", "maxProperties"),
)
_RANGE: Final = ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum")
_LISTS: Final = ("allOf", "prefixItems")
_SCHEMAS: Final = ("items", "additionalProperties", "contains")
_TYPE_NAMES: Final[Mapping[type, tuple[str, ...]]] = {
    str: ("string",),
    int: ("integer", "number"),
    float: ("number",),
    bool: ("boolean",),
    type(None): ("null",),
    list: ("array",),
    dict: ("object",),
}
"""What JSON Schema calls the types of parsed JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """Why no value can be written, and where."""

    path: str
    """Such as `order.items[].count`; empty at the root."""
    problem: str

    def __str__(self) -> str:
        """Place and problem on one line."""
        return f"`{self.path}`: {self.problem}" if self.path else self.problem


def contradictions(schema: JsonObject, *, path: str = "") -> Iterator[Contradiction]:
    """Find what rules out every value, outermost first.

    Not looked at are patterns, which are left to the grammar, and several parts of `allOf` against
    each other. Of a union it is enough that one branch can be satisfied.

    Args:
        schema: A JSON Schema without references.
        path: Where it stands, for the report.
    """
    for problem in (*_bounds(schema), *_choices(schema), *_names(schema)):
        yield Contradiction(path=path, problem=problem)
    yield from _in_union(schema, path=path)
    for place, part in _parts(schema, path=path):
        yield from contradictions(part, path=place)


def _bounds(schema: JsonObject) -> Iterator[str]:
    for least, most in _PAIRS:
        low, high = _number(schema, least), _number(schema, most)
        if low is not None and high is not None and low > high:
            yield f"`{least}` {low} is above `{most}` {high}"
    low, high = _range(schema)
    if low > high:
        given = [f"`{key}` {_shown(schema[key])}" for key in _RANGE if key in schema]
        what = "no whole number" if schema.get("type") == "integer" else "no number"
        yield f"{' and '.join(given)} leave {what} between them"


def _range(schema: JsonObject) -> tuple[float, float]:
    """Give the closed range of a number; of integers the least and the greatest one in it."""
    is_integer = schema.get("type") == "integer"
    low = max(_or_else(schema, "minimum", -math.inf), _above(schema, is_integer=is_integer))
    high = min(_or_else(schema, "maximum", math.inf), _below(schema, is_integer=is_integer))
    if is_integer:
        low = math.ceil(low) if math.isfinite(low) else low
        high = math.floor(high) if math.isfinite(high) else high
    return low, high


def _above(schema: JsonObject, *, is_integer: bool) -> float:
    bound = _or_else(schema, "exclusiveMinimum", -math.inf)
    if not math.isfinite(bound):
        return bound
    return math.floor(bound) + 1 if is_integer else math.nextafter(bound, math.inf)


def _below(schema: JsonObject, *, is_integer: bool) -> float:
    bound = _or_else(schema, "exclusiveMaximum", math.inf)
    if not math.isfinite(bound):
        return bound
    return math.ceil(bound) - 1 if is_integer else math.nextafter(bound, -math.inf)


def _choices(schema: JsonObject) -> Iterator[str]:
    if schema.get("type") == []:
        yield "`type` allows no type"
    options = schema.get("enum")
    if options == []:
        yield "`enum` has no member"
        return
    if isinstance(options, list) and not any(_satisfies(option, schema) for option in options):
        yield f"no member of `enum` is of its type and within its bounds: {_shown(options)}"
    if "const" not in schema:
        return
    constant = schema["const"]
    if isinstance(options, list) and _shown(constant) not in map(_shown, options):
        yield f"`const` {_shown(constant)} is not in `enum`"
    elif not _satisfies(constant, schema):
        yield f"`const` {_shown(constant)} is not of its type or not within its bounds"


def _satisfies(value: JsonValue, schema: JsonObject) -> bool:
    """Whether a value is of the type and within the bounds that stand beside it."""
    types = schema.get("type")
    allowed = types if isinstance(types, list) else [types]
    if types is not None and not any(_is_of(value, one) for one in allowed):
        return False
    if isinstance(value, str | list):
        unit = "Length" if isinstance(value, str) else "Items"
        least, most = _or_else(schema, f"min{unit}", 0), _or_else(schema, f"max{unit}", math.inf)
        return least <= len(value) <= most
    if value is None or isinstance(value, bool | dict):
        return True
    low, high = _range(schema)
    return low <= value <= high


def _is_of(value: JsonValue, kind: JsonValue) -> bool:
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return kind in _TYPE_NAMES[type(value)]


def _names(schema: JsonObject) -> Iterator[str]:
    required, properties = schema.get("required"), schema.get("properties", {})
    if not isinstance(required, list) or not isinstance(properties, dict):
        return
    if schema.get("additionalProperties") is False and "patternProperties" not in schema:
        for name in required:
            if name not in properties:
                yield f"{_shown(name)} is required, but no such property is allowed"
    most = _number(schema, "maxProperties")
    if most is not None and most < len(required):
        yield f"`maxProperties` {most} is below the {len(required)} required properties"


def _in_union(schema: JsonObject, *, path: str) -> Iterator[Contradiction]:
    for key in ("anyOf", "oneOf"):
        branches = schema.get(key)
        if not isinstance(branches, list):
            continue
        if not branches:
            yield Contradiction(path=path, problem=f"`{key}` has no branch")
        found = [_first(branch, path=path) for branch in branches]
        if branches and all(found):
            yield from (one for one in found if one is not None)


def _first(branch: JsonValue, *, path: str) -> Contradiction | None:
    return next(contradictions(branch, path=path), None) if isinstance(branch, dict) else None


def _parts(schema: JsonObject, *, path: str) -> Iterator[tuple[str, JsonObject]]:
    properties = schema.get("properties")
    for name, part in (properties if isinstance(properties, dict) else {}).items():
        if isinstance(part, dict):
            yield f"{path}.{name}".removeprefix("."), part
    for key in _SCHEMAS:
        part = schema.get(key)
        if isinstance(part, dict):
            yield f"{path}.*" if key == "additionalProperties" else f"{path}[]", part
    for key in _LISTS:
        parts = schema.get(key)
        for position, part in enumerate(parts if isinstance(parts, list) else []):
            if isinstance(part, dict):
                yield f"{path}[{position}]" if key == "prefixItems" else path, part


def _number(schema: JsonObject, key: str) -> float | None:
    value = schema.get(key)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    # Beyond the range of floats a bound rules nothing out that a model would write.
    return value if abs(value) <= sys.float_info.max else None


def _or_else(schema: JsonObject, key: str, default: float) -> float:
    value = _number(schema, key)
    return default if value is None else value


def _shown(value: JsonValue | Sequence[JsonValue]) -> str:
    return json.dumps(value, ensure_ascii=False)
