"""The model of a case as a runtime: this file holds the two doubles that agents run on.

One is a server that parses calls by itself, and passes on what it could not parse. The other lets
`ScriptedRuntime` play the model one entry at a time, under the agent's own decoder.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import anyio.lowlevel

from smallhold.evals.faults.case import FaultCase
from smallhold.evals.faults.model import Calls, Form, Line, Reply, Wish
from smallhold.evals.faults.stage import Stage, json_object, prompt_tokens, spoken
from smallhold.evals.faults.wire import call_key, pieces
from smallhold.exceptions import (
    ModelOutputError,
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
from smallhold.runtimes import Capability, RuntimeLimits, TokenStream
from smallhold.runtimes.dialects import HERMES
from smallhold.testing import OWN_MODEL, Call, Entry, ScriptedRuntime
from smallhold.testing import Reply as ScriptedReply

NAME: Final = "fault-model"
_NO_MORE: Final = ScriptedReply(text="")


def runtime_of(stage: Stage) -> NativeModel | DecodedModel:
    """Make the runtime of a stage's form."""
    return NativeModel(stage) if stage.form is Form.NATIVE else DecodedModel(stage)


class NativeModel:
    """A runtime whose server parses the model's calls."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._limits = RuntimeLimits(
            context_tokens=stage.case.limits.context_tokens,
            capabilities=frozenset({Capability.NATIVE_TOOL_CALLS}),
            dialect=HERMES,
        )

    @property
    def name(self) -> str:
        """`fault-model`."""
        return NAME

    @property
    def limits(self) -> RuntimeLimits:
        """A server's: native calls, no grammar and no scores."""
        return self._limits

    @asynccontextmanager
    async def stream(self, request: GenerationRequest) -> AsyncGenerator[TokenStream]:
        """Let the model speak."""
        lines = lines_of(request.prompt)
        reply = self._stage.reply(lines, tools=[tool.name for tool in request.prompt.tools])
        yield _Spoken(reply, request, prompt_tokens(lines), turn=self._stage.model_calls)

    async def score(self, request: ScoreRequest) -> Scores:
        """Refuse: a server gives no scores."""
        del request
        raise _refusal(feature="the scoring of choices")

    async def embed(self, request: EmbedRequest) -> Embedding:
        """Refuse: a server gives no vectors."""
        del request
        raise _refusal(feature="embeddings")

    async def count_tokens(self, prompt: Prompt) -> int:
        """Count characters, four a token."""
        return prompt_tokens(lines_of(prompt))

    async def aclose(self) -> None:
        """Nothing to free."""


class DecodedModel:
    """A runtime whose decoder is the agent's: what the model wants is scored and decoded."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._waiting: deque[Entry] = deque()
        self._current = self._player(())
        self._is_decided = False
        self._read: tuple[Message, ...] = ()

    @property
    def name(self) -> str:
        """`fault-model`."""
        return NAME

    @property
    def limits(self) -> RuntimeLimits:
        """Those of a model that the program itself holds."""
        return self._current.limits

    @asynccontextmanager
    async def stream(self, request: GenerationRequest) -> AsyncGenerator[TokenStream]:
        """Let the model speak, under the request's constraint."""
        played = self._current.requests
        is_again = bool(played) and played[-1].prompt == request.prompt
        # The same prompt under a narrower schema is the same decision; the player knows that.
        if not (is_again and isinstance(request.constraint, JsonSchemaConstraint)):
            self._advance(request.prompt)
        async with self._current.stream(request) as stream:
            yield stream

    async def score(self, request: ScoreRequest) -> Scores:
        """Make what the model wants next the likeliest choice."""
        self._advance(request.prompt)
        return await self._current.score(request)

    async def embed(self, request: EmbedRequest) -> Embedding:
        """Count words."""
        return await self._current.embed(request)

    async def count_tokens(self, prompt: Prompt) -> int:
        """Count words."""
        return await self._current.count_tokens(prompt)

    async def aclose(self) -> None:
        """Nothing to free."""

    def _advance(self, prompt: Prompt) -> None:
        """Take the next entry, unless the current one has been decided on and not yet written."""
        if self._is_decided and not self._current.requests:
            return
        # Asked for more calls after one that it has just written, the model has read nothing new.
        is_same_reply = self._read == prompt.messages
        self._is_decided = bool(self._waiting) or not is_same_reply
        if not self._waiting and is_same_reply:
            self._current = self._player([_NO_MORE])
            return
        if not self._waiting:
            self._read = prompt.messages
            reply = self._stage.reply(lines_of(prompt), tools=[tool.name for tool in prompt.tools])
            self._waiting.extend(entries(reply, case=self._stage.case))
        self._current = self._player([self._waiting.popleft()])

    def _player(self, script: Sequence[Entry]) -> ScriptedRuntime:
        return ScriptedRuntime(
            script,
            capabilities=OWN_MODEL,
            context_tokens=self._stage.case.limits.context_tokens,
        )


