"""From letters to plain values: this file holds the reading of one string, number or literal."""

from __future__ import annotations

import json
import math
import re
from typing import Final

from smallhold.messages import JsonValue

LITERALS: Final[dict[str, JsonValue]] = {
    "true": True,
    "false": False,
    "null": None,
    "True": True,
    "False": False,
    "None": None,
}
"""JSON's and Python's."""
_ESCAPED: Final = re.compile(r"\\(?:u([0-9a-fA-F]{4})|([\s\S]))")
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "\n": ""}
_LONGEST_NUMBER_CHARS: Final = 300
"""Longer ones are no quantity, and Python refuses to read some of them."""


def begins_literal(word: str) -> bool:
    """Tell whether a word may become a literal."""
    return any(literal.startswith(word) for literal in LITERALS)


def number_of(text: str) -> int | float | None:
    """Read a number; `None` where it is none that a tool could take."""
    if len(text) > _LONGEST_NUMBER_CHARS:
        return None
    try:
        if text.lstrip("+-").isdecimal():
            return int(text)
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def unescaped(text: str) -> str:
    """Read what stands between a string's quotation marks."""
    if "\\" not in text:
        return text
    try:
        # Strict JSON first: it knows of surrogate pairs.
        read: object = json.loads(f'"{text}"', strict=False)
    except ValueError:
        return _ESCAPED.sub(_one_escape, text)
    return _encodable(str(read))


def _one_escape(found: re.Match[str]) -> str:
    code, letter = found.group(1), found.group(2)
    return _encodable(chr(int(code, 16))) if code else _ESCAPES.get(letter, letter)


def _encodable(text: str) -> str:
    """Replace halves of surrogate pairs, which no text can hold."""
    return text.encode("utf-8", "replace").decode()
