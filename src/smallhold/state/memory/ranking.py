"""Which facts a message is about: this file holds how they are ranked by words and by meaning.

A fact is one line. No word stands in it twice and none is much longer than another, so of BM25 only
the weight of rare words is left to use. Words count as equal if they begin alike, which serves all
languages with endings.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import Final

from smallhold.state.memory.fact import Fact

MEANING_SHARE: Final = 0.5
"""Weight of the similarity of meaning; the rest is that of shared words. Source:
docs/tool-retrieval.md, where 0.3 to 0.6 differ by about one point."""
STEM_CHARS: Final = 5
"""As many first letters make a word: `allergy` and `allergic` are equal."""
_WORD: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W_]+")
"""Chinese and Japanese put no spaces, so each of their characters counts as a word."""
# fmt: off
_FILLERS: Final = frozenset({
    "a", "an", "and", "any", "are", "at", "be", "can", "could", "do", "does", "for", "from", "get",
    "give", "has", "have", "how", "i", "in", "is", "it", "its", "me", "my", "of", "on", "or",
    "our", "please", "some", "tell", "that", "the", "there", "this", "to", "us", "was", "we",
    "what", "when", "where", "which", "who", "will", "with", "would", "you", "your",
})
# fmt: on
"""English words that are in any request, whatever it is about."""


def words(text: str) -> list[str]:
    """Give a text's words in the form in which they are compared, without those in any request."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return [word[:STEM_CHARS] for word in _WORD.findall(folded) if word not in _FILLERS]


class WordIndex:
    """Lines, found by their words."""

    def __init__(self, lines: Sequence[str]) -> None:
        # No sets to walk through: their order differs between processes, and so would sums.
        self._lines = [frozenset(words(line)) for line in lines]
        counted = Counter(word for line in self._lines for word in line)
        self._weights = {word: self._weight(count) for word, count in counted.items()}

    def coverage(self, text: str) -> list[float]:
        """Give, for each line, how much of the text's weight its words cover, 0 to 1.

        A word weighs its inverse document frequency, an unknown one the most.

        Source:
            Robertson and Zaragoza 2009, "The Probabilistic Relevance Framework: BM25 and Beyond",
            section 3.1, the weight of a term; smoothed so that none is negative.
        """
        asked = list(dict.fromkeys(words(text)))
        weights = [self._weights.get(word, self._weight(0)) for word in asked]
        whole = sum(weights)
        return [
            sum(weight for word, weight in zip(asked, weights, strict=True) if word in line) / whole
            if whole
            else 0.0
            for line in self._lines
        ]

    def _weight(self, count: int) -> float:
        return math.log(1 + (len(self._lines) - count + 0.5) / (count + 0.5))


def relevance(coverage: Sequence[float], similarity: Sequence[float] | None) -> list[float]:
    """Put the two readings of each fact together.

    Args:
        coverage: Of shared words, 0 to 1.
        similarity: Cosine of meanings, -1 to 1; `None` where there is no embedder.

    Returns:
        For each fact 0 to 1.
    """
    if similarity is None:
        return list(coverage)
    return [
        min(1.0, MEANING_SHARE * max(0.0, meaning) + (1 - MEANING_SHARE) * shared)
        for shared, meaning in zip(coverage, similarity, strict=True)
    ]


def ranked(facts: Sequence[Fact], relevances: Sequence[float]) -> list[tuple[Fact, float]]:
    """Order facts by relevance and confidence, the best first; of equal ones the newest.

    Returns:
        Each fact with its relevance times its confidence, 0 to 1.
    """
    scored = [
        (fact, share * fact.confidence_ratio) for fact, share in zip(facts, relevances, strict=True)
    ]
    return sorted(
        scored,
        key=lambda pair: (-pair[1], -pair[0].confidence_ratio, -pair[0].position, pair[0].id),
    )
