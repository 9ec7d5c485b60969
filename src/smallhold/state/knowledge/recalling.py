"""What an agent is reminded of: this file holds how hits become passages of a prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from smallhold.state.knowledge.hit import Hit
from smallhold.state.recall import Passage, TokenCounter, fit


@dataclass(frozen=True, slots=True, kw_only=True)
class KnowledgePassage(Passage):
    """A passage of a document, with all that is known of where it stands."""

    hit: Hit


async def fitting_passages(
    hits: Sequence[Hit], *, limit_tokens: int, count_tokens: TokenCounter
) -> tuple[KnowledgePassage, ...]:
    """Take as many hits as a budget has room for, the best first.

    Args:
        hits: The best first.
        limit_tokens: The most that the passages may cost together.
        count_tokens: Counts them.
    """
    passages = [passage_of(hit) for hit in hits]
    texts = [passage.text for passage in passages]
    fitting = await fit(texts, limit_tokens=limit_tokens, count_tokens=count_tokens)
    return tuple(passages[number] for number in fitting.chosen)


def passage_of(hit: Hit) -> KnowledgePassage:
    """Write a hit for a model: where it is from, then its text."""
    return KnowledgePassage(
        text=f"[{hit.place}]\n{hit.text}",
        source=hit.place,
        score=hit.score,
        reference=hit.reference,
        hit=hit,
    )
