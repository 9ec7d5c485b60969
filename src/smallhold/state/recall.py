"""What an agent is reminded of before it answers: this file holds the seam for recalled passages.

Memory and knowledge both fill it. Passages stand last in a prompt, after everything that is the
same in every turn, so that the prefix before them stays cached.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

TokenCounter: TypeAlias = Callable[[str], Awaitable[int]]
"""Counts a text's tokens with the tokenizer of the model that will read it."""

SEPARATOR: Final = "\n"
"""Stands between passages in a prompt; budgets are counted with it."""
_TRIES: Final = 8
"""Texts after the first one that is too long, of which a shorter one may still fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """Something that may help to answer a message."""

    text: str
    """What the model reads, a label to cite it by included where there is one."""
    source: str
    """Where it is from, for people: a file with its page or heading, or who said it and when."""
    score: float
    """How well it fits, 0 to 1; comparable within one recall only."""
    reference: str = ""
    """How a program finds it again, such as `fact:ID` or `chunk:ID`."""


class Recaller(Protocol):
    """Something that finds what is known about a message."""

    async def recall(
        self, text: str, *, session: str | None, limit_tokens: int, count_tokens: TokenCounter
    ) -> tuple[Passage, ...]:
        """Find passages, the best first; equal input and equal state give equal bytes.

        Args:
            text: What the user says.
            session: The conversation it is said in, `None` outside of one.
            limit_tokens: The most that the passages, `joined`, may cost; below 1 nothing is
                recalled.
            count_tokens: Counts them.
        """
        ...


def joined(passages: Sequence[Passage]) -> str:
    """Write passages as a prompt shows them."""
    return SEPARATOR.join(passage.text for passage in passages)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitting:
    """Which of several texts stay within a budget together."""

    chosen: tuple[int, ...]
    """Their numbers, rising."""
    tokens: int
    """What they cost, joined by `SEPARATOR`; counted, not estimated."""


async def fit(texts: Sequence[str], *, limit_tokens: int, count_tokens: TokenCounter) -> Fitting:
    """Choose texts for a budget: as many of the first as fit, then the next few that still do.

    The first ones are found by halving, so a thousand texts take about ten counts. Whatever is
    chosen was counted as a whole, so no tokenizer can exceed the budget.

    Args:
        texts: The best first.
        limit_tokens: The most tokens; below 1 nothing is chosen.
        count_tokens: Counts a text's tokens.
    """
    if limit_tokens < 1:
        return Fitting(chosen=(), tokens=0)
    first, tokens, beyond = 0, 0, len(texts) + 1
    while beyond - first > 1:
        middle = (first + beyond) // 2
        counted = await count_tokens(SEPARATOR.join(texts[:middle]))
        if counted <= limit_tokens:
            first, tokens = middle, counted
        else:
            beyond = middle
    chosen = list(range(first))
    for number in range(first + 1, min(len(texts), first + 1 + _TRIES)):
        counted = await count_tokens(
            SEPARATOR.join([*(texts[one] for one in chosen), texts[number]])
        )
        if counted <= limit_tokens:
            chosen.append(number)
            tokens = counted
    return Fitting(chosen=tuple(chosen), tokens=tokens)
