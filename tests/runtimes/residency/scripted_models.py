"""Models that a test loads by hand: this file holds a `Loadable` over a scripted runtime."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import anyio

from smallhold.engine.config import ModelConfig
from smallhold.exceptions import SmallholdError
from smallhold.generation import GenerationRequest, Prompt, Scheduling
from smallhold.messages import Message, Role
from smallhold.models.machine.hardware import Hardware
from smallhold.models.machine.power import PowerState
from smallhold.runtimes import Runtime
from smallhold.runtimes.residency import (
    Footprint,
    ModelSpec,
    ProcessMemory,
    Residency,
    ResourceConfig,
)
from smallhold.testing import ManualClock, ScriptedRuntime

GB = 10**9
MB = 10**6


def machine(*, available_bytes: int = 100 * GB, total_bytes: int = 128 * GB) -> Hardware:
    return Hardware(
        system="Linux",
        machine="x86_64",
        cpu_model="a test's own",
        cpu_flags=frozenset(),
        physical_cores=8,
        logical_cores=8,
        usable_cores=8,
        total_memory_bytes=total_bytes,
        available_memory_bytes=available_bytes,
    )


@dataclass(slots=True, kw_only=True, eq=False)
class ScriptedModel:
    """A model that is loaded when the test says so, and tells what was done to it."""

    footprint: Footprint
    journal: list[str]
    name: str
    runtime: Runtime
    gate: anyio.Event | None = None
    """What a load waits for."""
    failures: list[SmallholdError] = field(default_factory=list[SmallholdError])
    """Errors of the next loads."""
    rss_bytes: int | None = None
    """What is measured while it is loaded; what was estimated if left out."""
    threads: int | None = None
    is_there: bool = False

    def estimate(self, hardware: Hardware) -> Footprint:
        del hardware
        return self.footprint

    def memory(self) -> ProcessMemory | None:
        if not self.is_there:
            return None
        rss_bytes = self.footprint.resident_bytes if self.rss_bytes is None else self.rss_bytes
        return ProcessMemory(rss_bytes=rss_bytes, private_bytes=rss_bytes)

    async def load(self, *, threads: int | None) -> None:
        if not self.is_there:
            self.is_there = True
            self.journal.append(f"load {self.name}")
        if self.gate is not None:
            await self.gate.wait()
        if self.failures:
            raise self.failures.pop(0)
        self.threads = threads

    def unload(self) -> None:
        if self.is_there:
            self.journal.append(f"unload {self.name}")
        self.is_there = False

    def crash(self) -> None:
        """End as a process does that was killed."""
        self.is_there = False


@dataclass(slots=True, eq=False)
class ManualBackground:
    """Runs work at once, and timers when the test says so."""

    timers: list[tuple[float, Callable[[], None]]] = field(
        default_factory=list[tuple[float, Callable[[], None]]]
    )

    def soon(self, work: Callable[[], None]) -> None:
        work()

    def later(self, delay_s: float, work: Callable[[], None]) -> Callable[[], None]:
        timer = (delay_s, work)
        self.timers.append(timer)

        def call_off() -> None:
            if timer in self.timers:
                self.timers.remove(timer)

        return call_off

    def ring(self) -> None:
        """Let the time of all timers be over."""
        timers, self.timers = self.timers, []
        for _, work in timers:
            work()


class House:
    """A residency whose machine, time and models a test holds in its hands."""

    def __init__(
        self,
        *,
        sizes: dict[str, int],
        config: ResourceConfig | None = None,
        hardware: Hardware | None = None,
        cache_bytes: int = 0,
    ) -> None:
        self.clock = ManualClock()
        self.background = ManualBackground()
        self.power = PowerState()
        self.hardware = hardware or machine()
        self.journal: list[str] = []
        self.models: dict[str, ScriptedModel] = {}
        self._sizes = sizes
        self._cache_bytes = cache_bytes
        self.residency = Residency(
            config or ResourceConfig(power_management=False),
            clock=self.clock,
            hardware=self._look,
            power=lambda: self.power,
            start=self._start,
            background=self.background,
        )

    def _look(self) -> Hardware:
        """The machine, with what loaded models have taken of it."""
        taken = [memory.private_bytes for it in self.models.values() if (memory := it.memory())]
        left = self.hardware.available_memory_bytes - sum(taken)
        return replace(self.hardware, available_memory_bytes=left)

    def _start(self, spec: ModelSpec) -> ScriptedModel:
        model = ScriptedModel(
            footprint=Footprint(
                resident_bytes=self._sizes[spec.name], cache_bytes=self._cache_bytes
            ),
            journal=self.journal,
            name=spec.name,
            runtime=ScriptedRuntime(lambda _: f"I am {spec.name}"),
        )
        self.models[spec.name] = model
        return model

    def spec(self, name: str, *, keep_alive_s: float | None = None) -> ModelSpec:
        config = ModelConfig(path=Path(f"{name}.gguf"), name=name)
        return ModelSpec(config=config, keep_alive_s=keep_alive_s)

    def use(self, spec: ModelSpec, name: str) -> ModelSpec:
        return replace(spec, config=replace(spec.config, name=name))


def asked(text: str = "hello", *, timeout_s: float | None = None) -> GenerationRequest:
    return GenerationRequest(
        prompt=Prompt(messages=(Message(role=Role.USER, content=text),)),
        scheduling=Scheduling(timeout_s=timeout_s),
    )


async def answer(runtime: Runtime, request: GenerationRequest | None = None) -> str:
    """Ask a runtime, and give the whole answer."""
    async with runtime.stream(request or asked()) as stream:
        return "".join([piece async for piece in stream])
