"""Making a conversation fit: this file holds the fitter that agents ask before each prompt."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Final, TypeAlias

from smallhold.agents.context.budget import ContextBudget, TokenBudget
from smallhold.agents.context.compacting import Compactor
from smallhold.agents.context.counting import PromptForm, TokenCounts, as_it_is
from smallhold.agents.context.exchanges import (
    Exchange,
    result_places,
    split_exchanges,
    with_content,
)
from smallhold.agents.context.fitted import DropKind, Dropped, Fitted, PartTokens, Summary
from smallhold.agents.context.notes import read_notes
from smallhold.agents.context.parts import part_over_budget, part_over_window
from smallhold.agents.context.results import cut_result, old_results, without_results
from smallhold.generation import Prompt
from smallhold.messages import Message, Role, Usage
from smallhold.runtimes.protocol import Runtime

PromptOf: TypeAlias = Callable[[Sequence[Message]], Prompt]
"""Builds the largest prompt that the next step needs of a conversation, such as the decision's with
its instructions, tools and examples, each in its own place of the prompt."""

_MAX_TRIES: Final = 4

_log = logging.getLogger(__name__)


class ContextFitter:
    """Makes conversations fit the context window of one runtime; one serves all sessions.

    Args:
        runtime: Counts tokens with the model's own tokenizer, and summarises.
        budget: How the window is shared out.
    """

    def __init__(self, runtime: Runtime, *, budget: ContextBudget | None = None) -> None:
        self._runtime = runtime
        self._settings = budget or ContextBudget()
        self._counts = TokenCounts(runtime)

    async def fit(
        self,
        conversation: Sequence[Message],
        *,
        prompt_of: PromptOf,
        max_tokens: int,
        form: PromptForm = as_it_is,
    ) -> Fitted:
        """Give the conversation as it is if it fits, or else what of it fits.

        Call it before each prompt and keep `Fitted.conversation` instead of what was given.

        Args:
            conversation: The session's messages in order. The last message of the user is the
                current one: it stays word for word, with all calls that followed from it.
            prompt_of: Builds the prompt; called with parts of the conversation.
            max_tokens: Most tokens that the model will be asked for.
            form: How the prompt is written for the model; what it makes is counted.

        Raises:
            PartOverflowError: a part that is never shortened exceeds its budget or the window. It
                is a `ContextOverflowError`.
            ConfigError: the answer's budget takes the whole window.
            SmallholdError: the runtime cannot count.
        """
        limits = self._runtime.limits
        fitting = _Fitting(
            runtime=self._runtime,
            counts=self._counts,
            settings=self._settings,
            budget=self._settings.resolved(
                context_tokens=limits.context_tokens, max_tokens=max_tokens
            ),
            prompt_of=prompt_of,
            form=form,
        )
        return await fitting.run(conversation)

    async def count_text(self, text: str) -> int:
        """Count a text's tokens. Raises `SmallholdError` when the runtime cannot."""
        return await self._counts.text(text)

    async def measure(self, prompt: Prompt, *, form: PromptForm = as_it_is) -> PartTokens:
        """Count the parts of a prompt. Raises `SmallholdError` when the runtime cannot."""
        return await self._counts.parts(prompt, form=form)


