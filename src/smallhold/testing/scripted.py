"""A runtime that plays back a script: this file holds `ScriptedRuntime`.

It ships with the product, for users' tests and our own: no model, no process, the same contract.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

import anyio
import anyio.lowlevel

from smallhold.exceptions import (
    ConfigError,
    ContextOverflowError,
    ModelOutputError,
    ScriptExhaustedError,
    UnknownAdapterError,
    UnsupportedFeatureError,
)
from smallhold.generation import (
    Embedding,
    EmbedRequest,
    GenerationRequest,
    JsonSchemaConstraint,
    Prompt,
    ScoreRequest,
    Scores,
)
from smallhold.messages import (
    Completion,
    FinishReason,
    Message,
    Role,
    Timing,
    ToolCall,
    Usage,
)
from smallhold.runtimes.dialects import HERMES, JSON_LINES, CallDialect
from smallhold.runtimes.limits import OWN_DECODER, Capability, RuntimeLimits
from smallhold.runtimes.protocol import TokenStream
from smallhold.testing.bag_of_words import bag_of_words
from smallhold.testing.script import Call, Calls, Delay, Entry, Fault, Reply, Script

NATIVE: Final = frozenset({Capability.NATIVE_TOOL_CALLS})
"""Capabilities of a server that parses tool calls by itself."""
OWN_MODEL: Final = OWN_DECODER | {Capability.EMBEDDING}
"""Capabilities of a runtime that holds the model itself, as `EmbeddedRuntime` does."""
_UNLIKELY: Final = -20.0
_NO_FURTHER_CALL: Final = JSON_LINES.scored_name("done")
"""The last choice where an agent asks whether the same message needs one more call."""
_SAID_BY_CHOICE: Final = frozenset({"cannot_do"})
"""Special calls of agents that are complete with their name."""


class ScriptedRuntime:
    """Plays back given completions and faults, one entry for each decision or answer.

    Text is handed out word by word. Tokens are counted as words.

    Args:
        script: Entries in order; a plain string is an answer. Or a function, which is called with
            the prompt of each decision or answer, and gives the entry.
        capabilities: What the runtime claims to offer, such as `OWN_MODEL` or `NATIVE`.
        context_tokens: Longest prompt, in words.
        dialect: How the model would write a tool call as text.
        adapters: Names that prompts may choose an adapter by.
    """

    def __init__(
        self,
        script: Script = (),
        *,
        capabilities: frozenset[Capability] = OWN_MODEL,
        context_tokens: int = 4096,
        dialect: CallDialect = HERMES,
        adapters: Sequence[str] = (),
    ) -> None:
        self._script: Callable[[Prompt], Entry] | list[Entry] = (
            script if callable(script) else list(script)
        )
        self._pending: Entry | None = None
        self._further: list[Call] = []
        self._played = 0
        self._adapters = tuple(adapters)
        self._limits = RuntimeLimits(
            context_tokens=context_tokens, capabilities=capabilities, dialect=dialect
        )
        self._last: Entry | None = None
        self.requests: list[GenerationRequest] = []
        """Every generation asked for, for tests to look at."""

    @property
    def name(self) -> str:
        """`scripted`."""
        return "scripted"

    @property
    def limits(self) -> RuntimeLimits:
        """What the runtime claims to offer."""
        return self._limits

    @asynccontextmanager
    async def stream(self, request: GenerationRequest) -> AsyncGenerator[TokenStream]:
        """Play the next entry."""
        prompt_tokens = await self._fit(request.prompt)
        again = self._repeated_call(request)
        self.requests.append(request)
        entry = await self._next(request) if again is None else again
        self._last = entry
        yield _ScriptedStream(entry, request, prompt_tokens)

    async def score(self, request: ScoreRequest) -> Scores:
        """Make the next entry's tool the likeliest choice, or the last choice before an answer.

        Raises:
            ConfigError: There is nothing to choose from.
            UnsupportedFeatureError: The claimed capabilities lack scoring.
        """
        self._require(Capability.SCORING, feature="the scoring of choices")
        if not request.choices or "" in request.choices:
            raise ConfigError(
                field="choices", value=request.choices, remedy="give choices that are not empty"
            )
        prompt_tokens = await self._fit(request.prompt)
        chosen = await self._chosen(request)
        return Scores(
            log_probs=tuple(
                0.0 if index == chosen else _UNLIKELY for index in range(len(request.choices))
            ),
            baseline_log_probs=None if request.baseline is None else (0.0,) * len(request.choices),
            token_counts=tuple(len(choice.split()) for choice in request.choices),
            usage=Usage(prompt_tokens=prompt_tokens, passes=1),
        )

    async def embed(self, request: EmbedRequest) -> Embedding:
        """Count the prompt's words into a vector; uses nothing of the script up.

        Every pooling gives the same vector: words have no order here.

        Raises:
            UnsupportedFeatureError: The claimed capabilities lack embedding.
        """
        self._require(Capability.EMBEDDING, feature="embeddings")
        prompt_tokens = await self._fit(request.prompt)
        return Embedding(
            vector=bag_of_words(request.prompt),
            usage=Usage(prompt_tokens=prompt_tokens, passes=1),
        )

    async def count_tokens(self, prompt: Prompt) -> int:
        """Count words."""
        tools = sum(
            len(f"{tool.description} {json.dumps(tool.parameters)}".split())
            for tool in prompt.tools
        )
        return tools + sum(len(message.content.split()) for message in prompt.messages)

    async def aclose(self) -> None:
        """Nothing to free."""

    def _require(self, capability: Capability, *, feature: str) -> None:
        if capability not in self._limits.capabilities:
            raise UnsupportedFeatureError(
                runtime=self.name,
                feature=feature,
                remedy="Give `ScriptedRuntime` the capabilities `OWN_MODEL`.",
            )

    async def _fit(self, prompt: Prompt) -> int:
        if prompt.adapter is not None and prompt.adapter not in self._adapters:
            raise UnknownAdapterError(adapter=prompt.adapter, known=self._adapters)
        tokens = await self.count_tokens(prompt)
        if tokens >= self._limits.context_tokens:
            raise ContextOverflowError(
                prompt_tokens=tokens, limit_tokens=self._limits.context_tokens
            )
        return tokens

    def _repeated_call(self, request: GenerationRequest) -> Call | None:
        """Find the call whose arguments are decoded a second time, under a narrower schema.

        An agent does so when nobody mentioned a value; it is still the same decision.
        """
        is_same = bool(self.requests) and self.requests[-1].prompt == request.prompt
        if is_same and isinstance(request.constraint, JsonSchemaConstraint):
            return self._last if isinstance(self._last, Call) else None
        return None

    async def _chosen(self, request: ScoreRequest) -> int:
        choices = request.choices
        if choices[-1] == _NO_FURTHER_CALL:
            wanted = self._further[0].name if self._further else None
        else:
            self._further.clear()
            entry = await self._peek(request.prompt, "a decision")
            first = entry.calls[0] if isinstance(entry, Calls) else entry
            wanted = first.name if isinstance(first, Call) else None
        scored = None if wanted is None else JSON_LINES.scored_name(wanted)
        chosen = choices.index(scored) if scored in choices else len(choices) - 1
        if wanted in _SAID_BY_CHOICE and scored in choices:
            self._use_up()
        return chosen

    async def _peek(self, prompt: Prompt, asked_for: str) -> Entry:
        while True:
            if self._pending is None:
                self._pending = self._entry(prompt, asked_for)
            if not isinstance(self._pending, Delay):
                return self._pending
            delay = self._pending
            self._use_up()
            await anyio.sleep(delay.seconds)

    def _entry(self, prompt: Prompt, asked_for: str) -> Entry:
        if callable(self._script):
            return self._script(prompt)
        if self._played >= len(self._script):
            raise ScriptExhaustedError(asked_for=asked_for, played=self._played)
        return self._script[self._played]

    async def _next(self, request: GenerationRequest) -> Entry:
        is_call = isinstance(request.constraint, JsonSchemaConstraint)
        if is_call and self._further:
            return self._further.pop(0)
        entry = await self._peek(request.prompt, "a generation")
        self._use_up()
        if is_call and isinstance(entry, Calls):
            first, *self._further = entry.calls
            return first
        return entry

    def _use_up(self) -> None:
        self._pending = None
        self._played += 1


class _ScriptedStream:
    def __init__(self, entry: Entry, request: GenerationRequest, prompt_tokens: int) -> None:
        self._entry = Reply(text=entry) if isinstance(entry, str) else entry
        self._request = request
        self._prompt_tokens = prompt_tokens
        self._completion: Completion | None = None
        self._pieces = self._play()

    @property
    def completion(self) -> Completion:
        if self._completion is None:
            raise ModelOutputError(runtime="scripted", problem="the stream has not ended yet")
        return self._completion

    def __aiter__(self) -> AsyncIterator[str]:
        return self._pieces

    async def _play(self) -> AsyncGenerator[str]:
        match self._entry:
            case Fault(error=error, after_text=text):
                for word in words(text):
                    yield word
                raise error
            case Call() as planned if self._request.constraint is None:
                self._finish("", (planned,))
            case Calls(calls=calls, text=text):
                for word in words(text):
                    yield word
                self._finish(text, calls if self._request.constraint is None else ())
            case Call() if not isinstance(self._request.constraint, JsonSchemaConstraint):
                # Asked for prose, a model that only wants to call has nothing to say.
                self._finish("", ())
            case Call() as planned:
                text = json.dumps(planned.arguments) + _closing(self._request)
                reason = FinishReason.LENGTH if planned.is_cut else FinishReason.STOP
                shown = text[: len(text) // 2] if planned.is_cut else text
                yield shown
                self._finish(shown, (), reason=reason)
            case Reply(text=text, finish_reason=reason):
                shown = words(text)[: self._request.max_tokens]
                for word in shown:
                    yield word
                    await anyio.lowlevel.checkpoint()
                is_cut = "".join(shown) != text
                self._finish("".join(shown), (), reason=FinishReason.LENGTH if is_cut else reason)
            case Delay():
                return

    def _finish(
        self, text: str, planned: Sequence[Call], *, reason: FinishReason = FinishReason.STOP
    ) -> None:
        calls = tuple(
            ToolCall(
                id="scripted",
                name=call.name,
                arguments=call.arguments,
                raw_arguments=call.raw_arguments,
            )
            for call in planned
        )
        if planned:
            reason = FinishReason.LENGTH if planned[-1].is_cut else FinishReason.TOOL_CALLS
        tokens = len(words(text))
        self._completion = Completion(
            message=Message(role=Role.ASSISTANT, content=text, tool_calls=calls),
            usage=Usage(
                prompt_tokens=self._prompt_tokens, completion_tokens=tokens, passes=max(1, tokens)
            ),
            timing=Timing(),
            finish_reason=reason,
        )


def _closing(request: GenerationRequest) -> str:
    constraint = request.constraint
    return constraint.closing if isinstance(constraint, JsonSchemaConstraint) else ""


def words(text: str) -> list[str]:
    """Split text into words that keep their following white space; joined they are the text."""
    pieces: list[str] = []
    for part in text.split(" "):
        pieces.append(part if not pieces else f" {part}")
    return [piece for piece in pieces if piece]
