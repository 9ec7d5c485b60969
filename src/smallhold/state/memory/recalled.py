"""What came to mind: this file holds recalled facts, chosen for a budget of tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from smallhold.state.memory.fact import Author, Fact
from smallhold.state.recall import SEPARATOR, Passage, TokenCounter, fit


@dataclass(frozen=True, slots=True, kw_only=True)
class RecalledFact:
    """A fact with how well it fits."""

    fact: Fact
    score: float
    """0 to 1, comparable within one recall only."""
    text: str
    """The line that a model reads."""

    def as_passage(self) -> Passage:
        """Give it in the form that agents take."""
        return Passage(
            text=self.text,
            source=source_of(self.fact),
            score=self.score,
            reference=f"fact:{self.fact.id}",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled:
    """Facts for a prompt."""

    facts: tuple[RecalledFact, ...]
    """The best first."""
    text: str
    """One line for each fact; equal facts in equal order give equal bytes."""
    tokens: int
    """What the text costs; 0 where tokens were not counted."""
    left_out: int
    """Facts that fit the message, and the budget or the limit no longer."""


async def recalled(
    found: Sequence[RecalledFact],
    *,
    limit: int | None,
    budget_tokens: int | None,
    count_tokens: TokenCounter | None,
) -> Recalled:
    """Choose from ranked facts.

    Args:
        found: The best first.
        limit: The most facts; `None` is no limit.
        budget_tokens: The most tokens of the text; `None` is no limit.
        count_tokens: Counts them.
    """
    chosen = found if limit is None else found[:limit]
    tokens = 0
    if budget_tokens is not None and count_tokens is not None:
        fitting = await fit(
            [one.text for one in chosen], limit_tokens=budget_tokens, count_tokens=count_tokens
        )
        chosen, tokens = [chosen[number] for number in fitting.chosen], fitting.tokens
    return Recalled(
        facts=tuple(chosen),
        text=SEPARATOR.join(one.text for one in chosen),
        tokens=tokens,
        left_out=len(found) - len(chosen),
    )


def source_of(fact: Fact) -> str:
    """Say for people who stated a fact, when and where."""
    provenance = fact.provenance
    who = provenance.name or ("an agent" if provenance.author is Author.AGENT else "a person")
    where = "" if provenance.session is None else f" in session {provenance.session}"
    return f"noted by {who} on {_day(fact.created_s)}{where}"


def _day(at_s: float) -> str:
    try:
        return datetime.fromtimestamp(at_s, tz=UTC).date().isoformat()
    except (ValueError, OverflowError, OSError):
        return "an unknown day"
