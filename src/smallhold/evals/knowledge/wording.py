"""What is compared of texts from different parsers: this file holds their plain wording."""

from __future__ import annotations

import re
from typing import Final

_WORD: Final = re.compile(r"\w+")
_NUMBER: Final = re.compile(r"(?:(?:chapter|appendix|part)\s+)?[0-9a-z]{1,4}\.(?:\d+\.)*\s+")


def plain_words(text: str) -> str:
    """Leave only the words, in lower case and with one space between.

    Quotation marks, marks of code and the borders of tables, which each parser writes in its own
    way, do not count.
    """
    return " ".join(_WORD.findall(text.casefold()))


def plain_heading(heading: str) -> str:
    """Leave only the words of a heading, without the number of its chapter, such as `8.1.4.`."""
    folded = " ".join(heading.split()).casefold()
    return plain_words(_NUMBER.sub("", folded, count=1) if _NUMBER.match(folded) else folded)


def has_phrase(text: str, *, phrase: str) -> bool:
    """Whether a text holds the words of a phrase in a row; whole words only."""
    return f" {plain_words(phrase)} " in f" {plain_words(text)} "
