"""Calls as Python writes them, such as `f(a=1)`: this file holds their reading."""

from __future__ import annotations

import re
from typing import Final

from smallhold.agents.text_calls.calls import Found, Look, Match, Offered, TextCall
from smallhold.agents.text_calls.loose_values import Unfinished, Unreadable, read_keywords
from smallhold.agents.text_calls.meant_names import meant_name
from smallhold.messages import JsonObject

NAME: Final = re.compile(r"[A-Za-z_][\w.-]{0,127}")
"""What may be a tool's name, a namespace before it included."""
_PRINT: Final = "print"
"""Gemma writes `print(f(a=1))`."""


def read_python_calls(text: str, start: int, offered: Offered) -> Match:
    """Read `[f(a=1), g(b="x")]`, which Llama 3.2, Gemma and LFM2 write.

    Args:
        text: The reply so far.
        start: Where the opening bracket stands.
        offered: The tools there are.
    """
    calls: list[TextCall] = []
    at = skip_space(text, start + 1)
    while at < len(text) and text[at] != "]":
        match = read_python_call(text, at, offered, takes_unknown=False)
        if not isinstance(match, Found):
            return match
        calls += match.calls
        at = skip_space(text, match.end)
        if text[at : at + 1] == ",":
            at = skip_space(text, at + 1)
        elif at < len(text) and text[at] != "]":
            return Look.NOTHING
    if at >= len(text):
        return Look.MORE
    return Found(calls=tuple(calls), end=at + 1)


def read_python_call(text: str, start: int, offered: Offered, *, takes_unknown: bool) -> Match:
    """Read `f(a=1)`.

    Args:
        text: The reply so far.
        start: Where the name begins.
        offered: The tools there are.
        takes_unknown: Whether a name that no tool has makes a call too.
    """
    word = NAME.match(text, start)
    if word is None:
        return Look.NOTHING
    written = word.group()
    if word.end() == len(text):
        is_possible = takes_unknown or any(name.startswith(written) for name in offered.names)
        return Look.MORE if is_possible else Look.NOTHING
    name = meant_name(written, offered.names)
    if text[word.end()] != "(" or (name is None and not takes_unknown):
        return Look.NOTHING
    if name is None and written == _PRINT:
        return _inside_print(text, word.end() + 1, offered)
    return _with_arguments(text, word.end() + 1, name or written, offered)


def is_begun_python_call(text: str, start: int, offered: Offered) -> bool:
    """Tell whether text that was cut off was going to be calls of offered tools."""
    word = NAME.match(text, skip_space(text, start + (text[start] == "[")))
    if word is None or text[word.end() : word.end() + 1] != "(":
        return False
    return meant_name(word.group(), offered.names) is not None


def _with_arguments(text: str, start: int, name: str, offered: Offered) -> Match:
    reading = read_keywords(text, start)
    if isinstance(reading, Unfinished):
        return Look.MORE
    if isinstance(reading, Unreadable) or not isinstance(reading.value, dict):
        return Look.NOTHING
    arguments = _with_names(reading.value, offered.parameters(name))
    return Found(calls=(TextCall(name=name, arguments=arguments),), end=reading.end)


def _inside_print(text: str, start: int, offered: Offered) -> Match:
    match = read_python_call(text, skip_space(text, start), offered, takes_unknown=True)
    if not isinstance(match, Found):
        return match
    end = skip_space(text, match.end)
    if end >= len(text):
        return Look.MORE
    return Found(calls=match.calls, end=end + 1) if text[end] == ")" else Look.NOTHING


def _with_names(arguments: JsonObject, parameters: tuple[str, ...]) -> JsonObject:
    """Name the arguments that were given by their place."""
    names = [
        parameters[int(key)] if key.isdecimal() and int(key) < len(parameters) else key
        for key in arguments
    ]
    if len(set(names)) < len(names):
        return arguments
    return dict(zip(names, arguments.values(), strict=True))


def skip_space(text: str, at: int) -> int:
    """Give the next place that is no white space."""
    while at < len(text) and text[at].isspace():
        at += 1
    return at
