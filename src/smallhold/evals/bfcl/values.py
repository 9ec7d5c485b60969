"""When an argument's value counts as right: this file holds BFCL's rules for one value.

Source: the AST checker of the Berkeley Function-Calling Leaderboard v4 (Patil et al. 2025, "The
Berkeley Function Calling Leaderboard (BFCL)"), for labels in JSON types.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from smallhold.messages import JsonObject, JsonValue

LEFT_OUT = ""
"""Among the accepted values this says that the argument may be left out."""

_UNCOUNTED = re.compile(r"[ ,./\-_*^]")


class JsonType(StrEnum):
    """The JSON Schema types that the converted data use."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    ARRAY = "array"
    OBJECT = "object"


_PYTHON_TYPE: dict[JsonType, type] = {
    JsonType.STRING: str,
    JsonType.INTEGER: int,
    JsonType.NUMBER: float,
    JsonType.BOOLEAN: bool,
    JsonType.ARRAY: list,
    JsonType.OBJECT: dict,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredType:
    """What a tool's schema says of a parameter; deeper nesting plays no part in the score."""

    outer: JsonType
    item: JsonType | None = None
    """Type of an array's elements, where the schema states it."""


class ValueVerdict(StrEnum):
    """What came of comparing a value with its label."""

    RIGHT = "right"
    WRONG_TYPE = "wrong_type"
    WRONG_VALUE = "wrong_value"


def declared_type(schema: JsonObject) -> DeclaredType:
    """Read a property's schema; a type that is not stated counts as `string`.

    Raises:
        ValueError: The type is not one of `JsonType`.
    """
    outer = JsonType(schema.get("type", JsonType.STRING))
    items = schema.get("items")
    if outer is not JsonType.ARRAY or not isinstance(items, dict):
        return DeclaredType(outer=outer)
    return DeclaredType(outer=outer, item=JsonType(items.get("type", JsonType.STRING)))


def normalise_text(text: str) -> str:
    """Drop what does not count in a string: case, spaces, `, . / - _ * ^`, the kind of quote."""
    return _UNCOUNTED.sub("", text).lower().replace("'", '"')


def judge_value(
    value: JsonValue, *, accepted: Sequence[JsonValue], declared: DeclaredType
) -> ValueVerdict:
    """Compare one argument with the values that its label accepts.

    A label of another type than the declared one (in the original data a variable's name or an
    expression) is compared literally, without the leniency of `normalise_text`.
    """
    value = _widened(value, declared=declared)
    if not _has_accepted_type(value, accepted=accepted, declared=declared):
        return ValueVerdict.WRONG_TYPE
    label_type = _label_type(accepted)
    is_literal = label_type is not None and label_type is not _PYTHON_TYPE[declared.outer]
    is_right = (
        value in accepted if is_literal else _matches(value, accepted=accepted, declared=declared)
    )
    return ValueVerdict.RIGHT if is_right else ValueVerdict.WRONG_VALUE


def _widened(value: JsonValue, *, declared: DeclaredType) -> JsonValue:
    if declared.outer is not JsonType.NUMBER or type(value) is not int:
        return value
    try:
        return float(value)
    except OverflowError:  # an integer beyond the range of floats stays one
        return value


def _label_type(accepted: Sequence[JsonValue]) -> type | None:
    """Type of the first accepted value; `None` where the label only allows leaving it out."""
    first = next((option for option in accepted if option != LEFT_OUT), None)
    return None if first is None else type(first)


def _has_accepted_type(
    value: JsonValue, *, accepted: Sequence[JsonValue], declared: DeclaredType
) -> bool:
    # `type() is`, not isinstance: to Python a bool is an int, to BFCL it is not.
    if type(value) is not _PYTHON_TYPE[declared.outer]:
        return type(value) is _label_type(accepted)
    if declared.item is None or not isinstance(value, list):
        return True
    return any(_has_accepted_items(value, option=option, item=declared.item) for option in accepted)


def _has_accepted_items(value: list[JsonValue], *, option: JsonValue, item: JsonType) -> bool:
    """Does each element have the declared type, or that of the option's own elements?"""
    if not isinstance(option, list):
        return True
    declared = DeclaredType(outer=item)
    return all(_has_accepted_type(element, accepted=option, declared=declared) for element in value)


def _matches(value: JsonValue, *, accepted: Sequence[JsonValue], declared: DeclaredType) -> bool:
    match value:
        case str():
            return _counted(value) in [_counted(option) for option in accepted]
        case list():
            return any(
                _list_matches(value, option=option, declared=declared) for option in accepted
            )
        case dict():
            return any(_object_matches(value, option=option) for option in accepted)
        case _:
            return value in accepted


def _list_matches(value: list[JsonValue], *, option: JsonValue, declared: DeclaredType) -> bool:
    if declared.item is JsonType.OBJECT:
        return (
            isinstance(option, list)
            and len(option) == len(value)
            and all(
                _object_matches(element, option=wanted)
                for element, wanted in zip(value, option, strict=True)
            )
        )
    if option == LEFT_OUT:
        return not value
    return isinstance(option, list) and _counted_each(value) == _counted_each(option)


def _object_matches(value: JsonValue, *, option: JsonValue) -> bool:
    """Compare an object with one whose values are lists of accepted values."""
    if not isinstance(value, dict) or not isinstance(option, dict):
        return False
    return all(
        key in option and _counted(inner) in _counted_each(option[key])
        for key, inner in value.items()
    ) and all(key in value or _may_be_left_out(choices) for key, choices in option.items())


def _may_be_left_out(choices: JsonValue) -> bool:
    return isinstance(choices, list) and LEFT_OUT in choices


def _counted_each(values: JsonValue) -> list[JsonValue]:
    return [_counted(value) for value in values] if isinstance(values, list) else []


def _counted(value: JsonValue) -> JsonValue:
    return normalise_text(value) if isinstance(value, str) else value
