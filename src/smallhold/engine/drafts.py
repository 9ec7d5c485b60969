"""Guessing the next tokens: this file holds what the text so far suggests.

Agents copy: names from tools, values from what users say, text from documents. A guess costs
nothing but rows in a pass that is due anyway, and the model decides on each of them. Source:
Saxena 2023, "Prompt Lookup Decoding"; Yang et al. 2023, "Inference with Reference", section 3.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Final, cast

import numpy as np

from smallhold.engine.tokens import Tokens

LONGEST_NGRAM: Final = 4
"""Tokens that must match before a guess; the longest match is taken."""
SHORTEST_NGRAM: Final = 2
MAX_GUESS_CHARS: Final = 48
_OPEN_STRING: Final = re.compile(r'"((?:[^"\\]|\\.)*)$')
_OPEN_NUMBER: Final = re.compile(r"[:\[,] ?(-?\d[\d.]*)$")
_LITERAL_KEYWORDS: Final = frozenset({"enum", "const", "default", "examples"})
_NUMBER_END: Final = re.compile(r"[^\d.]|\.(?!\d)|$")


def copied_tokens(history: Tokens, *, limit: int) -> list[int]:
    """Continue as the text did after the last place that ends like it.

    Args:
        history: int32 [n_tokens], prompt and answer so far.
        limit: Most tokens wanted.
    """
    size = len(history)
    for width in range(LONGEST_NGRAM, SHORTEST_NGRAM - 1, -1):
        if size <= width:
            continue
        windows = np.lib.stride_tricks.sliding_window_view(history[:-1], width)
        places = np.flatnonzero((windows == history[-width:]).all(axis=1))
        if len(places):
            start = int(places[-1]) + width
            return history[start : start + limit].tolist()
    return []


def copied_text(answer: str, sources: Sequence[str]) -> str:
    """Complete a JSON value that has been begun from texts that it may be copied from.

    Args:
        answer: JSON so far.
        sources: What was said, the most likely source first.

    Returns:
        How the value may go on, up to where JSON would close or escape it; empty if nothing fits.
    """
    number = _OPEN_NUMBER.search(answer)
    if number is not None:
        return _rest_of_number(number[1], sources)
    if answer.count('"') % 2 == 0:
        return ""
    string = _OPEN_STRING.search(answer)
    return _rest_of_string(string[1], sources) if string is not None and string[1] else ""


def _rest_of_number(begun: str, sources: Sequence[str]) -> str:
    for source in sources:
        for match in re.finditer(rf"(?<![\d.]){re.escape(begun)}", source):
            end = _NUMBER_END.search(source, match.end())
            if end is not None and end.start() > match.end():
                return source[match.end() : end.start()]
    return ""


def _rest_of_string(begun: str, sources: Sequence[str]) -> str:
    for source in sources:
        at = source.find(begun)
        if at < 0:
            at = source.lower().find(begun.lower())
        if at >= 0:
            after = at + len(begun)
            rest = source[after : after + MAX_GUESS_CHARS]
            return re.split(r"[\"\\\n]", rest, maxsplit=1)[0]
    return ""


def schema_literals(schema: object) -> list[str]:
    """Collect the values that a JSON Schema spells out, since answers repeat them.

    Args:
        schema: JSON Schema, or any value inside one.
    """
    if isinstance(schema, list):
        return [text for item in cast("list[object]", schema) for text in schema_literals(item)]
    if not isinstance(schema, dict):
        return []
    found: list[str] = []
    for key, value in cast("dict[str, object]", schema).items():
        if key in _LITERAL_KEYWORDS:
            values = cast("list[object]", value) if isinstance(value, list) else [value]
            found += [json.dumps(item) for item in values]
        else:
            found += schema_literals(value)
    return found
