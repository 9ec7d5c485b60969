"""Text that a server wrote and a model will read: this file holds how it is cleaned.

Whoever writes a tool's description writes into the prompt. Nothing can tell a description from an
instruction for sure, so it is kept short, on one line, and free of what could pass for a template's
control tokens or hide from a person who looks at it.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from smallhold.tools.problems import shorten

_HIDDEN: Final = frozenset({"Cc", "Cf", "Co", "Cs"})
"""Unicode categories that show nothing: control, format (zero-width, direction, tags), private use,
surrogates. Source: Unicode Standard Annex 44, table 12."""
_JOINERS: Final = frozenset({"\u200c", "\u200d"})
"""Format characters that words of some languages are written with."""
_CONTROL_TOKEN: Final = re.compile(r"<\|[^|<>]{0,64}\|>|</?tool_(?:call|response)s?>|\[/?INST\]")
"""What chat templates set turns and calls apart with, in the models of the catalog."""
_BREAKS: Final = frozenset("\n\t")


def one_line(text: str, *, limit_chars: int) -> str:
    """Clean a text and put it on one line of at most `limit_chars` characters."""
    return shorten(cleaned(text), limit_chars=limit_chars)


def cleaned(text: str) -> str:
    """Take out what is not shown and what chat templates would read as their own tokens."""
    visible = "".join(
        letter
        for letter in text.replace("\r", "\n")
        if letter in _BREAKS or letter in _JOINERS or unicodedata.category(letter) not in _HIDDEN
    )
    previous = None
    while previous != visible:  # what is left may close up to a new one
        previous, visible = visible, _CONTROL_TOKEN.sub("", visible)
    return visible
