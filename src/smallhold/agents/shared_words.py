"""What a message and a tool have in common: this file holds the comparison of their words.

A model of half a billion parameters likes to call whatever it is offered. Whether the message
speaks of what the tool is about says something that its scores do not. Source: `docs/accuracy.md`,
calibration.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

from smallhold.messages import JsonValue, ToolSchema

_STEM_CHARS: Final = 5
"""Words are equal if they begin alike: `booking` and `bookings`, `convert` and `conversion`."""
_MIN_CHARS: Final = 3
_REMEMBERED_TOOLS: Final = 1024
_HUMP: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_WORD: Final = re.compile(r"[^\W_]+")
# fmt: off
_STOP_WORDS: Final = frozenset({
    "the", "and", "for", "with", "from", "that", "this", "what", "how", "are", "you", "can", "have",
    "has", "was", "not", "who", "which", "when", "where", "will", "would", "please", "want", "need",
    "tell", "give", "find", "about", "into", "there", "some", "any", "your", "our", "all", "its",
    "use", "using", "get",
})
# fmt: on


def shared_words(text: str, tool: ToolSchema) -> dict[str, float]:
    """Compare a message's words with a tool's.

    Returns:
        `name_shared`: share of the name's words that the message has; `message_shared`: share of
        the message's words that name or description has; `message_covered`: the same with the
        parameters; `shared`, `described`, `parameters`: logarithms of 1 + how many words they
        share, the description has and the parameters have.
    """
    said = _stems(text)
    name, description, parameters = _tool_stems(
        tool.name, tool.description, _texts(tool.parameters)
    )
    about = name | description
    return {
        "name_shared": len(name & said) / max(1, len(name)),
        "message_shared": len(about & said) / max(1, len(said)),
        "message_covered": len((about | parameters) & said) / max(1, len(said)),
        "shared": math.log1p(len(about & said)),
        "described": math.log1p(len(description)),
        "parameters": math.log1p(len(parameters)),
    }


def mentioned_at(text: str, tool: ToolSchema) -> float:
    """Say how early a message speaks of a tool.

    Returns:
        From 0, with its first word, to 1, not at all; words of the tool's name count for a third,
        those of name and description together for the rest.
    """
    words = [word[:_STEM_CHARS] for word in _WORD.findall(text.casefold())]
    name, description, _ = _tool_stems(tool.name, tool.description, _texts(tool.parameters))
    return (_place_of(name, words) + 2 * _place_of(name | description, words)) / 3


def _place_of(stems: frozenset[str], words: Sequence[str]) -> float:
    places = (index / len(words) for index, word in enumerate(words) if word in stems)
    return next(places, 1.0)


@lru_cache(maxsize=_REMEMBERED_TOOLS)
def _tool_stems(
    name: str, description: str, parameters: str
) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    return _stems(name), _stems(description), _stems(parameters)


def _stems(text: str) -> frozenset[str]:
    words = _WORD.findall(_HUMP.sub(" ", text).casefold())
    return frozenset(
        word[:_STEM_CHARS] for word in words if len(word) >= _MIN_CHARS and word not in _STOP_WORDS
    )


def _texts(schema: JsonValue) -> str:
    """Join all names and texts of a schema."""
    return " ".join(_strings(schema))


def _strings(value: JsonValue) -> Iterator[str]:
    match value:
        case str():
            yield value
        case list():
            for item in value:
                yield from _strings(item)
        case dict():
            for key, inner in value.items():
                yield key
                yield from _strings(inner)
        case _:
            return
