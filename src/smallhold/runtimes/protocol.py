"""The seam between agents and whatever runs a model: this file holds the `Runtime` protocol.

A runtime takes frozen request values and knows nothing of tools' code, agents or sessions.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from smallhold.generation import GenerationRequest, Prompt, ScoreRequest, Scores
from smallhold.messages import Completion
from smallhold.runtimes.limits import RuntimeLimits


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
        """Generate text. Raises `ContextOverflowError`, `UnsupportedSchemaError`, `EngineError`."""
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
