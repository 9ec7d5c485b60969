"""Prompts whose keys and values are kept in memory: this file holds the radix tree over them.

An edge is a run of tokens, and a node carries a segment: the serialised keys and values of some
positions that include the edge's. Prompts that begin alike share the nodes of their beginning, so
an agent's instructions are kept once whatever the number of its sessions. The tree only remembers
and decides; the caller moves the bytes. Source: Zheng et al. 2024, "SGLang: Efficient Execution of
Structured Language Model Programs", section 3.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from smallhold.engine.tokens import Tokens, common_prefix

ATTENTION_TOKENS: Final = 4000
"""Position at which a token's attention costs as much as the rest of its evaluation. Source:
`docs/benchmarks.md`, prompts by length (0.5B on a CPU)."""

_NO_TOKENS: Final = np.empty(0, dtype=np.int32)


@dataclass(eq=False, frozen=True, slots=True, kw_only=True)
class Segment:
    """Serialised keys and values of the positions from `start` to `end`."""

    start: int
    end: int
    state: memoryview | bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What to take from a segment."""

    segment: Segment
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """How to rebuild the longest known beginning of a prompt."""

    pieces: tuple[Piece, ...] = ()
    """In order of position, without gaps."""
    tokens: int = 0
    """Length of that beginning."""


@dataclass(eq=False, slots=True, kw_only=True)
class _Node:
    tokens: Tokens
    start: int
    parent: _Node | None
    segment: Segment | None = None
    children: dict[int, _Node] = field(default_factory=dict[int, "_Node"])
    worth: float = 0.0
    hits: int = 0
    last_use: int = 0

    @property
    def end(self) -> int:
        return self.start + len(self.tokens)


