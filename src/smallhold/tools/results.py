"""What a model reads of a tool's result: this file holds the way from a value to text."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from enum import Enum

from pydantic_core import to_jsonable_python

RESULT_LIMIT_CHARS = 8_000
"""Longest result that a model is given: about 2,000 tokens at 4 characters each, half of the
smallest context window in common use (4,096 tokens)."""

NO_RESULT_TEXT = "ok"
"""What a model reads when a tool returns `None`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableResult:
    """A value that cannot be written as text."""

    type_name: str
    error: Exception


def result_text(value: object) -> str | UnreadableResult:
    """Write a tool's result as text: strings as they are, all else as compact JSON.

    Args:
        value: A string, number, date, enum member, dataclass, pydantic model, or a list or dict
            of these; `None` becomes `NO_RESULT_TEXT`.

    Returns:
        Text of at most `RESULT_LIMIT_CHARS` characters, the mark of a cut included, that can be
        encoded as UTF-8; or what was in the way.
    """
    try:
        text = cut(_text(value), limit_chars=RESULT_LIMIT_CHARS)
    # A result may run code of the tool's author while it is written, so anything can be raised.
    except Exception as error:  # noqa: BLE001 - kept and handed back
        return UnreadableResult(type_name=type(value).__name__, error=error)
    return text.encode("utf-8", "replace").decode("utf-8")


def cut(text: str, *, limit_chars: int) -> str:
    """Cut a text to `limit_chars` characters, a mark that says how much is gone included.

    Args:
        text: Any text.
        limit_chars: At least 100, which leaves room for the mark.
    """
    if len(text) <= limit_chars:
        return text
    # The mark's own length depends on the number in it, so it is measured at its longest.
    kept_chars = limit_chars - len(_mark(len(text)))
    return text[:kept_chars] + _mark(len(text) - kept_chars)


def _mark(left_out_chars: int) -> str:
    return f"\n[cut here: {left_out_chars:,} more characters were left out]"


def _text(value: object) -> str:
    if isinstance(value, Enum):
        return _text(value.value)
    if value is None:
        return NO_RESULT_TEXT
    if isinstance(value, str):
        return value
    if isinstance(value, Iterator | AsyncIterator):
        msg = "an iterator has no end that can be known; return a list"
        raise TypeError(msg)
    jsonable = to_jsonable_python(value)
    if isinstance(jsonable, str):
        return jsonable
    return json.dumps(jsonable, ensure_ascii=False, separators=(",", ":"))
