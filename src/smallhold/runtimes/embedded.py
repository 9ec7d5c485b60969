"""A model in our own worker process: this file holds the embedded runtime."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

from smallhold.engine.client import Connection, Engine
from smallhold.engine.config import ModelConfig
from smallhold.engine.wire import (
    Count,
    Counted,
    Describe,
    Described,
    Embedded,
    Finished,
    Scored,
    SetThreads,
    TextDelta,
    ThreadsSet,
    to_embed,
    to_generate,
    to_score,
    to_wire_prompt,
)
from smallhold.exceptions import ConfigError, ModelOutputError
from smallhold.generation import (
    Embedding,
    EmbedRequest,
    GenerationRequest,
    Prompt,
    ScoreRequest,
    Scores,
)
from smallhold.messages import Completion, FinishReason, Message, Role, Timing
from smallhold.models.calibration import Calibration
from smallhold.models.gguf.header import read_gguf_header
from smallhold.runtimes.dialects import HERMES, CallDialect
from smallhold.runtimes.limits import Capability, RuntimeLimits
from smallhold.runtimes.protocol import TokenStream


class EmbeddedRuntime:
    """Runs a GGUF file in a worker process, through llama.cpp.

    The model is loaded at the first request. Requests that come at the same time share its forward
    passes.

    Raises:
        InvalidGGUFError: a file (the model's, an adapter's or the draft model's) is not sound; no
            native code has seen it.
    """

    def __init__(
        self,
        config: ModelConfig,
        *,
        dialect: CallDialect = HERMES,
        calibration: Calibration | None = None,
    ) -> None:
        header = read_gguf_header(config.path)
        for path in (*config.adapters.values(), config.draft_path):
            if path is not None:
                read_gguf_header(path)
        trained = header.context_length or config.context_tokens
        self._engine = Engine(config)
        self._limits = RuntimeLimits(
            context_tokens=min(config.context_tokens, trained),
            capabilities=frozenset({
                Capability.CONSTRAINTS,
                Capability.CONTINUATION,
                Capability.SCORING,
                Capability.EMBEDDING,
            }),
            dialect=dialect,
            calibration=calibration,
        )

    @property
    def name(self) -> str:
        """`embedded:` and the model's name."""
        return f"embedded:{self._engine.config.name}"

    @property
    def limits(self) -> RuntimeLimits:
        """Context window, capabilities and call dialect."""
        return self._limits

    @property
    def worker_pid(self) -> int | None:
        """Process id of the worker, `None` while the model is not loaded."""
        return self._engine.pid

    @asynccontextmanager
    async def stream(self, request: GenerationRequest) -> AsyncGenerator[TokenStream]:
        """Generate text; leaving the block stops the worker within one forward pass."""
        async with self._engine.request(to_generate(request)) as connection:
            yield _EmbeddedStream(connection, runtime=self.name)

    async def score(self, request: ScoreRequest) -> Scores:
        """Score all choices in one forward pass, after the prompt's own."""
        async with self._engine.request(to_score(request)) as connection:
            match await connection.receive():
                case Scored() as scored:
                    return _to_scores(scored)
                case other:
                    raise _unexpected(self.name, other)

    async def embed(self, request: EmbedRequest) -> Embedding:
        """Read the hidden states that the prompt leaves in the model."""
        async with self._engine.request(to_embed(request)) as connection:
            match await connection.receive():
                case Embedded(vector=vector, usage=usage):
                    return Embedding(vector=tuple(vector), usage=usage)
                case other:
                    raise _unexpected(self.name, other)

    async def count_tokens(self, prompt: Prompt) -> int:
        """Count with the model's own tokenizer and chat template."""
        async with self._engine.request(Count(prompt=to_wire_prompt(prompt))) as connection:
            match await connection.receive():
                case Counted(tokens=tokens):
                    return tokens
                case other:
                    raise _unexpected(self.name, other)

    async def describe(self) -> Described:
        """Load the model and say what it is and how the engine was built."""
        async with self._engine.request(Describe()) as connection:
            match await connection.receive():
                case Described() as described:
                    return described
                case other:
                    raise _unexpected(self.name, other)

    async def set_threads(self, threads: int | None) -> int:
        """Load the model unless it is, and have it compute with at most so many threads.

        Passes under way are finished as they were begun. A worker that is started anew computes
        with the threads that its settings say.

        Args:
            threads: At least 1; `None` takes what the settings say.

        Returns:
            The threads that tokens are computed with now.
        """
        if threads is not None and threads < 1:
            raise ConfigError(field="threads", value=threads, remedy="give 1 or more")
        async with self._engine.request(SetThreads(threads=threads)) as connection:
            match await connection.receive():
                case ThreadsSet(threads=used):
                    return used
                case other:
                    raise _unexpected(self.name, other)

    async def aclose(self) -> None:
        """End the worker; its memory is free when this returns."""
        self.close()

    def close(self) -> None:
        """End the worker from synchronous code; its memory is free when this returns."""
        self._engine.close()


class _EmbeddedStream:
    def __init__(self, connection: Connection, *, runtime: str) -> None:
        self._connection = connection
        self._runtime = runtime
        self._completion: Completion | None = None
        self._pieces = self._receive()

    @property
    def completion(self) -> Completion:
        if self._completion is None:
            raise ModelOutputError(runtime=self._runtime, problem="the stream has not ended yet")
        return self._completion

    def __aiter__(self) -> AsyncIterator[str]:
        return self._pieces

    async def _receive(self) -> AsyncGenerator[str]:
        pieces: list[str] = []
        while self._completion is None:
            match await self._connection.receive():
                case TextDelta(text=text):
                    pieces.append(text)
                    yield text
                case Finished() as finished:
                    self._completion = _to_completion(finished, text="".join(pieces))
                case other:
                    raise _unexpected(self._runtime, other)


def _to_scores(scored: Scored) -> Scores:
    baseline = scored.baseline_log_probs
    return Scores(
        log_probs=tuple(scored.log_probs),
        baseline_log_probs=None if baseline is None else tuple(baseline),
        token_counts=tuple(scored.token_counts),
        usage=scored.usage,
    )


def _to_completion(finished: Finished, *, text: str) -> Completion:
    return Completion(
        message=Message(role=Role.ASSISTANT, content=text),
        usage=finished.usage,
        timing=Timing(
            queued_s=finished.queued_s,
            first_token_s=finished.first_token_s,
            total_s=finished.total_s,
        ),
        finish_reason=FinishReason(finished.finish_reason),
    )


def _unexpected(runtime: str, reply: object) -> ModelOutputError:
    return ModelOutputError(runtime=runtime, problem=f"an unexpected {type(reply).__name__}")
