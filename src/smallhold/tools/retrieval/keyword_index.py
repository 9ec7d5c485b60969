"""Which tools share words with a message: this file holds the BM25 index."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from smallhold.tools.retrieval.words import stems

SATURATION: Final = 1.2
"""How soon further occurrences of a word stop counting (`k1`), and ..."""
LENGTH_SHARE: Final = 0.75
"""... how much of a field's length is held against it (`b`). Source of both: Manning, Raghavan and
Schuetze 2008, "Introduction to Information Retrieval", section 11.4.3."""


class _Posting(NamedTuple):
    document: int
    field: int
    occurrences: int


class KeywordIndex:
    """Texts of several fields, found by their words; fields weigh the same.

    Source:
        Robertson, Zaragoza and Taylor 2004, "Simple BM25 Extension to Multiple Weighted Fields",
        section 3; each field's length normalised by its own mean (Zaragoza et al. 2004, TREC-13).
    """

    def __init__(self, *, fields: int) -> None:
        self._postings: defaultdict[str, list[_Posting]] = defaultdict(list)
        self._lengths: list[tuple[int, ...]] = []
        self._totals = [0] * fields

    def __len__(self) -> int:
        """Count the documents."""
        return len(self._lengths)

    def add(self, texts: Sequence[str]) -> None:
        """Add a document, one text for each field; its number is the count of those before it."""
        document = len(self._lengths)
        lengths: list[int] = []
        for field, text in enumerate(texts):
            words = stems(text)
            lengths.append(len(words))
            self._totals[field] += len(words)
            for word, occurrences in Counter(words).items():
                self._postings[word].append(_Posting(document, field, occurrences))
        self._lengths.append(tuple(lengths))

    def coverage(self, text: str) -> list[float]:
        """Give, for each document, how much of the text's weight its words cover, 0 to 1.

        A word weighs its inverse document frequency, an unknown one the most. So a text of which
        the best document has one word in ten gets low numbers, which BM25's own sums do not show.
        """
        covered = [0.0] * len(self)
        whole = 0.0
        # A set has another order in each process, and sums of floats depend on it.
        for word in dict.fromkeys(stems(text)):
            frequencies = self._frequencies(self._postings.get(word, ()))
            weight = self._weight(len(frequencies))
            whole += weight
            for document, frequency in frequencies.items():
                covered[document] += weight * frequency / (SATURATION + frequency)
        return [value / whole for value in covered] if whole else covered

    def _frequencies(self, postings: Iterable[_Posting]) -> dict[int, float]:
        frequencies: defaultdict[int, float] = defaultdict(float)
        for document, field, occurrences in postings:
            mean = self._totals[field] / len(self)
            relative = self._lengths[document][field] / mean
            frequencies[document] += occurrences / (1 - LENGTH_SHARE + LENGTH_SHARE * relative)
        return frequencies

    def _weight(self, found: int) -> float:
        return math.log(1 + (len(self) - found + 0.5) / (found + 0.5))
