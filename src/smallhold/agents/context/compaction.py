"""What is left out first: this file holds the plan of a compaction.

The oldest results of tools go first, since their calls still say what was done; where that is not
enough, the oldest exchanges go. Both go down to a target well below the limit: a compaction changes
the prompt's beginning, after which the engine must read all that follows anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeSize:
    """How long an exchange is."""

    tokens: int
    savings_tokens: tuple[int, ...] = ()
    """What leaving out each of its results would save, oldest first; 0 or more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactionPlan:
    """How much to leave out."""

    exchanges: int
    """How many of the oldest exchanges go."""
    results: int
    """How many of the oldest results in the other exchanges go."""


def plan_compaction(
    sizes: Sequence[ExchangeSize], *, target_tokens: int, notes_tokens: int, new_notes_tokens: int
) -> CompactionPlan:
    """Plan to leave out as few exchanges as possible, and then as few results.

    Args:
        sizes: The history's exchanges, oldest first, without the notes.
        target_tokens: How long the history may be afterwards, notes included.
        notes_tokens: How long the notes are that stand before the exchanges now.
        new_notes_tokens: How long they may be once more exchanges go into them.
    """
    for exchanges in range(len(sizes)):
        kept = sizes[exchanges:]
        notes = new_notes_tokens if exchanges else notes_tokens
        excess = notes + sum(size.tokens for size in kept) - target_tokens
        savings = [saving for size in kept for saving in size.savings_tokens]
        results = _fewest(savings, excess)
        if results is not None:
            return CompactionPlan(exchanges=exchanges, results=results)
    return CompactionPlan(exchanges=len(sizes), results=0)


def _fewest(savings: Sequence[int], excess: int) -> int | None:
    """Count the leading savings that make up for the excess; `None` when all do not."""
    for count in range(len(savings) + 1):
        if excess <= 0:
            return count
        excess -= savings[count] if count < len(savings) else 0
    return None
