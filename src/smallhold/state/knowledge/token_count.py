"""How long a text is for the model that embeds it: this file holds the counter of tokens."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final, TypeAlias

from smallhold.engine.sentences.wordpiece import english_vocabulary, token_ids

TokenCount: TypeAlias = Callable[[str], int]
"""Counts the tokens of a text; those of texts joined by a space are the sum of their own."""

_WORDS_REMEMBERED: Final = 1 << 16
"""A document repeats its words: the count then takes a tenth of the time."""
_REMEMBERED_CHARS: Final = 32
_ESTIMATED_CHARS: Final = 400
"""A run without a space that is longer than this is data, not language, and is not tokenized."""
_LEAST_CHARS: Final = 8
"""A token counts for at most so many characters. To BERT, a word of 101 letters and a page of a
script without spaces are one unknown token each, but a chunk of them would have no end."""
_WORD: Final = re.compile(r"\S+")


def wordpiece_count(text: str) -> int:
    """Count the tokens of the English BERT family, which MiniLM reads, without the marks around.

    Exact for common text, since no piece reaches across a space; never less than an eighth of the
    characters.
    """
    return sum(
        _remembered(word) if len(word) <= _REMEMBERED_CHARS else _count(word)
        for word in _WORD.findall(text)
    )


def _count(word: str) -> int:
    least = -(-len(word) // _LEAST_CHARS)
    if len(word) > _ESTIMATED_CHARS:
        return 2 * least
    return max(least, len(token_ids(word, vocabulary=english_vocabulary())))


_remembered = lru_cache(maxsize=_WORDS_REMEMBERED)(_count)
