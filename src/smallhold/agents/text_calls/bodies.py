"""What stands between the marks of a call: this file holds the reading of calls' bodies.

A body is JSON, a call as Python writes it, elements as XML writes them, or a name before JSON.
"""

from __future__ import annotations

import re
from typing import Final

from smallhold.agents.text_calls.calls import BrokenCall, Found, Look, Match, Offered
from smallhold.agents.text_calls.elements import read_elements
from smallhold.agents.text_calls.loose_values import Read, Unfinished, Unreadable, read_value
from smallhold.agents.text_calls.meant_names import meant_name
from smallhold.agents.text_calls.python_calls import (
    NAME,
    read_python_call,
    read_python_calls,
    skip_space,
)
from smallhold.agents.text_calls.shapes import NAME_KEYS, Place, calls_of, text_call
from smallhold.messages import JsonObject

_FENCE: Final = re.compile(r"```[\w-]*[ \t]*\n?")
_ARGS_MARK: Final = re.compile(r"(?:\[CALL_ID\]\w+)?\[ARGS\]")
"""Between name and arguments in Mistral's newer template."""


def read_body(text: str, start: int, offered: Offered) -> Match:
    """Read the calls that follow an opening mark, in a text that is over.

    Args:
        text: The whole reply.
        start: Where the mark ends.
        offered: The tools there are.

    Returns:
        Calls, a broken call, or that the text ended too early.
    """
    place = skip_space(text, start)
    fence = _FENCE.match(text, place)
    if fence is not None:
        place = skip_space(text, fence.end())
    if place >= len(text):
        return Look.MORE
    match = _read(text, place, offered)
    is_call = match is Look.MORE or (isinstance(match, Found) and bool(match.calls))
    return match if is_call else BrokenCall(written=text[start:], is_cut=False)


def read_json(text: str, start: int, offered: Offered, *, place: Place) -> Match:
    """Read calls that are written as JSON, starting with a brace or bracket.

    Whole JSON that is no call gives no calls, and is not to be searched for calls inside it.
    """
    reading = read_value(text, start)
    if isinstance(reading, Unfinished):
        return Look.MORE
    if isinstance(reading, Unreadable):
        return Look.NOTHING
    calls = calls_of(reading.value, offered, place=place)
    return Found(calls=calls or (), end=reading.end)


def is_begun_json_call(text: str, start: int, offered: Offered) -> bool:
    """Tell whether JSON that was cut off was going to be a call of an offered tool."""
    reading = read_value(text, start)
    if not isinstance(reading, Unfinished):
        return False
    value = reading.partial
    if isinstance(value, list):
        value = value[-1] if value else JsonObject()
    return isinstance(value, dict) and _is_begun(value, reading.open_name, offered)


def begun_name(text: str, offered: Offered) -> str | None:
    """Find the offered tool that a broken call names first."""
    for word in NAME.finditer(text):
        if word.group() in offered.names:
            return word.group()
    return None


def _is_begun(value: JsonObject, open_name: str | None, offered: Offered) -> bool:
    if not any(value.values()):
        is_name = bool(open_name) and any(key.startswith(str(open_name)) for key in NAME_KEYS)
        return is_name or any(key in offered.names for key in value)
    name_key = next((key for key in NAME_KEYS if isinstance(value.get(key), str)), None)
    if name_key is None:
        return any(key in offered.names for key in value)
    written = str(value[name_key])
    if open_name == name_key:
        return any(name.startswith(written) for name in offered.names)
    return meant_name(written, offered.names) is not None


def _read(text: str, at: int, offered: Offered) -> Match:
    letter = text[at]
    if letter == "<":
        return read_elements(text, at, offered)
    if letter == "[" and NAME.match(text, skip_space(text, at + 1)):
        return read_python_calls(text, at, offered)
    if letter in "{[":
        return read_json(text, at, offered, place=Place.MARKED)
    return _read_after_name(text, at, offered)


def _read_after_name(text: str, at: int, offered: Offered) -> Match:
    """Read `f(a=1)`, `f{"a": 1}` or `f[ARGS]{"a": 1}`."""
    word = NAME.match(text, at)
    if word is None:
        return Look.NOTHING
    after = skip_space(text, word.end())
    if text[after : after + 1] == "(":
        return read_python_call(text, at, offered, takes_unknown=True)
    mark = _ARGS_MARK.match(text, after)
    reading = read_value(text, after if mark is None else mark.end())
    if isinstance(reading, Read) and isinstance(reading.value, dict):
        name = meant_name(word.group(), offered.names) or word.group()
        return Found(calls=(text_call(name, reading.value),), end=reading.end)
    return Look.MORE if isinstance(reading, Unfinished) else Look.NOTHING
