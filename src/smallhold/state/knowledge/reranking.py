"""A second look at what was found: this file holds rerankers, which read question and text at once.

What a small model gains by it is measured in docs/knowledge.md; it costs a forward pass of the text
for each hit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, Protocol

from smallhold.exceptions import UnsupportedFeatureError
from smallhold.generation import Prompt, ScoreRequest, ScoreScope
from smallhold.messages import Message, Role
from smallhold.runtimes.limits import Capability
from smallhold.runtimes.protocol import Runtime
from smallhold.state.knowledge.hit import Hit

_INSTRUCTIONS: Final = (
    "You judge whether a passage of a manual answers a question. Answer with yes or no."
)
_CHOICES: Final = ("yes", "no")


class Reranker(Protocol):
    """Something that says how well hits answer a question."""

    async def scores(self, question: str, hits: Sequence[Hit]) -> Sequence[float]:
        """Judge hits; a number for each, higher is better, comparable within one call only."""
        ...


class ScoringReranker:
    """Asks a chat model for each hit whether it answers the question, in one scored pass."""

    def __init__(self, runtime: Runtime) -> None:
        """Wrap a runtime.

        Raises:
            UnsupportedFeatureError: It cannot score.
        """
        if Capability.SCORING not in runtime.limits.capabilities:
            raise UnsupportedFeatureError(
                runtime=runtime.name,
                feature="scoring, by which hits are put in order",
                remedy="Search without a reranker, or use the embedded engine.",
            )
        self._runtime = runtime

    async def scores(self, question: str, hits: Sequence[Hit]) -> tuple[float, ...]:
        """Give each hit's probability of `yes`, 0 to 1. Raises as `Runtime.score`."""
        return tuple([await self._score(question, hit) for hit in hits])

    async def _score(self, question: str, hit: Hit) -> float:
        heading = " > ".join(hit.headings)
        told = f"Passage:\n{heading}\n{hit.text}\n\nQuestion: {question}\nDoes it answer this?"
        prompt = Prompt(
            messages=(
                Message(role=Role.SYSTEM, content=_INSTRUCTIONS),
                Message(role=Role.USER, content=told),
            )
        )
        request = ScoreRequest(prompt=prompt, choices=_CHOICES, scope=ScoreScope.DECIDING)
        yes, no = (await self._runtime.score(request)).log_probs
        return 1 / (1 + math.exp(min(no - yes, 700.0)))


def in_order(hits: Sequence[Hit], scores: Sequence[float]) -> list[Hit]:
    """Order hits by other scores, the best first; equal ones stay as they are."""
    pairs = sorted(zip(scores, range(len(hits)), strict=True), key=lambda pair: (-pair[0], pair[1]))
    return [hits[place] for _, place in pairs]
