"""How long texts and prompts are: this file holds counts by the model's own tokenizer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from hashlib import blake2b
from itertools import takewhile
from typing import Final, TypeAlias

from smallhold.agents.context.fitted import PartTokens
from smallhold.agents.context.rendering import calls_text
from smallhold.engine.recent import RecentValues
from smallhold.generation import Prompt
from smallhold.messages import Message, Role
from smallhold.runtimes.protocol import Runtime

PromptForm: TypeAlias = Callable[[Prompt], Prompt]
"""Writes a prompt in the form that suits the model best, such as tools within the first message."""

_REMEMBERED_COUNTS: Final = 4_096
"""Messages of a hundred sessions; a count takes about 100 bytes."""
_PROBE: Final = Message(role=Role.USER, content="x")
"""One token in any vocabulary, and a conversation that any chat template takes."""


def as_it_is(prompt: Prompt) -> Prompt:
    """Leave a prompt's writing to the model's chat template."""
    return prompt


class TokenCounts:
    """Counts tokens, and remembers the counts of texts; each count is a round trip."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._known = RecentValues[bytes, int](limit=_REMEMBERED_COUNTS)
        self._scaffold_tokens: int | None = None

    async def prompt(self, prompt: Prompt) -> int:
        """Count a whole prompt, with what the chat template puts around it."""
        return await self._runtime.count_tokens(prompt)

    async def text(self, text: str) -> int:
        """Count a text alone."""
        if not text:
            return 0
        key = _key(text)
        known = self._known.get(key)
        if known is None:
            alone = replace(_PROBE, content=text)
            counted = await self._runtime.count_tokens(Prompt(messages=(alone,)))
            known = max(0, counted - await self._scaffold())
            self._known.put(key, known)
        return known

    async def message(self, message: Message) -> int:
        """Count a message's text and calls, without what the chat template puts around them."""
        return await self.text(message.content) + await self.text(calls_text(message.tool_calls))

    async def parts(self, prompt: Prompt, *, form: PromptForm) -> PartTokens:
        """Count the parts of a prompt.

        Args:
            prompt: A prompt with the parts in their own places.
            form: How it is written for the model.
        """
        leading = tuple(takewhile(lambda one: one.role is Role.SYSTEM, prompt.messages))
        examples = prompt.messages[len(leading) : len(leading) + prompt.fixed_messages]
        bare = replace(prompt, messages=(*leading, *examples, _PROBE))
        bare_tokens = await self._fixed(form(bare))
        untold = form(replace(bare, tools=()))
        tools = bare_tokens - await self._fixed(untold) if prompt.tools else 0
        unshown = replace(bare, messages=(*leading, _PROBE), fixed_messages=0)
        shown = bare_tokens - await self._fixed(form(unshown)) if examples else 0
        silent = tuple(replace(message, content="") for message in leading)
        empty = replace(unshown, messages=(*silent, _PROBE), tools=())
        added = await self._fixed(form(empty)) - 1
        return PartTokens(
            form=added,
            instructions=bare_tokens - tools - shown - added - 1,
            tools=tools,
            examples=shown,
            conversation=await self._fixed(form(prompt)) - bare_tokens + 1,
        )

    async def _fixed(self, prompt: Prompt) -> int:
        key = _key(repr(prompt))
        known = self._known.get(key)
        if known is None:
            known = await self._runtime.count_tokens(prompt)
            self._known.put(key, known)
        return known

    async def _scaffold(self) -> int:
        """Count what the chat template puts around one message of the user."""
        if self._scaffold_tokens is None:
            prompt = Prompt(messages=(_PROBE,))
            self._scaffold_tokens = await self._runtime.count_tokens(prompt) - 1
        return self._scaffold_tokens


def _key(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
