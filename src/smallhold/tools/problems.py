"""What is wrong with what a model wrote, in words it can act on: this file holds the wording.

A small model repairs a call best from one short line that names the argument, what is allowed and
what it wrote. pydantic's own report is several lines a problem and speaks of Python.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic_core import ErrorDetails

from smallhold.messages import JsonObject, JsonValue

MESSAGE_LIMIT_CHARS = 600
"""Longest message about a failed call: about 150 tokens, under a second of prefill for a 0.5B
model. Source: about 200 tokens/s on two cores, Qwen2.5-Coder-0.5B Q4_K_M."""

_VALUE_LIMIT_CHARS = 60
_EXPECTED_LIMIT_CHARS = 200
NAME_LIMIT_CHARS = 64
_MOST_PROBLEMS = 5
_MOST_ERRORS = 200
"""Errors that are looked at: a list of thousands of wrong items is as wrong as its first ones."""

_EXPECTED = {
    "greater_than": "must be > {gt}",
    "greater_than_equal": "must be >= {ge}",
    "less_than": "must be < {lt}",
    "less_than_equal": "must be <= {le}",
    "multiple_of": "must be a multiple of {multiple_of}",
    "enum": "must be {expected}",
    "literal_error": "must be {expected}",
    "string_pattern_mismatch": "must match the pattern {pattern}",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must have at least {min_length} items",
    "too_long": "must have at most {max_length} items",
    "date_past": "must lie in the past",
    "date_future": "must lie in the future",
    "datetime_past": "must lie in the past",
    "datetime_future": "must lie in the future",
}
"""Wording by pydantic's error type, filled from the error's context.
Source: pydantic documentation, "Validation Errors"."""

_EXPECTED_BY_PREFIX = {
    "missing": "is required but was left out",
    "int_": "must be a whole number",
    "float_": "must be a number",
    "finite_number": "must be a finite number",
    "decimal_": "must be a number",
    "string_": "must be a string",
    "bool_": "must be true or false",
    "date_": "must be a date such as 2030-01-31",
    "datetime_": "must be a date with time such as 2030-01-31T14:30:00Z",
    "timezone_": "must be a date with time such as 2030-01-31T14:30:00Z",
    "time_delta_": "must be a duration such as PT1H30M",
    "time_": "must be a time such as 14:30:00",
    "list_": "must be a list",
    "tuple_": "must be a list",
    "set_": "must be a list",
    "frozen_set_": "must be a list",
    "dict_": "must be an object",
    "mapping_": "must be an object",
    "model_": "must be an object",
    "dataclass_": "must be an object",
    "none_required": "must be null",
    "uuid_": "must be a UUID",
}
"""Wording by the beginning of pydantic's error type; the first that fits is taken, so longer
beginnings stand before shorter ones of the same letters."""

_UNKNOWN_NAME = frozenset({"extra_forbidden", "unexpected_keyword_argument"})


@dataclass(frozen=True, slots=True, kw_only=True)
class InvalidArguments:
    """A model's arguments that a tool cannot take."""

    message: str
    """One line for the model, at most `MESSAGE_LIMIT_CHARS` characters."""


def describe_problems(
    errors: Sequence[ErrorDetails], *, written: JsonValue, schema: JsonObject, noun: str
) -> str:
    """Say in one line what is wrong with what a model wrote.

    Args:
        errors: pydantic's report.
        written: What the model wrote.
        schema: What it should have written; tells the names that exist.
        noun: What a part of it is called, such as `argument`.

    Returns:
        At most `MESSAGE_LIMIT_CHARS` characters.
    """
    expected_by_place: dict[str, list[str]] = {}
    written_by_place: dict[str, str] = {}
    for error in errors[:_MOST_ERRORS]:
        place = _place(error, written)
        wording = _expected(error, schema=schema)
        known = expected_by_place.setdefault(place, [])
        if wording not in known:
            known.append(wording)
        if error["type"] != "missing":
            written_by_place.setdefault(place, f", got {_shown(error['input'])}")
    lines = [
        f"{_subject(place, noun)} {_either(wordings)}{written_by_place.get(place, '')}"
        for place, wordings in expected_by_place.items()
    ]
    hidden = len(lines) - _MOST_PROBLEMS + max(0, len(errors) - _MOST_ERRORS)
    more = [f"and {hidden} more"] if hidden > 0 else []
    return shorten("; ".join(lines[:_MOST_PROBLEMS] + more), limit_chars=MESSAGE_LIMIT_CHARS)


