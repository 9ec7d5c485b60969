"""From text to the words that are compared: this file holds splitting and stemming."""

from __future__ import annotations

import re
from typing import Final

_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_WORD: Final = re.compile(r"[^\W_]+")
_FILLERS: Final = frozenset([
    "a",
    "an",
    "the",
    "of",
    "for",
    "to",
    "in",
    "on",
    "at",
    "by",
    "with",
    "and",
    "or",
    "is",
    "are",
    "be",
    "it",
    "its",
    "this",
    "that",
    "i",
    "me",
    "my",
    "we",
    "our",
    "us",
    "you",
    "your",
    "please",
    "can",
    "could",
    "would",
    "will",
    "need",
    "want",
    "get",
])
"""Words that are in any request, whichever tool it is for."""
_ENDINGS: Final = (
    ("ies", "y"), ("sses", "ss"), ("ing", ""), ("edly", ""), ("ed", ""), ("es", ""), ("s", ""),
    ("ly", ""), ("e", ""),
)  # fmt: skip
"""English endings and what stands for them, in the order in which they are tried. Source: Harman
1991, "How Effective Is Suffixing?", whose S stemmer these go a little beyond."""
_STEM_MIN_CHARS: Final = 3
_SHORT_WORD_CHARS: Final = 4


def name_words(name: str) -> str:
    """Split a tool's or parameter's name at capitals, underscores and dashes; lower case."""
    return " ".join(_WORD.findall(_HUMP.sub(" ", name).casefold()))


def stems(text: str) -> list[str]:
    """Give the stems of a text's words in order, without those that any request has.

    Names in the text, such as `orderStatus`, count as their words.
    """
    return [stem(word) for word in name_words(text).split() if word not in _FILLERS]


def stem(word: str) -> str:
    """Take a lower-case English word's ending off; words of up to four letters stay."""
    if len(word) <= _SHORT_WORD_CHARS or word.endswith("ss"):
        return word
    for ending, replacement in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _STEM_MIN_CHARS:
            return word.removesuffix(ending) + replacement
    return word
