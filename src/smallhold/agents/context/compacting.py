"""Making room in a history: this file holds a compaction's way from counting to the summary."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from smallhold.agents.context.budget import ContextBudget, TokenBudget
from smallhold.agents.context.compaction import plan_compaction
from smallhold.agents.context.counting import TokenCounts
from smallhold.agents.context.drafting import (
    Draft,
    Measured,
    measured,
    shortened,
    with_limited_notes,
)
from smallhold.agents.context.exchanges import Exchange, title
from smallhold.agents.context.fitted import DropKind, Dropped
from smallhold.agents.context.notes import Notes, noted, notes_exchange, read_notes
from smallhold.agents.context.rendering import SEPARATOR
from smallhold.agents.context.summary import Summarised, summarise, summary_prompt
from smallhold.messages import Message, Usage
from smallhold.runtimes.protocol import Runtime

LengthOf: TypeAlias = Callable[[Sequence[Message]], Awaitable[int]]
"""Counts the whole prompt of a history with the current exchange."""

_ATTEMPTS: Final = ((1.0, 1.0), (0.5, 1.0), (0.25, 1.0), (0.0, 1.0), (0.0, 0.5), (0.0, 0.2))
"""Shares of the target and of the notes, tried in order until the exact count fits. The first one
does but where the window is very small: sizes are added up, which is a little wrong."""
_TOO_LONG: Final = "too long to be summarised at once"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compacted:
    """A history that fits, and what became of the rest."""

    history: tuple[Message, ...]
    dropped: tuple[Dropped, ...]
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compactor:
    """Compacts the history of one prompt."""

    runtime: Runtime
    counts: TokenCounts
    settings: ContextBudget
    budget: TokenBudget
    instructions: tuple[Message, ...]
    length_of: LengthOf

    async def compacted(
        self, history: Sequence[Exchange], *, now_tokens: int, room_tokens: int, limit_tokens: int
    ) -> Compacted:
        """Leave out what is oldest.

        Args:
            history: The exchanges before the current one, notes included; at least one.
            now_tokens: What the history adds to the prompt now.
            room_tokens: What it may add.
            limit_tokens: Most tokens of the whole prompt then.
        """
        notes = read_notes(history[0])
        older = [await measured(one, self.counts) for one in history[1 if notes else 0 :]]
        notes_tokens = sum([await self.counts.message(one) for one in history[0]]) if notes else 0
        # Chat templates put something around each message, which these counts leave out.
        scale = now_tokens / max(1, notes_tokens + sum(one.tokens for one in older))
        target_tokens = int(room_tokens * self.settings.compact_to_ratio)
        for target_ratio, notes_ratio in _ATTEMPTS:
            share_tokens = target_tokens // 3
            summary_tokens = int(min(self.budget.summary, share_tokens) * notes_ratio)
            facts_tokens = int(min(self.budget.facts, share_tokens) * notes_ratio)
            plan = plan_compaction(
                [one.size(scale=scale) for one in older],
                target_tokens=int(target_tokens * target_ratio),
                notes_tokens=int(notes_tokens * scale),
                new_notes_tokens=summary_tokens + facts_tokens,
            )
            draft = shortened(older, plan, notes=notes)
            if draft.gone or not older:
                draft = await with_limited_notes(draft, self.counts, limit_tokens=facts_tokens)
            reserve_tokens = summary_tokens if draft.gone and self.settings.summarises else 0
            if await self.length_of(draft.history) + reserve_tokens <= limit_tokens:
                summary = await self._summary(draft, notes, max_tokens=reserve_tokens)
                return await self._accepted(draft, summary, limit_tokens=limit_tokens)
        return await self._nothing_kept(notes, older)

    async def _summary(
        self, draft: Draft, notes: Notes | None, *, max_tokens: int
    ) -> tuple[Summarised, int]:
        """Sum up what is gone; also gives how many of its newest exchanges that covers."""
        if max_tokens < 1:
            return Summarised(), 0
        opening = () if notes is None else notes_exchange(notes)
        for first in range(len(draft.gone)):
            conversation = [message for one in draft.gone[first:] for message in one.exchange]
            prompt = summary_prompt(self.instructions, (*opening, *conversation))
            left_tokens = self.budget.context - await self.counts.prompt(prompt)
            # Rather a shorter summary than another beginning, which the engine would read anew.
            if left_tokens >= max(1, max_tokens // 2):
                summary = await summarise(
                    self.runtime,
                    prompt,
                    max_tokens=min(max_tokens, left_tokens),
                    timeout_s=self.settings.summary_timeout_s,
                )
                return summary, len(draft.gone) - first
        return Summarised(reason=_TOO_LONG), 0

    async def _accepted(
        self, draft: Draft, summary: tuple[Summarised, int], *, limit_tokens: int
    ) -> Compacted:
        summarised, covered = summary
        reason, history = summarised.reason, draft.history
        if summarised.text and draft.notes is not None:
            notes = replace(draft.notes, summary=summarised.text)
            history = replace(draft, notes=notes).history
            if await self.length_of(history) > limit_tokens:
                reason, history = "no room for the summary", draft.history
        if reason:
            covered = 0
        gone = _gone(draft.gone, covered=covered, reason=reason or _TOO_LONG)
        if not self.settings.summarises:
            gone = _gone(draft.gone, covered=0, reason="")
        results = [
            Dropped(kind=DropKind.RESULT_LEFT_OUT, what=one.tool, tokens=one.tokens)
            for one in draft.left_out
        ]
        lost = await self._lost(draft.lost_facts)
        return Compacted(history=history, dropped=(*gone, *results, *lost), usage=summarised.usage)

    async def _nothing_kept(self, notes: Notes | None, older: Sequence[Measured]) -> Compacted:
        facts = noted(notes or Notes(), (one.exchange for one in older)).facts
        gone = _gone(older, covered=0, reason="no room for notes")
        return Compacted(history=(), dropped=(*gone, *await self._lost(facts)))

    async def _lost(self, facts: Sequence[str]) -> tuple[Dropped, ...]:
        text = SEPARATOR.join(facts)
        tokens = await self.counts.text(text)
        return (Dropped(kind=DropKind.FACTS, what=text, tokens=tokens),) if facts else ()


def _gone(gone: Sequence[Measured], *, covered: int, reason: str) -> list[Dropped]:
    """Account for exchanges of which the newest `covered` are in the summary."""
    first_covered = len(gone) - covered
    return [
        Dropped(
            kind=DropKind.TURN_REDUCED if index < first_covered else DropKind.TURN_SUMMARISED,
            what=title(one.exchange),
            tokens=one.tokens,
            messages=len(one.exchange),
            reason=reason if index < first_covered else "",
        )
        for index, one in enumerate(gone)
    ]
