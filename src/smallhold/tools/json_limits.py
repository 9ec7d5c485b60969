"""How much a model may write into one call: this file holds the limits of JSON values."""

from __future__ import annotations

import json
from typing import Final

from smallhold.messages import JsonValue

JSON_LIMIT_CHARS: Final = 200_000
"""Longest value as JSON: twice the longest message that an agent takes, and far more than a small
model writes."""
JSON_LIMIT_DEPTH: Final = 64
"""Deepest nesting, the same as a schema's: no tool takes more, and Python's stack has an end."""


def json_problem(value: JsonValue) -> str | None:
    """Say why a value cannot be handed on as JSON, or `None`.

    Args:
        value: What a model wrote, as parsed JSON.
    """
    if is_too_deep(value):
        return f"is nested more than {JSON_LIMIT_DEPTH} deep"
    try:
        text = json.dumps(value, ensure_ascii=False)
        text.encode()
    except UnicodeEncodeError:
        return "holds half of a character (a lone surrogate); write it whole"
    except ValueError:  # an integer of thousands of digits
        return "holds a number that is too long"
    if len(text) > JSON_LIMIT_CHARS:
        return f"is too long ({len(text):,} characters; at most {JSON_LIMIT_CHARS:,})"
    return None


def is_too_deep(value: JsonValue) -> bool:
    """Whether lists and objects are nested deeper than `JSON_LIMIT_DEPTH`."""
    level = [value]
    for _ in range(JSON_LIMIT_DEPTH + 1):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return False
    return True


def _inside(value: JsonValue) -> list[JsonValue]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
