"""From text to what is compared word by word: this file holds terms."""

from __future__ import annotations

import re
import unicodedata
import zlib
from functools import lru_cache
from typing import Final

_WORD: Final = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0eff]|[^\W_]+(?:['\u2019][a-z]{1,2}\b)?"
)
"""Chinese, Japanese and Thai put no spaces, so each of their characters counts as a word."""
_HUMP: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_POSSESSIVE: Final = re.compile(r"['\u2019](?:s|t|d|m|ll|re|ve)?$")
# fmt: off
FILLERS: Final = frozenset({
    "a", "about", "an", "and", "any", "are", "as", "at", "be", "been", "but", "by", "can", "could",
    "did", "do", "does", "for", "from", "get", "had", "has", "have", "how", "i", "if", "in", "into",
    "is", "it", "its", "just", "may", "me", "might", "must", "my", "no", "not", "of", "on", "one",
    "or", "our", "please", "shall", "should", "so", "some", "such", "tell", "than", "that", "the",
    "their", "them", "then", "there", "these", "they", "this", "those", "to", "us", "was", "we",
    "were", "what", "when", "where", "which", "who", "why", "will", "with", "would", "you", "your",
})
# fmt: on
"""English words that are in any text, whatever it is about; they would be a third of the index."""
_STEP: Final = (
    ("ational", "ate"), ("ization", "ize"), ("fulness", "ful"), ("iveness", "ive"),
    ("ousness", "ous"), ("sses", "ss"), ("ations", "ate"), ("ation", "ate"), ("ators", "ate"),
    ("ator", "ate"), ("ments", ""), ("ment", ""), ("ances", ""), ("ance", ""), ("ences", ""),
    ("ence", ""), ("ities", ""), ("ity", ""), ("ings", ""), ("ing", ""), ("edly", ""), ("ied", "y"),
    ("ies", "y"), ("ers", ""), ("er", ""), ("ed", ""), ("es", ""), ("ally", "al"), ("ly", ""),
    ("s", ""), ("e", ""),
)  # fmt: skip
"""English endings and what stands for them, tried in this order."""
_STEM_MIN_CHARS: Final = 3
_SHORT_WORD_CHARS: Final = 3
_REMEMBERED_WORDS: Final = 1 << 16


def terms_of(text: str) -> list[int]:
    """Give the terms of a text in order, without fillers.

    Returns:
        32 bits each, equal for words of one stem. Numbers instead of words need no dictionary; that
        two words of 100,000 share one number happens about once, and costs one rank somewhere.
    """
    found: list[int] = []
    for word in _WORD.findall(unicodedata.normalize("NFKC", _HUMP.sub(" ", text))):
        term = _term(word)
        if term is not None:
            found.append(term)
    return found


def asked_terms(text: str) -> list[int]:
    """Give each term of a question once, in order."""
    return list(dict.fromkeys(terms_of(text)))


@lru_cache(maxsize=_REMEMBERED_WORDS)
def _term(word: str) -> int | None:
    plain = _POSSESSIVE.sub("", word.casefold())
    if not plain or plain in FILLERS:
        return None
    return zlib.crc32(stem(plain).encode("utf-8", "surrogatepass"))


def stem(word: str) -> str:
    """Take a lower-case English word's ending off; short words and numbers stay.

    Source: Harman 1991, "How Effective Is Suffixing?", whose S stemmer this goes beyond by endings
    of Porter 1980; measured in docs/knowledge.md.
    """
    if len(word) <= _SHORT_WORD_CHARS or word.endswith("ss") or not word.isalpha():
        return word
    for ending, replacement in _STEP:
        if word.endswith(ending) and len(word) - len(ending) >= _STEM_MIN_CHARS:
            return _undoubled(word.removesuffix(ending) + replacement)
    return word


def _undoubled(word: str) -> str:
    """Give `stop` for `stopp`, and `stor` for `store`, so that all forms of a word meet."""
    if len(word) > _STEM_MIN_CHARS and word[-1] == word[-2] and word[-1] not in "lsz":
        return word[:-1]
    return word.removesuffix("e") if len(word) > _STEM_MIN_CHARS else word