class PrefixTree:
    """Segments by the tokens they belong to, the least worthwhile out first.

    What goes out first is decided by GreedyDual-Size with frequency: a node is worth the clock at
    its last use plus the computation that each of its bytes saves, times its uses; the clock is the
    worth of what went out last. Source: Cherkasova 1998, "Improving WWW Proxies Performance with
    Greedy-Dual-Size-Frequency Caching Policy", section 2.
    """

    def __init__(self, *, limit_bytes: int, is_divisible: bool) -> None:
        self.limit_bytes = limit_bytes
        self.bytes = 0
        self._is_divisible = is_divisible
        self._roots: dict[str | None, _Node] = {}
        self._uses: dict[Segment, int] = {}
        self._clock = 0.0
        self._touches = 0

    def match(self, tokens: Tokens, *, adapter: str | None) -> Match:
        """Find the longest beginning of a prompt that can be rebuilt; nothing is marked as used."""
        pieces: list[Piece] = []
        for node, shared in self._walk(tokens, adapter):
            if node.segment is None or (not self._is_divisible and shared < len(node.tokens)):
                continue
            end = node.start + shared
            if self._is_divisible:
                pieces.append(Piece(segment=node.segment, start=node.start, end=end))
            else:
                pieces = [Piece(segment=node.segment, start=0, end=end)]
        return Match(pieces=tuple(pieces), tokens=pieces[-1].end if pieces else 0)

    def use(self, tokens: Tokens, *, adapter: str | None) -> None:
        """Mark what `match` finds as used."""
        for node, _ in self._walk(tokens, adapter):
            self._touch(node)

    def insert(self, tokens: Tokens, segment: Segment, *, adapter: str | None) -> None:
        """Keep a segment that ends where the tokens end.

        Args:
            tokens: From position 0 to the segment's end.
            segment: Begins at or before the end of what `match` finds for these tokens.
            adapter: LoRA adapter that computed it.
        """
        if len(tokens) == 0 or not self._can_hold(tokens, segment, adapter):
            return
        node = self._node_at(tokens, adapter)
        if node.segment is None:
            self._attach(node, segment)
        self._make_room(keep=node)
        # With the clock of what had to go out for it, or it would be the next to go.
        self._touch(node)

    def _can_hold(self, tokens: Tokens, segment: Segment, adapter: str | None) -> bool:
        before: set[Segment] = set()
        if self._is_divisible:
            # What it continues has to stay, or there would be a gap.
            before = {piece.segment for piece in self.match(tokens, adapter=adapter).pieces}
        return sum(len(held.state) for held in {segment, *before}) <= self.limit_bytes

    def _root(self, adapter: str | None) -> _Node:
        if adapter not in self._roots:
            self._roots[adapter] = _Node(tokens=_NO_TOKENS, start=0, parent=None)
        return self._roots[adapter]

    def _walk(self, tokens: Tokens, adapter: str | None) -> Iterator[tuple[_Node, int]]:
        """Go down along a prompt: each node with how much of its edge the prompt shares."""
        node = self._root(adapter)
        while node.end < len(tokens):
            child = node.children.get(int(tokens[node.end]))
            if child is None:
                return
            shared = common_prefix(child.tokens, tokens[child.start :])
            # Whoever is given the node may split it.
            ends_here = shared < len(child.tokens)
            yield child, shared
            if ends_here:
                return
            node = child

    def _node_at(self, tokens: Tokens, adapter: str | None) -> _Node:
        """Get the node where these tokens end, splitting an edge or adding a leaf for it."""
        node = self._root(adapter)
        for child, shared in self._walk(tokens, adapter):
            node = child if shared == len(child.tokens) else self._split(child, shared)
        if node.end < len(tokens):
            rest = tokens[node.end :].copy()
            leaf = _Node(tokens=rest, start=node.end, parent=node)
            node.children[int(rest[0])] = leaf
            node = leaf
        return node

    def _split(self, node: _Node, shared: int) -> _Node:
        parent = node.parent
        upper = _Node(
            tokens=node.tokens[:shared], start=node.start, parent=parent,
            worth=node.worth, hits=node.hits, last_use=node.last_use,
        )  # fmt: skip
        if node.segment is not None and self._is_divisible:
            self._attach(upper, node.segment)
        if parent is not None:
            parent.children[int(upper.tokens[0])] = upper
        node.tokens, node.start, node.parent = node.tokens[shared:], upper.end, upper
        upper.children[int(node.tokens[0])] = node
        return upper

    def _attach(self, node: _Node, segment: Segment) -> None:
        node.segment = segment
        self._uses[segment] = self._uses.get(segment, 0) + 1
        if self._uses[segment] == 1:
            self.bytes += len(segment.state)

    def _touch(self, node: _Node) -> None:
        node.hits += 1
        self._touches += 1
        node.last_use = self._touches
        if node.segment is not None:
            size = max(1, len(node.segment.state))
            cost = recompute_cost(node.segment.start, node.segment.end)
            node.worth = self._clock + node.hits * cost / size

    def _make_room(self, *, keep: _Node) -> None:
        while self.bytes > self.limit_bytes:
            victims = [node for node in self._nodes() if self._may_go(node) and node is not keep]
            if not victims:
                return
            victim = min(victims, key=lambda node: (node.worth, node.last_use))
            # What others kept from going out may be worth less than what went before it.
            self._clock = max(self._clock, victim.worth)
            self._remove(victim)

    def _may_go(self, node: _Node) -> bool:
        # What comes after a gap could not be rebuilt, unless each state is whole in itself.
        return node.segment is not None and (not node.children or not self._is_divisible)

    def _remove(self, node: _Node) -> None:
        segment = node.segment
        node.segment = None
        if segment is not None:
            self._uses[segment] -= 1
            if self._uses[segment] == 0:
                del self._uses[segment]
                self.bytes -= len(segment.state)
        while not node.children and node.segment is None and node.parent is not None:
            del node.parent.children[int(node.tokens[0])]
            node = node.parent

    def _nodes(self) -> Iterator[_Node]:
        waiting = list(self._roots.values())
        while waiting:
            node = waiting.pop()
            waiting += node.children.values()
            yield node


def recompute_cost(start: int, end: int) -> float:
    """Say what evaluating these positions again would cost, in tokens at position 0."""
    return (end - start) * (1 + (start + end) / 2 / ATTENTION_TOKENS)
