"""Which language a text is in: this file holds a cheap test that rather says nothing than errs."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

FILE: Final = Path(__file__).with_name("language_words.toml")
MIN_HITS: Final = 3
"""Frequent words that a text must have: two languages share up to two in short sentences."""
_LEAD: Final = 2
"""How many times more hits than the runner-up the language must have."""
_SCRIPT_RATIO: Final = 0.5
_WORD: Final = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_SCRIPTS: Final = {
    "CYRILLIC": "ru", "ARABIC": "ar", "HEBREW": "he", "GREEK": "el", "DEVANAGARI": "hi",
    "THAI": "th", "HANGUL": "ko", "HIRAGANA": "ja", "KATAKANA": "ja", "CJK": "zh",
    "LATIN": "latin",
}  # fmt: skip
"""The language that a script mostly writes; for the test only scripts must be told apart."""


def detect_language(text: str) -> str | None:
    """Name a text's language by its script, and Latin ones by their most frequent words.

    Returns:
        An ISO 639-1 code; for a script that several languages share, one of them stands for all.
        `None` where the text is too short or mixed to tell.
    """
    script = _script(text)
    if script != "latin":
        return script
    hits = Counter(
        language
        for word in _WORD.findall(unicodedata.normalize("NFC", text).casefold())
        for language in _frequent().get(word.replace("\u2019", "'"), ())
    )
    ranked = hits.most_common(2)
    if not ranked or ranked[0][1] < MIN_HITS:
        return None
    runner_up = ranked[1][1] if len(ranked) > 1 else 0
    return ranked[0][0] if ranked[0][1] >= _LEAD * runner_up else None


def named_languages(text: str) -> frozenset[str]:
    """List the languages that a text names; `other` is any that cannot be told."""
    words = set(_WORD.findall(unicodedata.normalize("NFC", text).casefold()))
    return frozenset(
        language for language, names in _data()["named"].items() if words & set(names.split())
    )


def _script(text: str) -> str | None:
    """Give the language of the script of most letters; Japanese if there is any kana."""
    counts = Counter(
        _SCRIPTS.get(unicodedata.name(character, "").split(" ")[0].split("-")[0], "")
        for character in text
        if character.isalpha()
    )
    letters = sum(counts.values())
    if not letters:
        return None
    if counts["ja"]:
        counts["ja"] += counts.pop("zh", 0)
    script, count = counts.most_common(1)[0]
    return script if script and count > _SCRIPT_RATIO * letters else None


@cache
def _data() -> Mapping[str, Any]:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


@cache
def _frequent() -> Mapping[str, tuple[str, ...]]:
    """Give for each word the languages in which it is frequent."""
    words: dict[str, tuple[str, ...]] = {}
    for language, row in _data()["frequent"].items():
        for word in set(row.split()):
            words[word] = (*words.get(word, ()), language)
    return words
