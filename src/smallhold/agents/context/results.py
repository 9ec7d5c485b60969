"""Tools' results that are too long or too old: this file holds how they are shortened."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from smallhold.agents.context.counting import TokenCounts
from smallhold.agents.context.exchanges import Exchange, result_places, with_content
from smallhold.agents.context.notes import facts_of_result
from smallhold.agents.context.rendering import (
    SEPARATOR,
    cut_text,
    facts_of_mark,
    left_out_mark,
)

_MARK_FACTS_CHARS: Final = 160
"""About 50 tokens of facts in the line that stands instead of a result."""
_CAUTION: Final = 0.9
"""A text's beginning may have more tokens for its length than the whole."""
_MAX_TRIES: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class OldResult:
    """A result that could be left out, and what would stand instead."""

    index: int
    """Its place in the exchange."""
    tool: str
    tokens: int
    mark: str
    saving_tokens: int


async def old_results(exchange: Exchange, counts: TokenCounts) -> tuple[OldResult, ...]:
    """Find the results of an exchange that are longer than the line that would stand instead."""
    found: list[OldResult] = []
    for place in result_places(exchange):
        content = exchange[place.index].content
        if facts_of_mark(content) is not None:
            continue
        tokens = await counts.text(content)
        mark = left_out_mark(place.tool, tokens=tokens, facts=tuple(_leading_facts(content)))
        if len(mark) < len(content):
            # As many tokens a character as the result: near enough to plan, without a count.
            saving = tokens - tokens * len(mark) // len(content)
            found.append(
                OldResult(
                    index=place.index,
                    tool=place.tool,
                    tokens=tokens,
                    mark=mark,
                    saving_tokens=saving,
                )
            )
    return tuple(found)


def without_results(exchange: Exchange, results: Sequence[OldResult]) -> Exchange:
    """Put the marks of these results in their places."""
    for result in results:
        exchange = with_content(exchange, result.index, result.mark)
    return exchange


async def cut_result(content: str, counts: TokenCounts, *, limit_tokens: int) -> str:
    """Cut a result's end off, with a mark that says how much is gone.

    Args:
        content: The result.
        counts: Counts its tokens.
        limit_tokens: Most tokens, mark included; of a smaller limit than the mark, the mark alone
            is left.
    """
    tokens = await counts.text(content)
    kept_chars, shortened = len(content), content
    for _ in range(_MAX_TRIES):
        if tokens <= limit_tokens:
            return shortened
        kept_chars = int(kept_chars * limit_tokens / tokens * _CAUTION)
        shortened = cut_text(content, kept_chars=kept_chars)
        tokens = await counts.text(shortened)
    return shortened if tokens <= limit_tokens else cut_text(content, kept_chars=0)


def _leading_facts(content: str) -> Iterator[str]:
    left_chars = _MARK_FACTS_CHARS
    for fact in facts_of_result(content):
        left_chars -= len(fact.text) + len(SEPARATOR)
        if left_chars < 0:
            return
        yield fact.text
