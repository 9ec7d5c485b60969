"""Which tool is meant: this file holds the correction of tool names.

A wrong correction would run a tool that nobody asked for, so only slips of the pen are mended:
`getWeather` for `get_weather`, or one letter too many. `set_order` for `get_order` is no such slip.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from smallhold.tools.toolset import near_names

_PREFIXES: Final = ("functions.", "function.", "tools.", "tool.", "default_api.", "api.")
"""Namespaces that models put before a name. Source: templates of Llama 3.1, GPT-OSS and Gemma."""
_SHORTEST_SLIP_CHARS: Final = 8
"""In shorter names one letter more or less is often another word."""
_WORD_STARTS: Final = re.compile(r"(?:^|[_\-. ])([^_\-. ])|([a-z0-9])([A-Z])")


def meant_name(written: str, known: Sequence[str]) -> str | None:
    """Give the known name that was certainly meant, or `None`.

    Args:
        written: What the model wrote.
        known: Names of the offered tools.
    """
    name = written.strip().strip("`'\"").removesuffix(".call")
    for candidate in (name, *(name.removeprefix(prefix) for prefix in _PREFIXES)):
        if candidate in known:
            return candidate
    plain = plain_name(name)
    same = [candidate for candidate in known if plain_name(candidate) == plain]
    if same:
        return same[0] if len(same) == 1 else None
    near = near_names(name, known)
    return near[0] if len(near) == 1 and is_slip(name, near[0]) else None


def plain_name(name: str) -> str:
    """Give a name without what models confuse: case, `_`, `-`, `.` and spaces."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def is_slip(written: str, name: str) -> bool:
    """Tell whether a name differs by one letter added, left out or swapped, inside a word."""
    left, right = plain_name(written), plain_name(name)
    if min(len(left), len(right)) < _SHORTEST_SLIP_CHARS or _initials(written) != _initials(name):
        return False
    if abs(len(left) - len(right)) == 1:
        longer, shorter = sorted((left, right), key=len, reverse=True)
        return any(longer[:at] + longer[at + 1 :] == shorter for at in range(len(longer)))
    if len(left) != len(right):
        return False
    return any(
        left[:at] + left[at + 1] + left[at] + left[at + 2 :] == right for at in range(len(left) - 1)
    )


def _initials(name: str) -> str:
    return "".join(
        (found.group(1) or found.group(3)).casefold() for found in _WORD_STARTS.finditer(name)
    )
