"""What tests of agents share: this file holds a shop's desk and a runtime that is listened to."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace

import pytest

from smallhold.agents import Agent, Config
from smallhold.generation import GenerationRequest, Prompt, ScoreRequest, Scores
from smallhold.messages import Event
from smallhold.models.calibration import Calibration
from smallhold.runtimes import Capability, Runtime, RuntimeLimits, TokenStream
from smallhold.testing import NATIVE, OWN_DECODER


@dataclass
class Desk:
    """A shop whose tools note every run."""

    runs: list[str] = field(default_factory=list[str])

    def order_status(self, order_id: str) -> str:
        """Look up an order.

        Args:
            order_id: The number printed on the receipt.
        """
        self.runs.append(f"order_status({order_id})")
        return f"Order {order_id} is on its way."

    def stock(self, product: str, least: int = 1) -> dict[str, int]:
        """Count a product in the shop."""
        self.runs.append(f"stock({product}, {least})")
        return {product: 3}

    def call_back(self, phone: str) -> str:
        """Note a call-back."""
        self.runs.append(f"call_back({phone})")
        return "noted"

    def mail(self, email: str) -> str:
        """Send the catalog."""
        self.runs.append(f"mail({email})")
        return "sent"

    def broken(self) -> str:
        """Open the till."""
        self.runs.append("broken()")
        message = "the till is stuck"
        raise OSError(message)

    def agent(self, runtime: Runtime, config: Config | None = None) -> Agent:
        """Make an agent that serves at this desk."""
        return Agent(
            config or Config(name="desk"),
            runtime=runtime,
            tools=[self.order_status, self.stock, self.call_back, self.mail, self.broken],
        )


class ListenedRuntime:
    """Any runtime, with a note of every prompt that it was given, scored ones included."""

    def __init__(self, runtime: Runtime, *, calibration: Calibration | None = None) -> None:
        self._runtime = runtime
        self._calibration = calibration
        self.decisions: list[Prompt] = []
        self.generations: list[Prompt] = []
        self.baselines: list[Prompt] = []

    @property
    def name(self) -> str:
        return self._runtime.name

    @property
    def limits(self) -> RuntimeLimits:
        limits = self._runtime.limits
        return replace(limits, calibration=self._calibration) if self._calibration else limits

    def stream(self, request: GenerationRequest) -> AbstractAsyncContextManager[TokenStream]:
        self.generations.append(request.prompt)
        return self._runtime.stream(request)

    async def score(self, request: ScoreRequest) -> Scores:
        self.decisions.append(request.prompt)
        self.baselines += [] if request.baseline is None else [request.baseline]
        return await self._runtime.score(request)

    async def count_tokens(self, prompt: Prompt) -> int:
        return await self._runtime.count_tokens(prompt)

    async def aclose(self) -> None:
        await self._runtime.aclose()


class Listening:
    """Makes listened runtimes and reads streams to their end."""

    def to(self, runtime: Runtime, *, calibration: Calibration | None = None) -> ListenedRuntime:
        """Listen to a runtime, whose model may be one with a calibration."""
        return ListenedRuntime(runtime, calibration=calibration)

    async def events(self, stream: AsyncGenerator[Event]) -> list[Event]:
        return [event async for event in stream]


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def listening() -> Listening:
    return Listening()


@pytest.fixture(params=[OWN_DECODER, NATIVE], ids=["own-decoder", "native"])
def kind(request: pytest.FixtureRequest) -> frozenset[Capability]:
    """Each way in which a runtime can find calls."""
    return request.param
