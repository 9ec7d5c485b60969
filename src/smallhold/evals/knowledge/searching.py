"""Knowledge as it is measured: this file holds the ways of searching it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import PurePath
from types import MappingProxyType
from typing import Final

from smallhold.evals.knowledge.matching import Passage
from smallhold.evals.knowledge.runner import DEPTH, Search
from smallhold.state.knowledge import Hit, Knowledge, Reading


class Mode(StrEnum):
    """A way of searching."""

    BM25 = "bm25"
    """By words alone."""
    EMBEDDINGS = "embeddings"
    """By meaning alone."""
    HYBRID = "hybrid"
    """By both, as agents search."""


READINGS: Final = MappingProxyType({
    Mode.BM25: Reading.WORDS,
    Mode.EMBEDDINGS: Reading.MEANING,
    Mode.HYBRID: Reading.BOTH,
})
"""What `Knowledge` calls each of them."""


def search_by(knowledge: Knowledge, *, mode: Mode) -> Search:
    """Make the search that is measured. It raises as `Knowledge.search`."""

    async def search(question: str) -> Sequence[Passage]:
        hits = await knowledge.search(question, limit=DEPTH, reading=READINGS[mode])
        return [passage_of(hit) for hit in hits]

    return search


def passage_of(hit: Hit) -> Passage:
    """Take from a hit what is compared with the answers."""
    return Passage(page=PurePath(hit.source).name, headings=hit.headings, text=hit.text)
