"""Which sequence holds which tokens: this file holds the prefix cache.

The cache only decides; the caller moves keys and values as the plan says. Sequences that were
forked share the cells of their common prefix, so keeping an old conversation costs its own tail.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Tokens = NDArray[np.int32]


@dataclass(slots=True)
class _Entry:
    tokens: Tokens
    last_used: int
    is_leased: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Need:
    cells: int
    sequences: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReusePlan:
    """How to get a sequence that holds the longest known prefix of a prompt."""

    target: int
    """Sequence to evaluate the prompt in."""
    source: int | None
    """Sequence to fork from; `None` when `target` itself is cut back to the shared prefix and
    extended, or nothing is shared."""
    shared_tokens: int
    """Length of the prefix that needs no computation."""
    evicted: tuple[int, ...]
    """Sequences to forget first."""


def common_prefix(a: Tokens, b: Tokens) -> int:
    """Count the leading tokens that two sequences share."""
    size = min(len(a), len(b))
    different = np.flatnonzero(a[:size] != b[:size])
    return int(different[0]) if len(different) else size


def unique_cells(sequences: Iterable[Tokens]) -> int:
    """Count the KV cells of sequences that share their common prefixes.

    In lexicographic order the prefix that a sequence shares with any earlier one is the prefix it
    shares with its predecessor, so one pass over neighbours counts each trie node once.
    """
    ordered = sorted(sequences, key=lambda tokens: tokens.astype(">i4").tobytes())
    total = 0
    for index, tokens in enumerate(ordered):
        total += len(tokens) - (common_prefix(ordered[index - 1], tokens) if index else 0)
    return total


@dataclass(slots=True)
class PrefixCache:
    """Remembers the tokens of each sequence and plans reuse, least recently used out first."""

    capacity_tokens: int
    free: list[int]
    """Sequence ids not in use."""
    _entries: dict[int, _Entry] = field(default_factory=dict[int, _Entry])
    _clock: int = 0

    def longest_match(self, prompt: Tokens) -> int:
        """Count how many leading tokens of a prompt are in memory."""
        return max(
            (common_prefix(entry.tokens, prompt) for entry in self._entries.values()), default=0
        )

    def lease(self, prompt: Tokens, *, room_tokens: int) -> ReusePlan:
        """Reserve a sequence for a prompt and what will be generated after it.

        Args:
            prompt: int32 [n_tokens], not empty.
            room_tokens: Cells needed for the prompt and the answer, shared ones included.
        """
        self._clock += 1
        source, shared = self._best(prompt)
        extends = source is not None and shared == len(self._entries[source].tokens)
        need = _Need(cells=room_tokens - shared, sequences=0 if extends else 1)
        evicted = self._evict(need, keep=source)
        if source is not None and (extends or not self._has_room(need)):
            # Nothing is lost by going on in the sequence itself, or its rest has to give way.
            self._entries[source] = _Entry(tokens=prompt[:shared], last_used=self._clock)
            return ReusePlan(target=source, source=None, shared_tokens=shared, evicted=evicted)
        target = self.free.pop()
        self._entries[target] = _Entry(tokens=prompt[:shared], last_used=self._clock)
        if source is not None:
            self._entries[source].last_used = self._clock
        return ReusePlan(target=target, source=source, shared_tokens=shared, evicted=evicted)

    def release(self, sequence: int, tokens: Sequence[int]) -> None:
        """Hand a sequence back with the tokens that its cells hold now."""
        entry = self._entries[sequence]
        entry.tokens = np.asarray(tokens, dtype=np.int32)
        entry.is_leased = False

    def forget(self, sequence: int) -> None:
        """Drop a sequence whose cells are no longer sound."""
        del self._entries[sequence]
        self.free.append(sequence)

    def _best(self, prompt: Tokens) -> tuple[int | None, int]:
        best: int | None = None
        shared = 0
        for sequence, entry in self._entries.items():
            if entry.is_leased:
                continue
            # The last prompt token is computed again, for its logits.
            count = min(common_prefix(entry.tokens, prompt), len(prompt) - 1)
            if count > shared:
                best, shared = sequence, count
        return best, shared

    def _evict(self, need: _Need, *, keep: int | None) -> tuple[int, ...]:
        evicted: list[int] = []
        while not self._has_room(need):
            victims = [
                (entry.last_used, sequence)
                for sequence, entry in self._entries.items()
                if not entry.is_leased and sequence != keep
            ]
            if not victims:
                break
            _, victim = min(victims)
            self.forget(victim)
            evicted.append(victim)
        return tuple(evicted)

    def _has_room(self, need: _Need) -> bool:
        used = unique_cells(entry.tokens for entry in self._entries.values())
        return len(self.free) >= need.sequences and used + need.cells <= self.capacity_tokens