@dataclass(slots=True, kw_only=True)
class _Fitting:
    runtime: Runtime
    counts: TokenCounts
    settings: ContextBudget
    budget: TokenBudget
    prompt_of: PromptOf
    form: PromptForm
    dropped: list[Dropped] = field(default_factory=list[Dropped])

    async def run(self, conversation: Sequence[Message]) -> Fitted:
        """Cut what is too long by itself, then make room where the whole is too long."""
        kept = await self._with_cut_results(tuple(conversation))
        exchanges = split_exchanges(kept)
        history, current = exchanges[:-1], exchanges[-1] if exchanges else ()
        await self._check_parts(current)
        tokens, usage = await self._length(kept), Usage()
        if tokens > self.budget.prompt or self.budget.history is not None:
            kept, usage = await self._with_room(history, current, tokens=tokens)
            tokens = await self._length(kept) if self.dropped else tokens
        return Fitted(
            conversation=kept,
            prompt=self.form(self.prompt_of(kept)),
            prompt_tokens=tokens,
            dropped=tuple(self.dropped),
            summary=_summary_of(kept),
            usage=usage,
        )

    async def _with_room(
        self, history: Sequence[Exchange], current: Exchange, *, tokens: int
    ) -> tuple[Exchange, Usage]:
        """Shorten the history, and before it the current exchange if that alone is too long."""
        alone_tokens = await self._length(current)
        history_tokens = tokens - alone_tokens
        shortened: list[Dropped] = []
        # A long result may not take the room for the notes on all that was said before.
        notes_tokens = min(history_tokens, self.budget.summary + self.budget.facts)
        limit_tokens = self.budget.prompt - notes_tokens
        if tokens > self.budget.prompt and alone_tokens > limit_tokens:
            current, shortened = await self._shortened(current, limit_tokens=limit_tokens)
            alone_tokens = await self._length(current)
        room_tokens = self.budget.prompt - alone_tokens
        if self.budget.history is not None:
            room_tokens = min(room_tokens, self.budget.history)
        if not history or history_tokens <= room_tokens:
            self.dropped += shortened
            return (*_joined(history), *current), Usage()
        compacted = await self._compactor(current).compacted(
            history,
            now_tokens=history_tokens,
            room_tokens=room_tokens,
            limit_tokens=alone_tokens + room_tokens,
        )
        self.dropped += [*compacted.dropped, *shortened]
        _log.info(
            "context.compacted",
            extra={"prompt_tokens": tokens, "dropped": len(self.dropped)},
        )
        return (*compacted.history, *current), compacted.usage

    def _compactor(self, current: Exchange) -> Compactor:
        prompt = self.prompt_of(current)

        async def length_of(history: Sequence[Message]) -> int:
            return await self._length((*history, *current))

        return Compactor(
            runtime=self.runtime,
            counts=self.counts,
            settings=self.settings,
            budget=self.budget,
            instructions=tuple(takewhile(lambda one: one.role is Role.SYSTEM, prompt.messages)),
            length_of=length_of,
        )

    async def _with_cut_results(self, conversation: Exchange) -> Exchange:
        """Cut every result that alone is longer than one may be."""
        for place in result_places(conversation):
            content = conversation[place.index].content
            # No vocabulary has tokens of less than a byte, so most results need no count.
            if len(content.encode("utf-8", "surrogatepass")) > self.budget.tool_result:
                shorter = await cut_result(
                    content, self.counts, limit_tokens=self.budget.tool_result
                )
                if shorter != content:
                    conversation = with_content(conversation, place.index, shorter)
                    self.dropped.append(await self._cut(place.tool, content, shorter))
        return conversation

    async def _shortened(
        self, current: Exchange, *, limit_tokens: int
    ) -> tuple[Exchange, list[Dropped]]:
        """Leave out the exchange's results but the last, and cut that one, until the rest fits."""
        dropped: list[Dropped] = []
        places = result_places(current)
        for result in await old_results(current, self.counts):
            if result.index == places[-1].index or await self._length(current) <= limit_tokens:
                break
            current = without_results(current, (result,))
            dropped.append(
                Dropped(kind=DropKind.RESULT_LEFT_OUT, what=result.tool, tokens=result.tokens)
            )
        if places and await self._length(current) > limit_tokens:
            last = places[-1]
            content = current[last.index].content
            current = await self._with_cut(current, last.index, limit_tokens=limit_tokens)
            if content != current[last.index].content:
                dropped.append(await self._cut(last.tool, content, current[last.index].content))
        if await self._length(current) > self.budget.prompt:
            raise part_over_window(await self._parts(current), self.budget)
        return current, dropped

    async def _with_cut(self, current: Exchange, index: int, *, limit_tokens: int) -> Exchange:
        content = current[index].content
        given, left_tokens = current, await self.counts.text(content)
        # Half of it stays for as long as that fits at all.
        halved_tokens = await self._length(current) - left_tokens // 2
        limit_tokens = max(limit_tokens, min(self.budget.prompt, halved_tokens))
        # Text is tokenized a little differently beside other text, hence more than one try.
        for _ in range(_MAX_TRIES):
            excess_tokens = await self._length(current) - limit_tokens
            if excess_tokens <= 0 or left_tokens <= 0:
                break
            left_tokens = max(0, left_tokens - excess_tokens)
            shorter = await cut_result(content, self.counts, limit_tokens=left_tokens)
            current = with_content(given, index, shorter)
        is_shorter = await self._length(current) < await self._length(given)
        return current if is_shorter else given

    async def _cut(self, tool: str, content: str, shorter: str) -> Dropped:
        tokens = await self.counts.text(content) - await self.counts.text(shorter)
        return Dropped(kind=DropKind.RESULT_CUT, what=tool, tokens=max(0, tokens))

    async def _check_parts(self, current: Exchange) -> None:
        budget = self.budget
        limits = (budget.instructions, budget.tools, budget.examples, budget.message)
        if any(limit is not None for limit in limits):
            error = part_over_budget(await self._parts(current[:1]), budget)
            if error is not None:
                raise error

    async def _length(self, messages: Sequence[Message]) -> int:
        return await self.counts.prompt(self.form(self.prompt_of(messages)))

    async def _parts(self, messages: Sequence[Message]) -> PartTokens:
        return await self.counts.parts(self.prompt_of(messages), form=self.form)


def _joined(exchanges: Sequence[Exchange]) -> Exchange:
    return tuple(message for exchange in exchanges for message in exchange)


def _summary_of(conversation: Sequence[Message]) -> Summary | None:
    exchanges = split_exchanges(conversation)
    notes = read_notes(exchanges[0]) if len(exchanges) > 1 else None
    if notes is None:
        return None
    return Summary(
        text=notes.summary, facts=(*notes.user, *notes.tools, *notes.own), calls=notes.calls
    )
