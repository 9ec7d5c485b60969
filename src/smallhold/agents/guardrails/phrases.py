"""How texts try to take an agent over: this file holds the reading of the list of such phrases.

The list itself is `phrases.toml`, beside this file.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, cached_property
from pathlib import Path
from typing import Final, cast

FILE: Final = Path(__file__).with_name("phrases.toml")


class Family(StrEnum):
    """What a phrase is after."""

    OVERRIDE = "override"
    """Have the agent forget its instructions."""
    DISCLOSURE = "disclosure"
    """Have it tell its instructions."""
    ROLE = "role"
    """Have it play one without rules."""
    MARKUP = "markup"
    """Pretend to be the system, by a chat template's own marks or by characters nobody sees."""
    ADDRESS = "address"
    """In data: speak to the model that reads it. Users may do so and are not checked for it."""


@dataclass(frozen=True)
class Phrase:
    """A row of word lists that follow each other with few words between."""

    family: Family
    language: str
    """ISO 639-1."""
    parts: tuple[tuple[str, ...], ...]
    """Folded words or expressions; a star stands for any ending."""
    gap_words: int
    """Most words between two parts."""

    def is_in(self, folded: str) -> bool:
        """Tell whether a folded text says it."""
        # Substrings first: they are a hundred times faster to look for than the pattern.
        return all(
            any(beginning in folded for beginning in beginnings) for beginnings in self._beginnings
        ) and bool(self.pattern.search(folded))

    @cached_property
    def _beginnings(self) -> tuple[frozenset[str], ...]:
        return tuple(frozenset(_PIECE.findall(word)[0][0] for word in part) for part in self.parts)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The phrase as a regular expression over folded text."""
        lists = [f"(?:{'|'.join(map(_word_pattern, words))})" for words in self.parts]
        if self.language in _UNSPACED:
            return re.compile(_UNSPACED_GAP.join(lists))
        # A word between needs a separator after it, so that there is one way only to match it.
        gap = rf"{_GAP}(?:[^\W_]{{1,20}}[\W_]{{1,8}}){{0,{self.gap_words}}}"
        return re.compile(rf"(?<!\w){gap.join(lists)}(?!\w)")


_PIECE: Final = re.compile(r"([^\W_]+)(\*?)")
_UNSPACED: Final = frozenset({"zh", "ja", "ko"})
_GAP: Final = r"[\W_]{0,8}"
_UNSPACED_GAP: Final = r".{0,8}?"


def _word_pattern(word: str) -> str:
    """Write a word as a pattern; between its pieces anything but letters may stand, or nothing."""
    pieces = (letters + r"\w*" * bool(star) for letters, star in _PIECE.findall(word))
    return r"[\W_]{0,4}".join(pieces)


@cache
def phrases() -> tuple[Phrase, ...]:
    """Read the list; it is kept in memory."""
    data = tomllib.loads(FILE.read_text(encoding="utf-8"))
    lists = cast("dict[str, list[str]]", data["lists"])
    return tuple(
        Phrase(
            family=Family(row["family"]),
            language=row["language"],
            parts=tuple(
                tuple(lists[part] if isinstance(part, str) else part) for part in row["parts"]
            ),
            gap_words=row["gap_words"],
        )
        for row in data["phrase"]
    )
