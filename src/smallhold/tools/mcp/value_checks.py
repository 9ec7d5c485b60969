"""Whether a value fits a schema: this file holds the check, for arguments and for results.

It reads the small vocabulary that `tool_schemas` writes. Patterns and formats are not looked at:
while a call is decoded the grammar holds to them, and its server checks what it is given. A foreign
pattern run over foreign text can take for ever.
"""

from __future__ import annotations

import json
import math
import operator
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from smallhold.messages import JsonObject, JsonValue
from smallhold.tools.mcp.json_kinds import kinds_of
from smallhold.tools.problems import shorten

_KINDS: Final = {
    "string": "a string",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
    "array": "a list",
    "object": "an object",
}
_SHOWN_LIMIT_CHARS: Final = 60
_OPTIONS_LIMIT_CHARS: Final = 200
_BOUNDS: Final = (
    ("minimum", ">=", operator.ge),
    ("exclusiveMinimum", ">", operator.gt),
    ("maximum", "<=", operator.le),
    ("exclusiveMaximum", "<", operator.lt),
)
_MULTIPLE_TOLERANCE: Final = 1e-9
"""0.3 counts as a multiple of 0.1. Source: far above the error of one division, 2**-52."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Misfit:
    """One place where a value is not as its schema wants it."""

    place: str
    """Such as `order.items[2]`; empty for the value itself."""
    problem: str
    """What it must be, or is not."""


def misfits(value: JsonValue, schema: JsonObject, *, place: str = "") -> Iterator[Misfit]:
    """Find where a value does not fit, outermost first.

    Args:
        value: Parsed JSON.
        schema: As `tool_schemas.usable_schema` writes it.
        place: Where the value stands, for the report.
    """
    branches = schema.get("anyOf")
    if isinstance(branches, list):
        yield from _of_union(value, [_object(branch) for branch in branches], place=place)
        return
    problem = _choice_problem(value, schema) or _kind_problem(value, schema)
    if problem is not None:
        yield Misfit(place=place, problem=problem)
        return
    match value:
        case bool() | None:
            return
        case str():
            found = _length_problem(len(value), schema, suffix="Length", noun="characters")
        case int() | float():
            found = _range_problem(value, schema)
        case list():
            found = _length_problem(len(value), schema, suffix="Items", noun="items")
            yield from _in_list(value, schema, place=place)
        case dict():
            found = None
            yield from _in_object(value, schema, place=place)
    if found is not None:
        yield Misfit(place=place, problem=found)


def fits(value: JsonValue, schema: JsonObject) -> bool:
    """Tell whether a value fits."""
    return next(misfits(value, schema), None) is None


def shown(value: JsonValue) -> str:
    """Write a value for a message, at most 60 characters."""
    return shorten(json.dumps(value, ensure_ascii=False), limit_chars=_SHOWN_LIMIT_CHARS)


def _of_union(value: JsonValue, branches: list[JsonObject], *, place: str) -> Iterator[Misfit]:
    found = [list(misfits(value, branch, place=place)) for branch in branches]
    if not all(found):
        return
    # A value of the right kind was meant for that branch, and its misfit is the telling one.
    deeper = [each for each in found if all(misfit.place != place for misfit in each)]
    if len(deeper) == 1:
        yield from deeper[0]
        return
    wordings = list(dict.fromkeys(each[0].problem for each in found))
    yield Misfit(place=place, problem=" or ".join(wordings).replace(" or must be ", " or "))


def _choice_problem(value: JsonValue, schema: JsonObject) -> str | None:
    if "const" in schema and not _is_same(value, schema["const"]):
        return f"must be {shown(schema['const'])}"
    options = schema.get("enum")
    if isinstance(options, list) and not any(_is_same(value, option) for option in options):
        listing = ", ".join(json.dumps(option, ensure_ascii=False) for option in options)
        return shorten(f"must be one of {listing}", limit_chars=_OPTIONS_LIMIT_CHARS)
    return None


def _kind_problem(value: JsonValue, schema: JsonObject) -> str | None:
    kind = schema.get("type")
    if not isinstance(kind, str) or kind in kinds_of(value):
        return None
    return f"must be {_KINDS.get(kind, kind)}"


def _is_same(value: JsonValue, other: JsonValue) -> bool:
    """Compare as JSON does, where `true` is not 1."""
    if isinstance(value, bool) or isinstance(other, bool):
        return value is other
    if isinstance(value, list) and isinstance(other, list):
        return len(value) == len(other) and all(map(_is_same, value, other))
    if isinstance(value, dict) and isinstance(other, dict):
        return value.keys() == other.keys() and all(_is_same(value[k], other[k]) for k in value)
    return (type(value) is type(other) and value == other) or _is_same_number(value, other)


def _is_same_number(value: JsonValue, other: JsonValue) -> bool:
    return isinstance(value, int | float) and isinstance(other, int | float) and value == other


def _length_problem(length: int, schema: JsonObject, *, suffix: str, noun: str) -> str | None:
    least, most = schema.get(f"min{suffix}"), schema.get(f"max{suffix}")
    if isinstance(least, int | float) and length < least:
        return f"must have at least {least:g} {noun}"
    if isinstance(most, int | float) and length > most:
        return f"must have at most {most:g} {noun}"
    return None


def _range_problem(value: float, schema: JsonObject) -> str | None:
    for key, sign, is_within in _BOUNDS:
        bound = schema.get(key)
        if isinstance(bound, int | float) and not is_within(value, bound):
            return f"must be {sign} {bound:g}"
    step = schema.get("multipleOf")
    if isinstance(step, int | float) and not _is_multiple(value, step):
        return f"must be a multiple of {step:g}"
    return None


def _is_multiple(value: float, step: float) -> bool:
    if isinstance(value, int) and isinstance(step, int):
        return value % step == 0
    if not math.isfinite(value):
        return False
    ratio = value / step
    return math.isinf(ratio) or abs(ratio - round(ratio)) <= _MULTIPLE_TOLERANCE * max(
        1, abs(ratio)
    )


def _in_list(value: list[JsonValue], schema: JsonObject, *, place: str) -> Iterator[Misfit]:
    places = schema.get("prefixItems")
    heads = places if isinstance(places, list) else []
    rest = schema.get("items")
    if rest is False and len(value) > len(heads):
        yield Misfit(place=place, problem=f"must have at most {len(heads)} items")
    for number, item in enumerate(value):
        part = heads[number] if number < len(heads) else rest
        if isinstance(part, dict):
            yield from misfits(item, part, place=f"{place}[{number}]")


def _in_object(value: JsonObject, schema: JsonObject, *, place: str) -> Iterator[Misfit]:
    properties = _object(schema.get("properties"))
    others = schema.get("additionalProperties")
    required = schema.get("required")
    for name in required if isinstance(required, list) else ():
        if isinstance(name, str) and name not in value:
            yield Misfit(place=_inside(place, name), problem="is required but was left out")
    for name, item in value.items():
        if name in properties:
            yield from misfits(item, _object(properties[name]), place=_inside(place, name))
        elif others is False:
            known = ", ".join(properties) or "none"
            problem = shorten(f"does not exist (known: {known})", limit_chars=_OPTIONS_LIMIT_CHARS)
            yield Misfit(place=_inside(place, name), problem=problem)
        elif isinstance(others, dict):
            yield from misfits(item, others, place=_inside(place, name))


def _inside(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _object(value: JsonValue) -> JsonObject:
    return value if isinstance(value, dict) else {}
