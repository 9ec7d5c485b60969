"""The model speaks: this file holds how a generation is shown while it streams.

What may be the beginning of a call is held back, a blank beginning too, and a model that says the
same over and over is stopped.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final, TypeAlias

from smallhold.agents.deadline import Deadline
from smallhold.agents.loops import is_repeating_text
from smallhold.agents.text_calls import BrokenCall, CallScanner, ScanEnd, TextCall
from smallhold.generation import GenerationRequest, JsonSchemaConstraint
from smallhold.messages import Completion, FinishReason, ToolCall, ToolSchema, Usage
from smallhold.runtimes.protocol import Runtime

_LONGEST_TOKEN_CHARS: Final = 32
"""No vocabulary in use has many longer ones; a server that exceeds this for all of its tokens does
not keep to `max_tokens`."""
_LOOK_EVERY_CHARS: Final = 48
"""Text after which repetition is looked for again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """A finished generation."""

    text: str
    """What was shown of it."""
    native_calls: tuple[ToolCall, ...]
    """Calls that the runtime itself returned."""
    text_calls: tuple[TextCall | BrokenCall, ...]
    """Calls that came as text; none where the runtime returned some."""
    finish_reason: FinishReason
    usage: Usage
    is_repeating: bool = False
    """It was stopped, since it said the same over and over."""


Spoken: TypeAlias = "str | Speech"


@dataclass(slots=True, kw_only=True)
class Speaker:
    """Shows one generation.

    Iterate `pieces` once: first the text as it may be shown, then the whole as a `Speech`.
    """

    runtime: Runtime
    request: GenerationRequest
    tools: tuple[ToolSchema, ...]
    """Tools whose calls may come as text."""
    deadline: Deadline
    raw: str = ""
    """All that the model wrote."""
    text: str = ""
    """What of it is no call."""
    shown: str = ""
    tokens: int = 0
    is_repeating: bool = False

    async def pieces(self) -> AsyncGenerator[Spoken]:
        """Stream the generation. Close the generator if you do not exhaust it."""
        scanner = CallScanner(self.tools)
        async with AsyncExitStack() as stack:
            stream = await self.deadline.within(
                stack.enter_async_context(self.runtime.stream(self.request))
            )
            pieces = aiter(stream)
            is_stopped = False
            while not is_stopped:
                piece = await self.deadline.within(anext(pieces, None))
                if piece is None:
                    break
                if shown := self._new(scanner.feed(piece)):
                    yield shown  # noqa: ASYNC119 - callers close this generator
                is_stopped = self._must_stop(piece)
            completion = None if is_stopped else stream.completion
        end = scanner.finish()
        if (completion is not None or end.calls) and (rest := self._new(end.rest)):
            yield rest
        yield await self._speech(completion, end)

    def _new(self, text: str) -> str:
        """Give what can be shown by now; a blank beginning waits for words that may never come."""
        self.text += text
        if not self.text.strip():
            return ""
        new, self.shown = self.text[len(self.shown) :], self.text
        return new

    def _must_stop(self, piece: str) -> bool:
        before, now = len(self.raw), len(self.raw) + len(piece)
        self.raw += piece
        self.tokens += 1
        if isinstance(self.request.constraint, JsonSchemaConstraint):
            return False
        if before // _LOOK_EVERY_CHARS != now // _LOOK_EVERY_CHARS:
            self.is_repeating = is_repeating_text(self.raw)
        return self.is_repeating or now > self.request.max_tokens * _LONGEST_TOKEN_CHARS

    async def _speech(self, completion: Completion | None, end: ScanEnd) -> Speech:
        if completion is None:
            return Speech(
                text=self.text,
                native_calls=(),
                text_calls=end.calls,
                finish_reason=FinishReason.LENGTH,
                usage=await self._spent(),
                is_repeating=self.is_repeating,
            )
        native = completion.message.tool_calls
        return Speech(
            text=self.text,
            native_calls=native,
            text_calls=() if native else end.calls,
            finish_reason=completion.finish_reason,
            usage=completion.usage,
        )

    async def _spent(self) -> Usage:
        """Count what a generation cost that was stopped, and so has no account of its own."""
        prompt_tokens = await self.deadline.within(self.runtime.count_tokens(self.request.prompt))
        return Usage(prompt_tokens=prompt_tokens, completion_tokens=self.tokens, passes=self.tokens)
