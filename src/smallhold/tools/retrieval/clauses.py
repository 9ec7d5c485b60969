"""One message, several wishes: this file holds its division into clauses."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

CLAUSES_MAX: Final = 12
"""Each costs an embedding; of longer messages, neighbouring sentences are taken together."""
TEXT_MAX_CHARS: Final = 8000
"""Of a longer message only the beginning and the end are searched, where requests stand; what lies
between is most often a pasted document."""

_END: Final = re.compile(r"(?<=[.?!;])\s+|(?<=[。？！；])|\n+")  # noqa: RUF001 - full-width marks
_WORD: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W_]+")
"""Chinese and Japanese put no spaces, so each of their characters counts as a word."""
_ALONE_WORDS: Final = 2
"""A shorter sentence, such as "Dr." or "Thanks.", goes with its neighbour."""


def clauses(text: str) -> tuple[str, ...]:
    """Split a message at the ends of its sentences; at least one clause, at most `CLAUSES_MAX`.

    Not at "and": that splits the arguments of one wish. Source: docs/tool-retrieval.md.
    """
    found: list[str] = []
    for sentence in filter(None, map(str.strip, _END.split(_shortened(text)))):
        opens_short = len(found) == 1 and _is_short(found[0])
        if found and (opens_short or _is_short(sentence)):
            found[-1] = f"{found[-1]} {sentence}"
        else:
            found.append(sentence)
    return tuple(_grouped(found or [""]))


def _is_short(sentence: str) -> bool:
    return len(_WORD.findall(sentence)) < _ALONE_WORDS


def _shortened(text: str) -> str:
    if len(text) <= TEXT_MAX_CHARS:
        return text
    half = TEXT_MAX_CHARS // 2
    return f"{text[:half]}\n{text[-half:]}"


def _grouped(sentences: Sequence[str]) -> list[str]:
    size = -(-len(sentences) // CLAUSES_MAX)
    return [" ".join(sentences[start : start + size]) for start in range(0, len(sentences), size)]
