"""What JSON Schema calls a value: this file holds the kinds of parsed JSON."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from smallhold.messages import JsonValue

_KINDS: Final[Mapping[type, tuple[str, ...]]] = MappingProxyType({
    type(None): ("null",),
    bool: ("boolean",),
    int: ("integer", "number"),
    float: ("number",),
    str: ("string",),
    list: ("array",),
    dict: ("object",),
})
_WHOLE: Final = ("number", "integer")


def kinds_of(value: JsonValue) -> tuple[str, ...]:
    """Name the types that a value is of; 3.0 is a whole number.

    Source: JSON Schema draft 2020-12, core, section 4.2.1 and validation, section 6.1.1.
    """
    if isinstance(value, float) and value.is_integer():
        return _WHOLE
    return _KINDS[type(value)]
