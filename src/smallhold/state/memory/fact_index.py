"""Facts that can be searched at once: this file holds indexes in memory and the cache of them.

An index is the copy of one moment. It is served only while the subject's revision in the database
is the one it was read at; every change, in whichever process, gives the subject a new revision. So
nothing that was erased elsewhere is ever recalled here.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final
from weakref import WeakSet

from smallhold.state.memory.fact import Fact
from smallhold.state.memory.ranking import WordIndex, ranked, relevance
from smallhold.state.memory.rows import EmbeddedFact
from smallhold.state.memory.vectors import SimilarityTable, Vector, similarity_table

SUBJECTS_KEPT: Final = 64
"""About as many people as talk to one device within an hour; each takes some 100 kB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FactIndex:
    """Facts with what is needed to rank them."""

    facts: tuple[Fact, ...]
    words: WordIndex
    table: SimilarityTable | None
    """Vectors of all facts, of one model; `None` where there is no embedder."""
    model: str | None
    """Fingerprint of that model."""

    def rank(self, text: str, *, vector: Vector | None, now_s: float) -> list[tuple[Fact, float]]:
        """Rank the facts that have not expired, the best first, with their scores, 0 to 1.

        Args:
            text: What is looked for.
            vector: Its meaning, by the index's own model; `None` compares words alone.
            now_s: The time by which facts have expired or not.
        """
        similarity = None
        if vector is not None and self.table is not None:
            similarity = self.table.similarities(vector)
        shares = relevance(self.words.coverage(text), similarity)
        alive = [
            (fact, share)
            for fact, share in zip(self.facts, shares, strict=True)
            if not fact.is_expired(now_s)
        ]
        return ranked([fact for fact, _ in alive], [share for _, share in alive])


def index_of(found: tuple[EmbeddedFact, ...], *, model: str | None) -> FactIndex:
    """Make an index.

    Args:
        found: Facts, in the order of the database.
        model: The model whose vectors are used; facts must all have one of it. `None` for words
            alone.
    """
    facts = tuple(one.fact for one in found)
    vectors = [one.vector.values for one in found if one.vector is not None]
    return FactIndex(
        facts=facts,
        words=WordIndex([fact.line for fact in facts]),
        table=None if model is None else similarity_table(vectors),
        model=model,
    )


class FactIndexes:
    """The indexes of the subjects that were asked for last."""

    def __init__(self, *, kept: int = SUBJECTS_KEPT) -> None:
        self._kept = kept
        self._indexes: OrderedDict[str, tuple[str, FactIndex]] = OrderedDict()
        _OPEN.add(self)

    def __len__(self) -> int:
        """Count the indexes."""
        return len(self._indexes)

    def find(self, key: str, *, revision: str, model: str | None) -> FactIndex | None:
        """Find a subject's index of exactly this revision and model; any other is dropped."""
        known = self._indexes.get(key)
        if known is None:
            return None
        if known[0] != revision or known[1].model != model:
            del self._indexes[key]
            return None
        self._indexes.move_to_end(key)
        return known[1]

    def keep(self, key: str, index: FactIndex, *, revision: str) -> None:
        """Keep a subject's index; the one not asked for the longest goes."""
        self._indexes[key] = (revision, index)
        self._indexes.move_to_end(key)
        while len(self._indexes) > self._kept:
            self._indexes.popitem(last=False)

    def drop(self, key: str) -> bool:
        """Forget a subject's index; tell whether there was one."""
        return self._indexes.pop(key, None) is not None


_OPEN: Final[WeakSet[FactIndexes]] = WeakSet()


def drop_everywhere(key: str) -> int:
    """Forget a subject's indexes in all memories of this process; keys differ between databases.

    Returns:
        How many there were.
    """
    return sum(indexes.drop(key) for indexes in tuple(_OPEN))
