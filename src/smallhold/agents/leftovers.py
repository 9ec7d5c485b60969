"""What of a message no call has taken up yet: this file holds its reading.

"The price in Berlin and Madrid" wants a second call as long as no call holds Madrid. Names, numbers
and quoted words are what arguments are made of, so those that stand in no argument say how much is
left to do. Source: `docs/accuracy.md`, further calls.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import Final

from smallhold.agents.mentions import EDGE_WORDS, PERCENT
from smallhold.agents.shared_words import shared_words
from smallhold.messages import JsonValue, ToolCall, ToolSchema

_STEM_CHARS: Final = 4
"""As in `mentions`: "bulb" is taken up by "bulbs"."""
_WORD: Final = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|[^\W_]+(?:\.\d+)?")
_SENTENCE_END: Final = re.compile(r"(?<=[.!?])\s+|\n")
_QUOTED: Final = re.compile(
    r"(?<!\w)['\"\u201c\u2018]([^'\"\u201d\u2019\n]{2,60})['\"\u201d\u2019](?!\w)"
)
_JOINTS: Final = frozenset({"and", "also", "then", "plus", "und", "et", "y", "e"})
_CLAUSE_END: Final = re.compile(rf"[.;?!\n]\s|,\s|\b(?:{'|'.join(sorted(_JOINTS))})\b")
_COUNTING: Final = frozenset({
    "both", "each", "respectively", "another", "two", "three", "four", "five", "first", "second",
    "finally", "lastly", "additionally", "beide", "jeweils", "zwei", "drei", "deux", "trois", "dos",
    "tres", "ambos",
})  # fmt: skip
"""Words that tell a message for several calls."""


def leftovers(
    text: str, tools: Sequence[ToolSchema], *, made: Sequence[ToolCall]
) -> dict[str, float]:
    """Say how much of a message is left to do.

    Args:
        text: The message.
        tools: That may be called.
        made: The calls that were decided for it.

    Returns:
        `left`: logarithm of 1 + how many names, numbers and quoted words no call holds;
        `left_share`: their share of all; `joints`: logarithm of 1 + commas, semicolons and words
        for "and"; `counting`: 1 where a word such as "both" or "finally" is there, else 0;
        `tools`: logarithm of the number of tools; `unused`: the most that what is left shares with
        a tool that no call has used.
    """
    said = _salient(text)
    taken = taken_words(made)
    left = said - taken
    words = text.casefold().split()
    used = {call.name for call in made}
    rest = _untaken(text, taken)
    unused = [
        shared_words(rest, tool)["message_covered"] for tool in tools if tool.name not in used
    ]
    return {
        "left": math.log1p(len(left)),
        "left_share": len(left) / max(1, len(said)),
        "joints": math.log1p(sum(word in _JOINTS or word[-1] in ",;" for word in words)),
        "counting": float(any(word.strip(".,;:") in _COUNTING for word in words)),
        "tools": math.log(len(tools)),
        "unused": max(unused, default=0.0),
    }


def may_want_several(text: str) -> bool:
    """Tell whether a message joins what it says with a word such as "and" or "also"."""
    return any(word.strip(".,;:") in _JOINTS for word in text.casefold().split())


def taken_words(made: Sequence[ToolCall]) -> frozenset[str]:
    """Give the words and numbers that calls hold as values, in a form to compare."""
    return frozenset(
        _comparable(word)
        for call in made
        for value in _texts(call.arguments)
        for word in _WORD.findall(value)
    )


def said_words(text: str) -> frozenset[str]:
    """Give the words and numbers of a text, in the form of `taken_words`."""
    return frozenset(map(_comparable, _WORD.findall(text)))


def _untaken(text: str, taken: frozenset[str]) -> str:
    """Join the clauses that say something which no call holds, or nothing that a call could."""
    clauses = [clause for clause in _CLAUSE_END.split(text) if len(clause.split()) > 1]
    # A clause is no sentence: its first word may be a name.
    said = [(clause, _salient(f"x {clause}")) for clause in clauses]
    return " ".join(clause for clause, words in said if not words or words - taken)


def _salient(text: str) -> frozenset[str]:
    """Find numbers, capitalised words within sentences, and quoted words."""
    found: set[str] = set()
    for sentence in _SENTENCE_END.split(text):
        for index, word in enumerate(_WORD.findall(sentence)):
            is_name = index > 0 and word[0].isupper() and word.casefold() not in EDGE_WORDS
            if is_name or word[0].isdigit():
                found.add(word)
    for quoted in _QUOTED.findall(text):
        found.update(_WORD.findall(quoted))
    return frozenset(map(_comparable, found))


def _comparable(word: str) -> str:
    try:
        return repr(float(word.replace(",", "")))
    except ValueError:
        # "Room1" is not "Room2".
        has_digit = any(letter.isdigit() for letter in word)
        return word.casefold() if has_digit else word.casefold()[:_STEM_CHARS]


def _texts(value: JsonValue) -> Iterator[str]:
    match value:
        case dict():
            for inner in value.values():
                yield from _texts(inner)
        case list():
            for inner in value:
                yield from _texts(inner)
        case bool() | None:
            return
        case float() if 0.0 < abs(value) < 1.0:
            # 0.04 takes up "4%" as well.
            yield from (str(value), f"{value * PERCENT:.9g}")
        case _:
            yield str(value)