def _subject(place: str, noun: str) -> str:
    return f"{noun} `{place}`:" if place else "the answer"


def _either(wordings: Sequence[str]) -> str:
    return " or ".join(wordings).replace(" or must be ", " or ")


def shorten(text: str, *, limit_chars: int) -> str:
    """Put a text on one line of at most `limit_chars` characters, with `…` where it was cut."""
    line = " ".join(text.split())
    return line if len(line) <= limit_chars else f"{line[: limit_chars - 1]}…"


def _place(error: ErrorDetails, written: JsonValue) -> str:
    """Write an error's location as a path, such as `items[2].name`.

    pydantic's locations also name the branch of a union that was tried; a model knows nothing of
    those, so steps that it did not write are left out, but for the name of what is missing.
    """
    steps = [step for step, exists in _walk(error["loc"], written) if exists]
    if error["type"] == "missing":
        steps.append(error["loc"][-1])
    place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return shorten(place.removeprefix("."), limit_chars=NAME_LIMIT_CHARS)


def _walk(location: Sequence[int | str], value: JsonValue) -> Iterator[tuple[int | str, bool]]:
    """Follow a location through what was written; say of each step whether it is there."""
    for step in location:
        below = _children(value)
        exists = step in below
        value = below[step] if exists else value
        yield step, exists


def _children(value: JsonValue) -> Mapping[int | str, JsonValue]:
    if isinstance(value, dict):
        return {**value}
    return dict(enumerate(value)) if isinstance(value, list) else {}


def _expected(error: ErrorDetails, *, schema: JsonObject) -> str:
    kind = error["type"]
    if kind in _UNKNOWN_NAME:
        known = ", ".join(_names_at(error["loc"][:-1], schema)) or "none"
        return shorten(f"does not exist (known: {known})", limit_chars=_EXPECTED_LIMIT_CHARS)
    context = error.get("ctx", {})
    if kind in _EXPECTED:
        wording = _EXPECTED[kind].format_map(context)
    else:
        wording = next(
            (words for prefix, words in _EXPECTED_BY_PREFIX.items() if kind.startswith(prefix)),
            _plain(error["msg"]),
        )
    return shorten(wording, limit_chars=_EXPECTED_LIMIT_CHARS)


def _names_at(location: Sequence[int | str], schema: JsonObject) -> list[str]:
    """Find the names that an object at a location may have, over all branches of a union."""
    schemas = _alternatives([schema])
    for step in location:
        below = [part for one in schemas for part in _schemas_below(one, step)]
        # A step without schemas below it names the branch of a union.
        schemas = _alternatives(below) or schemas
    return list(dict.fromkeys(name for one in schemas for name in _object(one.get("properties"))))


def _schemas_below(schema: JsonObject, step: int | str) -> list[JsonValue]:
    properties, prefix = _object(schema.get("properties")), schema.get("prefixItems")
    if step in properties:
        return [properties[str(step)]]
    if isinstance(step, str):
        return [schema.get("additionalProperties")]
    if isinstance(prefix, list) and step < len(prefix):
        return [prefix[step]]
    return [schema.get("items")]


def _alternatives(schemas: Sequence[JsonValue]) -> list[JsonObject]:
    found: list[JsonObject] = []
    for schema in schemas:
        branches = _object(schema).get("anyOf")
        if isinstance(branches, list):
            found += _alternatives(branches)
        elif isinstance(schema, dict):
            found.append(schema)
    return found


def _object(value: JsonValue) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _plain(message: str) -> str:
    """Take pydantic's own message, or that of a validator of the tool's author."""
    for prefix in ("Value error, ", "Assertion failed, "):
        message = message.removeprefix(prefix)
    return message.replace("Input should", "must", 1)


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=lambda _: "…")
    return shorten(text, limit_chars=_VALUE_LIMIT_CHARS)
