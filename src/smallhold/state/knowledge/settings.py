"""How documents are taken in and searched: this file holds the settings of a `Knowledge`."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from smallhold.exceptions import ConfigError
from smallhold.state.knowledge.chunking import ChunkSizes
from smallhold.state.knowledge.parsers.limits import ParsingLimits


class Reading(StrEnum):
    """What of a question is compared with what of a chunk."""

    BOTH = "both"
    WORDS = "words"
    MEANING = "meaning"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnowledgeSettings:
    """Settings that hold for a body of documents.

    Raises:
        ConfigError: A value is out of its range.
    """

    collection: str = "documents"
    """Which of the tenant's bodies of documents; most have one."""
    limits: ParsingLimits = field(default_factory=ParsingLimits)
    sizes: ChunkSizes = field(default_factory=ChunkSizes)
    reading: Reading = Reading.BOTH
    reranked: int = 20
    """How many hits a reranker is given to put in order."""
    recalled: int = 8
    """The most passages that an agent is reminded of."""
    recall_least_score: float = 0.25
    """Passages below are left out: they share too little with what was said. Source:
    docs/knowledge.md, "What an agent is reminded of"."""
    allows_private_addresses: bool = False
    """Also fetch pages from this machine and its local network."""

    def __post_init__(self) -> None:
        """Check ranges."""
        for name, is_usable, remedy in (
            ("collection", bool(self.collection.strip()), "give a name"),
            ("reranked", self.reranked >= 1, "give 1 or more"),
            ("recalled", self.recalled >= 1, "give 1 or more"),
            ("recall_least_score", 0 <= self.recall_least_score <= 1, "give 0 to 1"),
        ):
            if not is_usable:
                raise ConfigError(field=name, value=getattr(self, name), remedy=remedy)
