"""Did the user say so: this file holds the check for invented identifiers.

A small model that needs a phone number and has none invents one. Numbers of orders, telephones and
accounts, and e-mail addresses, are never composed: they stand in the conversation or are made up.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from smallhold.messages import JsonObject, JsonValue

_MIN_IDENTIFIER_DIGITS: Final = 4
"""Shorter numbers are quantities, which users also write as words."""
_SEPARATORS: Final = re.compile(r"[\s()./+#-]")
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_DATE_OR_TIME: Final = re.compile(r"\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[:.]\d{2}|\d{1,2}/\d{1,2}/\d{2,4}")


def ungrounded_arguments(arguments: JsonObject, texts: Iterable[str]) -> tuple[str, ...]:
    """Name the arguments that hold an identifier which no text contains.

    Args:
        arguments: A call's arguments.
        texts: What the conversation says: the user's messages, tools' results, instructions.
    """
    # One by one: the end of a text and the beginning of the next make no number.
    known = [_squeeze(text) for text in texts]
    return tuple(
        name
        for name, value in arguments.items()
        if any(
            not any(_squeeze(identifier) in said for said in known)
            for identifier in _identifiers(value)
        )
    )


def _identifiers(value: JsonValue) -> Iterator[str]:
    match value:
        case str() if is_identifier(value):
            yield value
        case list():
            for item in value:
                yield from _identifiers(item)
        case dict():
            for item in value.values():
                yield from _identifiers(item)
        case _:
            return


def is_identifier(text: str) -> bool:
    """Tell whether a text is a number or address that stands for one thing, never composed."""
    if _EMAIL.fullmatch(text.strip()):
        return True
    if _DATE_OR_TIME.search(text):
        return False
    bare = _SEPARATORS.sub("", text)
    return bare.isdecimal() and len(bare) >= _MIN_IDENTIFIER_DIGITS


def _squeeze(text: str) -> str:
    return _SEPARATORS.sub("", text).casefold()
