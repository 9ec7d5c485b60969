"""The seam between agents and whatever runs a model: this file holds its protocols.

A runtime takes frozen request values and knows nothing of tools' code, agents or sessions.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from smallhold.generation import (
    Embedding,
    EmbedRequest,
    GenerationRequest,
    Prompt,
    ScoreRequest,
    Scores,
)
from smallhold.messages import Completion
from smallhold.runtimes.limits import RuntimeLimits

if TYPE_CHECKING:
    from smallhold.engine.wire import Described


class TokenStream(Protocol):
    """A generation under way. Leaving its context stops it within one forward pass."""

    def __aiter__(self) -> AsyncIterator[str]:
        """Hand out pieces of text in order; ends when the generation ends."""
        ...

    @property
    def completion(self) -> Completion:
        """The finished generation; only after the iterator has ended."""
        ...


class Runtime(Protocol):
    """Something that runs a model."""

    @property
    def name(self) -> str:
        """Name for errors and traces, such as `embedded:qwen2.5-coder-0.5b`."""
        ...

    @property
    def limits(self) -> RuntimeLimits:
        """What this runtime can do."""
        ...

    def stream(self, request: GenerationRequest) -> AbstractAsyncContextManager[TokenStream]:
        """Generate text.

        Raises:
            ContextOverflowError: the prompt leaves no room for an answer.
            UnsupportedSchemaError: the constraint cannot be enforced.
            UnknownAdapterError: the prompt names an adapter that the model was loaded without.
            DeadlineExceededError: the request's time was up.
            EngineError: the runtime cannot serve, now or at all.
        """
        ...

    async def score(self, request: ScoreRequest) -> Scores:
        """Score choices. Raises `UnsupportedFeatureError` without `Capability.SCORING`."""
        ...

    async def count_tokens(self, prompt: Prompt) -> int:
        """Count the prompt's tokens with the model's own tokenizer and chat template."""
        ...

    async def aclose(self) -> None:
        """Free the model's memory; a later request loads it again."""
        ...


@runtime_checkable
class WorkerRuntime(Protocol):
    """A runtime whose model is in a process of its own."""

    @property
    def worker_pid(self) -> int | None:
        """Process id of the worker, `None` while the model is not loaded."""
        ...

    async def describe(self) -> Described:
        """Load the model and say what it is and how the engine was built."""
        ...


@runtime_checkable
class Embedder(Protocol):
    """Something that turns prompts into vectors.

    A `Runtime` that is one as well says so with `Capability.EMBEDDING`. Vectors of different models
    or adapters have nothing to do with each other.
    """

    async def embed(self, request: EmbedRequest) -> Embedding:
        """Embed a prompt.

        Raises:
            ContextOverflowError: the prompt does not fit.
            UnknownAdapterError: the prompt names an adapter that the model was loaded without.
            UnsupportedFeatureError: the runtime lacks `Capability.EMBEDDING`.
        """
        ...
