"""Regular expressions that mean the same everywhere: this file holds the test for them."""

from __future__ import annotations

import re
from typing import Final

PATTERN_LIMIT_CHARS: Final = 200
_ESCAPE: Final = r"\\[dwsDWS.\\/+*?()\[\]{}|^$-]"
"""A class of characters, or one that would mean something without the stroke."""
_PLAIN: Final = re.compile(
    r"\^?(?:"
    rf"(?:[\w ,:;@%&/=~!<>'\"-]|{_ESCAPE}|\.|\[\^?(?:[^\\\[\]]|{_ESCAPE})+\]|\))"
    r"(?:(?:[*+?]|\{\d{1,3}(?:,\d{0,3})?\})(?![*+?{]))?"
    r"|\((?:\?:|(?!\?))"
    r"|\|"
    r")*\$?",
    re.ASCII,
)


def is_plain_pattern(pattern: str) -> bool:
    """Tell whether all engines read a regular expression alike, and compile it at once.

    Such a pattern has no assertion but at its ends, no lookaround, no reference back, no flags, and
    no repeat of more than three digits. Under others a grammar could not be built, or would allow
    something else than the server does.
    """
    if len(pattern) > PATTERN_LIMIT_CHARS or not _PLAIN.fullmatch(pattern):
        return False
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        return False
    return True
