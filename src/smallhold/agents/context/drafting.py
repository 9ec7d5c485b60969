"""A shorter history, before it is summarised: this file holds drafts and how they are made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from smallhold.agents.context.compaction import CompactionPlan, ExchangeSize
from smallhold.agents.context.counting import TokenCounts
from smallhold.agents.context.exchanges import Exchange
from smallhold.agents.context.notes import Notes, noted, notes_exchange, within
from smallhold.agents.context.rendering import SEPARATOR
from smallhold.agents.context.results import OldResult, old_results, without_results
from smallhold.messages import Message

_CAUTION: Final = 0.9
"""Some facts have more tokens for their length than all together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """An exchange, how long it is, and which of its results could be left out."""

    exchange: Exchange
    tokens: int
    results: tuple[OldResult, ...]

    def size(self, *, scale: float) -> ExchangeSize:
        """Give its size in a prompt, where the chat template makes it longer by `scale`."""
        savings = tuple(int(result.saving_tokens * scale) for result in self.results)
        return ExchangeSize(tokens=int(self.tokens * scale), savings_tokens=savings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A history as it could be."""

    notes: Notes | None
    gone: tuple[Measured, ...]
    """The exchanges that are in the notes now, oldest first."""
    kept: tuple[Message, ...]
    left_out: tuple[OldResult, ...] = ()
    """Results of the kept exchanges that marks stand for."""
    lost_facts: tuple[str, ...] = ()
    """What the notes had no room for."""

    @property
    def history(self) -> tuple[Message, ...]:
        """The messages, notes first."""
        opening = () if self.notes is None else notes_exchange(self.notes)
        return (*opening, *self.kept)


async def measured(exchange: Exchange, counts: TokenCounts) -> Measured:
    """Count an exchange's messages one by one; what was counted before costs nothing."""
    tokens = [await counts.message(message) for message in exchange]
    return Measured(
        exchange=exchange, tokens=sum(tokens), results=await old_results(exchange, counts)
    )


def shortened(older: Sequence[Measured], plan: CompactionPlan, *, notes: Notes | None) -> Draft:
    """Carry a plan out; the notes take in what goes, whatever their length becomes."""
    gone, staying = tuple(older[: plan.exchanges]), older[plan.exchanges :]
    left = plan.results
    kept: list[Message] = []
    left_out: list[OldResult] = []
    for one in staying:
        chosen = one.results[:left]
        left -= len(chosen)
        left_out += chosen
        kept += without_results(one.exchange, chosen)
    if gone:
        notes = noted(notes or Notes(), (one.exchange for one in gone))
    return Draft(notes=notes, gone=gone, kept=tuple(kept), left_out=tuple(left_out))


async def with_limited_notes(draft: Draft, counts: TokenCounts, *, limit_tokens: int) -> Draft:
    """Keep the facts that fit; the draft's notes may have no more tokens of them than this."""
    if draft.notes is None:
        return draft
    notes, lost = draft.notes, ()
    limit_chars = len(_written(notes))
    while limit_chars > 0 and (tokens := await counts.text(_written(notes))) > limit_tokens:
        limit_chars = int(limit_chars * limit_tokens / tokens * _CAUTION)
        notes, lost = within(draft.notes, limit_chars=limit_chars)
    return replace(draft, notes=notes, lost_facts=lost)


def _written(notes: Notes) -> str:
    return SEPARATOR.join(notes.facts)
