"""A model that is in memory when it is needed: this file holds the `ResidentRuntime`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar

from smallhold.exceptions import DeadlineExceededError, UnsupportedFeatureError
from smallhold.generation import (
    Embedding,
    EmbedRequest,
    GenerationRequest,
    Prompt,
    Scheduling,
    ScoreRequest,
    Scores,
)
from smallhold.messages import Completion
from smallhold.runtimes.limits import RuntimeLimits
from smallhold.runtimes.protocol import Embedder, Runtime, TokenStream, WorkerRuntime

if TYPE_CHECKING:
    from smallhold.engine.wire import Described
    from smallhold.runtimes.residency.residency import Residency
    from smallhold.runtimes.residency.residents import Resident
    from smallhold.runtimes.residency.specs import ModelSpec

_LEAST_S: Final = 0.001
"""A request that got its model at the last moment fails by its deadline, not by a bad value."""

Request = TypeVar("Request", GenerationRequest, ScoreRequest, EmbedRequest)


class ResidentRuntime:
    """A runtime whose model is loaded when it is asked something, and may be unloaded in between.

    Made by `Residency.runtime`. Several of them may stand for the same loaded model.
    """

    def __init__(self, residency: Residency, resident: Resident, *, spec: ModelSpec) -> None:
        self._residency = residency
        self._resident = resident
        self._spec = spec
        self._limits = replace(
            self._inner.limits, dialect=spec.dialect, calibration=spec.calibration
        )

    @property
    def name(self) -> str:
        """`embedded:` and the model's name."""
        return f"embedded:{self._spec.name}"

    @property
    def limits(self) -> RuntimeLimits:
        """Context window, capabilities and call dialect."""
        return self._limits

    @property
    def residency(self) -> Residency:
        """What decides whether the model is in memory."""
        return self._residency

    @property
    def worker_pid(self) -> int | None:
        """Process id of the worker, `None` while the model is not loaded."""
        inner = self._inner
        return inner.worker_pid if isinstance(inner, WorkerRuntime) else None

    @property
    def is_pinned(self) -> bool:
        """Whether this runtime has pinned the model."""
        return self in self._resident.pinners

    def pin(self) -> None:
        """Keep the model in memory once it is loaded, until `unpin` or `aclose`.

        It is then neither evicted nor unloaded when idle.
        """
        self._residency.pin(self, self._resident)

    def unpin(self) -> None:
        """Let the model be unloaded again."""
        self._residency.unpin(self, self._resident)

    async def load(self) -> None:
        """Bring the model into memory, before the first request needs it.

        Raises:
            MemoryRefusedError: it cannot fit.
            EngineError: it cannot be loaded.
        """
        async with self._residency.lease(self, self._resident, scheduling=Scheduling()):
            pass

    @asynccontextmanager
    async def stream(self, request: GenerationRequest) -> AsyncGenerator[TokenStream]:
        """Generate text; leaving the block stops the worker within one forward pass."""
        async with (
            self._lease(request.scheduling) as waited_s,
            self._inner.stream(_in_time(request, waited_s)) as stream,
        ):
            yield _WaitedStream(stream, waited_s=waited_s)

    async def score(self, request: ScoreRequest) -> Scores:
        """Score all choices in one forward pass, after the prompt's own."""
        async with self._lease(request.scheduling) as waited_s:
            return await self._inner.score(_in_time(request, waited_s))

    async def embed(self, request: EmbedRequest) -> Embedding:
        """Read the hidden states that the prompt leaves in the model."""
        inner = self._inner
        if not isinstance(inner, Embedder):
            raise UnsupportedFeatureError(
                runtime=self.name, feature="embeddings", remedy="Choose a model that embeds."
            )
        async with self._lease(request.scheduling) as waited_s:
            return await inner.embed(_in_time(request, waited_s))

    async def count_tokens(self, prompt: Prompt) -> int:
        """Count with the model's own tokenizer and chat template."""
        async with self._lease(Scheduling()):
            return await self._inner.count_tokens(prompt)

    async def describe(self) -> Described:
        """Load the model and say what it is and how the engine was built.

        Raises:
            UnsupportedFeatureError: the model is not in a worker process.
        """
        inner = self._inner
        if not isinstance(inner, WorkerRuntime):
            raise UnsupportedFeatureError(
                runtime=self.name, feature="a description", remedy="Use an embedded model."
            )
        async with self._lease(Scheduling()):
            return await inner.describe()

    async def aclose(self) -> None:
        """Unload the model, unless another runtime uses it; a later request loads it again."""
        await self._residency.release(self, self._resident)

    @property
    def _inner(self) -> Runtime:
        return self._resident.loadable.runtime

    @asynccontextmanager
    async def _lease(self, scheduling: Scheduling) -> AsyncGenerator[float]:
        lease = self._residency.lease(self, self._resident, scheduling=scheduling)
        async with lease as waited_s:
            try:
                yield waited_s
            except DeadlineExceededError as error:
                if scheduling.timeout_s is None:
                    raise
                # The worker knows only of the time that the wait for the model has left.
                raise DeadlineExceededError(limit_s=scheduling.timeout_s) from error


class _WaitedStream:
    """A stream whose timing begins when the request came, not when its model was there."""

    def __init__(self, stream: TokenStream, *, waited_s: float) -> None:
        self._stream = stream
        self._waited_s = waited_s

    @property
    def completion(self) -> Completion:
        completion = self._stream.completion
        timing = completion.timing
        return replace(
            completion,
            timing=replace(
                timing,
                queued_s=timing.queued_s + self._waited_s,
                first_token_s=timing.first_token_s + self._waited_s,
                total_s=timing.total_s + self._waited_s,
            ),
        )

    def __aiter__(self) -> AsyncIterator[str]:
        return self._stream.__aiter__()


def _in_time(request: Request, waited_s: float) -> Request:
    """Give a request the time that is left of its own."""
    timeout_s = request.scheduling.timeout_s
    if timeout_s is None:
        return request
    left_s = max(_LEAST_S, timeout_s - waited_s)
    return replace(request, scheduling=replace(request.scheduling, timeout_s=left_s))
