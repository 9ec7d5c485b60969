"""What tools of a server are called in a prompt: this file holds usable, unique, lasting names."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from smallhold.tools.definition import usable_name

NAME_LIMIT_CHARS: Final = 64
"""Source: the OpenAI API reference, `function.name`."""
_MARK_DIGITS: Final = 6


def tool_names(names: Sequence[str], *, prefix: str) -> Mapping[str, str]:
    """Give each of a server's names a usable one, no two the same.

    A name that is usable already stays as it is. One that had to be rewritten into a name that
    another tool has is told apart by a mark made of its own letters, so a name never depends on
    the order of tools, nor on which others there are as long as none comes to look alike.

    Args:
        names: The server's own names, all different.
        prefix: Put before each.

    Returns:
        The usable names by the server's.
    """
    wished = {name: usable_name(f"{prefix}{name}") for name in names}
    owners = {wish: name for name, wish in wished.items() if wish == f"{prefix}{name}"}
    counts: dict[str, int] = {}
    for wish in wished.values():
        counts[wish] = counts.get(wish, 0) + 1
    given = {
        name: wish if counts[wish] == 1 or owners.get(wish) == name else _marked(wish, name)
        for name, wish in wished.items()
    }
    return MappingProxyType(given)


def _marked(wish: str, name: str) -> str:
    mark = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:_MARK_DIGITS]
    return f"{wish[: NAME_LIMIT_CHARS - _MARK_DIGITS - 1].rstrip('_-')}_{mark}"
