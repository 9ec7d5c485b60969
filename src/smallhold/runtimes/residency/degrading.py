"""A smaller model under pressure: this file holds the runtime that falls back to it."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

from smallhold.exceptions import MemoryRefusedError, WorkerMemoryError
from smallhold.generation import GenerationRequest, Prompt, ScoreRequest, Scores
from smallhold.runtimes.limits import RuntimeLimits
from smallhold.runtimes.protocol import Runtime, TokenStream

_log = logging.getLogger(__name__)


class DegradingRuntime:
    """Runs a model, or a smaller one from the moment on at which memory refuses the first.

    For one run of an agent: once it has changed, it does not change back.
    """

    def __init__(self, preferred: Runtime, smaller: Runtime, *, is_degraded: bool) -> None:
        """Make a runtime.

        Args:
            preferred: The model that is meant.
            smaller: The one that stands in.
            is_degraded: Begin with the smaller one.
        """
        self._preferred = preferred
        self._smaller = smaller
        self.is_degraded = is_degraded
        """Whether the smaller model answers."""

    @property
    def name(self) -> str:
        """Name of the model that answers now."""
        return self._current.name

    @property
    def limits(self) -> RuntimeLimits:
        """What the model can do that answers now."""
        return self._current.limits

    @asynccontextmanager
    async def stream(self, request: GenerationRequest) -> AsyncGenerator[TokenStream]:
        """Generate text."""
        async with AsyncExitStack() as stack:
            try:
                stream = await stack.enter_async_context(self._current.stream(request))
            except (MemoryRefusedError, WorkerMemoryError) as error:
                self._degrade(error)
                stream = await stack.enter_async_context(self._smaller.stream(request))
            yield stream

    async def score(self, request: ScoreRequest) -> Scores:
        """Score choices."""
        try:
            return await self._current.score(request)
        except (MemoryRefusedError, WorkerMemoryError) as error:
            self._degrade(error)
            return await self._smaller.score(request)

    async def count_tokens(self, prompt: Prompt) -> int:
        """Count with the tokenizer of the model that answers now."""
        try:
            return await self._current.count_tokens(prompt)
        except (MemoryRefusedError, WorkerMemoryError) as error:
            self._degrade(error)
            return await self._smaller.count_tokens(prompt)

    async def aclose(self) -> None:
        """Free the memory of both models."""
        await self._preferred.aclose()
        await self._smaller.aclose()

    @property
    def _current(self) -> Runtime:
        return self._smaller if self.is_degraded else self._preferred

    def _degrade(self, error: MemoryRefusedError | WorkerMemoryError) -> None:
        """Change to the smaller model; where that has failed itself, there is no other."""
        if self.is_degraded:
            raise error
        self.is_degraded = True
        _log.warning(
            "residency.degraded",
            extra={"model": self._preferred.name, "instead": self._smaller.name},
        )
