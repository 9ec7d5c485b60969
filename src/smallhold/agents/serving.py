"""What an agent's runs run on: this file holds the choice of model, and the turn to begin."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from smallhold.agents.context import ContextBudget, ContextFitter
from smallhold.agents.deadline import Deadline
from smallhold.runtimes.protocol import Runtime
from smallhold.runtimes.residency.degrading import DegradingRuntime
from smallhold.runtimes.residency.residency import Residency


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What one run runs on."""

    runtime: Runtime
    fitter: ContextFitter

    @property
    def is_degraded(self) -> bool:
        """Whether a smaller model than the agent's own has answered."""
        return isinstance(self.runtime, DegradingRuntime) and self.runtime.is_degraded


@dataclass(slots=True, kw_only=True)
class Serving:
    """Gives each run a model, when it is its turn."""

    runtime: Runtime
    """The agent's own model."""
    budget: ContextBudget
    smaller: Runtime | None = None
    """The model that stands in for it under pressure."""
    residency: Residency | None = None
    """What keeps the models in memory; `None` with a runtime of the user's own."""
    _fitter: ContextFitter = field(init=False)

    def __post_init__(self) -> None:
        """Make what is the same for all runs."""
        self._fitter = ContextFitter(self.runtime, budget=self.budget)

    @asynccontextmanager
    async def serve(self, deadline: Deadline) -> AsyncGenerator[Served]:
        """Wait for the run's turn, and choose its model.

        Raises:
            DeadlineExceededError: the run's time was up first.
        """
        async with AsyncExitStack() as stack:
            if self.residency is not None:
                place = self.residency.runs.hold()
                await deadline.within(stack.enter_async_context(place))
            yield await self._chosen()

    async def aclose(self) -> None:
        """Free the models' memory."""
        await self.runtime.aclose()
        if self.smaller is not None:
            await self.smaller.aclose()

    async def _chosen(self) -> Served:
        if self.smaller is None:
            return Served(runtime=self.runtime, fitter=self._fitter)
        is_strained = self.residency is not None and (await self.residency.look()).prefers_smaller
        runtime = DegradingRuntime(self.runtime, self.smaller, is_degraded=is_strained)
        # What is counted belongs to the tokenizer that has counted it.
        return Served(runtime=runtime, fitter=ContextFitter(runtime, budget=self.budget))