class _Spoken:
    def __init__(
        self, reply: Reply, request: GenerationRequest, prompt_tokens: int, *, turn: int
    ) -> None:
        self._reply = reply
        self._text, self._is_cut = spoken(reply, max_tokens=request.max_tokens)
        self._prompt_tokens = prompt_tokens
        self._turn = turn
        self._completion: Completion | None = None

    @property
    def completion(self) -> Completion:
        if self._completion is None:
            raise ModelOutputError(runtime=NAME, problem="the stream has not ended yet")
        return self._completion

    async def __aiter__(self) -> AsyncIterator[str]:
        for piece in pieces(self._text):
            yield piece
            await anyio.lowlevel.checkpoint()
        self._completion = self._complete()

    def _complete(self) -> Completion:
        wishes = self._reply.wishes if isinstance(self._reply, Calls) else ()
        calls = tuple(
            parsed_call(wish, key=call_key(self._turn, number))
            for number, wish in enumerate(wishes)
        )
        reason = FinishReason.TOOL_CALLS if calls else FinishReason.STOP
        tokens = len(self._text.split())
        return Completion(
            message=Message(role=Role.ASSISTANT, content=self._text, tool_calls=calls),
            usage=Usage(
                prompt_tokens=self._prompt_tokens, completion_tokens=tokens, passes=max(1, tokens)
            ),
            timing=Timing(),
            finish_reason=FinishReason.LENGTH if self._is_cut else reason,
        )


def parsed_call(wish: Wish, *, key: str) -> ToolCall:
    """Parse a call as a server does, which hands on what is not JSON."""
    arguments = json_object(wish.arguments)
    return ToolCall(
        id=key,
        name=wish.name,
        arguments={} if arguments is None else arguments,
        raw_arguments=wish.arguments if arguments is None else None,
    )


def entries(reply: Reply, *, case: FaultCase) -> list[Entry]:
    """Write a reply as entries of `ScriptedRuntime`, one for each decision."""
    if isinstance(reply, Calls):
        return [
            Call(
                name=wish.name,
                arguments=json_object(wish.arguments) or {},
                is_cut=reply.is_cut,
            )
            for wish in reply.wishes
        ]
    text, is_cut = spoken(reply, max_tokens=case.limits.answer_tokens)
    reason = FinishReason.LENGTH if is_cut else FinishReason.STOP
    return [ScriptedReply(text=text, finish_reason=reason)]


def lines_of(prompt: Prompt) -> tuple[Line, ...]:
    """Give a prompt's messages as the model of a case reads them."""
    return tuple(Line(role=message.role, text=message.content) for message in prompt.messages)


def _refusal(*, feature: str) -> UnsupportedFeatureError:
    return UnsupportedFeatureError(
        runtime=NAME, feature=feature, remedy="Ask a runtime of the form `OWN_DECODER`."
    )
