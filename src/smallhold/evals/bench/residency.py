"""Suite `residency`: this file holds three models that share memory for one or two.

Several clients work through one skewed mix of requests, under a budget that does not hold all
models. Memory is sampled all the while, and loads are compared with what foresight would need.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import anyio

from smallhold.engine.config import ModelConfig
from smallhold.evals.bench.memory_sampling import MemorySamples, sampled_memory
from smallhold.evals.bench.optimal_loads import optimal_loads
from smallhold.evals.bench.request_mix import skewed_mix
from smallhold.evals.bench.warm_switch import warm_switch_ms
from smallhold.exceptions import ConfigError, SmallholdError
from smallhold.generation import GenerationRequest, Prompt
from smallhold.messages import JsonObject, Message, Role
from smallhold.runtimes.protocol import Runtime
from smallhold.runtimes.residency import Holding, ModelSpec, Residency, ResourceConfig
from smallhold.runtimes.residency.residents import REST_S

NAME: Final = "residency"
BUDGET: Final = "1.2GB"
REQUESTS: Final = 200
CLIENTS: Final = 4
SEED: Final = 6
SHARES: Final = (0.6, 0.3, 0.1)
"""Of the smallest model to the largest."""
ANSWER_TOKENS: Final = 6
CONTEXT_TOKENS: Final = 512
CACHE_BYTES: Final = 8 * 1024 * 1024
_WORDS: Final = ("water", "bread", "stone", "cloud", "river", "glass", "paper", "light")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResidencySetup:
    """What the suite is run with."""

    models: tuple[tuple[str, Path], ...]
    """Name and file of each, the most wanted first."""
    threads: int
    budget: str = BUDGET
    requests: int = REQUESTS
    clients: int = CLIENTS
    seed: int = SEED

    def __post_init__(self) -> None:
        """Check ranges. Raises `ConfigError`."""
        if not 1 <= len(self.models) <= len(SHARES):
            raise ConfigError(
                field="models", value=len(self.models), remedy=f"give 1 to {len(SHARES)}"
            )
        for name in ("threads", "requests", "clients"):
            value: int = getattr(self, name)
            if value < 1:
                raise ConfigError(field=name, value=value, remedy="give 1 or more")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResidencyReport:
    """What the suite found."""

    budget_bytes: int
    peak_rss_bytes: int
    """Of all worker processes together, mapped pages included, ten samples a second."""
    requests: int
    failed: int
    loads: int
    optimal_loads: int
    """Of a schedule that knows all requests beforehand and serves them in order."""
    estimate_error_max: float
    """The largest difference of a model's estimate from its measured peak, over the peak."""
    seconds: float
    samples: int
    models: tuple[Holding, ...]
    warm_switch_ms: float = 0.0
    """What the residency adds to a request that goes to another loaded model, the median."""
    errors: tuple[str, ...] = ()
    """Classes of the errors of requests that failed."""

    def to_dict(self) -> JsonObject:
        """The report as JSON, with the keys that `smallhold bench --json` promises."""
        return {
            "budget_bytes": self.budget_bytes,
            "peak_rss_bytes": self.peak_rss_bytes,
            "requests": self.requests,
            "failed": self.failed,
            "loads": self.loads,
            "optimal_loads": self.optimal_loads,
            "estimate_error_max": round(self.estimate_error_max, 4),
            "suite": NAME,
            "counted": "resident memory of all worker processes, mapped pages of files included",
            "samples": self.samples,
            "seconds": round(self.seconds, 1),
            "warm_switch_ms": round(self.warm_switch_ms, 3),
            "errors": list(self.errors),
            "models": [
                {
                    "name": model.name,
                    "estimated_bytes": model.estimated_bytes,
                    "peak_rss_bytes": model.peak_rss_bytes,
                    "load_s": None if model.load_s is None else round(model.load_s, 2),
                }
                for model in self.models
            ],
        }


@dataclass(slots=True, kw_only=True)
class Course:
    """Clients that take the next request of a common list when they have an answer."""

    runtimes: Sequence[Runtime]
    order: Sequence[int]
    on_answer: Callable[[int], None]
    """Told how many requests have ended."""
    errors: list[str] = field(default_factory=list[str])
    _next: int = 0
    _ended: int = 0

    async def run(self, *, clients: int) -> None:
        """Let so many clients work through the list."""
        async with anyio.create_task_group() as tasks:
            for _ in range(clients):
                tasks.start_soon(self._client)

    async def _client(self) -> None:
        while self._next < len(self.order):
            number, self._next = self._next, self._next + 1
            try:
                await _ask(self.runtimes[self.order[number]], number)
            except SmallholdError as error:
                self.errors.append(type(error).__name__)
            self._ended += 1
            self.on_answer(self._ended)


async def run_residency(
    setup: ResidencySetup, *, on_answer: Callable[[int], None] = lambda _: None
) -> ResidencyReport:
    """Work through the mix, from no model loaded to all answered."""
    config = ResourceConfig(
        max_memory_usage=setup.budget,
        keep_alive_s=math.inf,
        # A laptop on battery would be measured as one that is not.
        power_management=False,
    )
    order = skewed_mix(SHARES[: len(setup.models)], requests=setup.requests, seed=setup.seed)
    residency = Residency(config)
    runtimes = [
        residency.runtime(spec_for(*model, threads=setup.threads)) for model in setup.models
    ]
    course = Course(runtimes=runtimes, order=order, on_answer=on_answer)
    began_s = anyio.current_time()
    try:
        # Looking at the models measures each of them as well.
        with sampled_memory(residency.holdings) as samples:
            await course.run(clients=setup.clients)
            seconds, loads = anyio.current_time() - began_s, residency.loads
            await _let_each_rest(runtimes)
        report = _report(residency, course, samples=samples, seconds=seconds, loads=loads)
    finally:
        await residency.aclose()
    # The two most wanted models fit together; a third one would evict them.
    specs = [spec_for(*model, threads=setup.threads) for model in setup.models[:2]]
    return replace(report, warm_switch_ms=await warm_switch_ms(specs, config=config))


def spec_for(name: str, path: Path, *, threads: int) -> ModelSpec:
    """Load a model with little beside its weights."""
    return ModelSpec(
        config=ModelConfig(
            path=path,
            name=name,
            context_tokens=CONTEXT_TOKENS,
            active_tokens=CONTEXT_TOKENS,
            cache_bytes=CACHE_BYTES,
            batch_tokens=64,
            concurrent_requests=CLIENTS,
            threads=threads,
        )
    )


async def _let_each_rest(runtimes: Sequence[Runtime]) -> None:
    """Have each model once in memory until it has its full size, for the estimates' sake."""
    for number, runtime in enumerate(runtimes):
        with suppress(SmallholdError):
            await _ask(runtime, number)
            await anyio.sleep(REST_S)


async def _ask(runtime: Runtime, number: int) -> None:
    word = _WORDS[number % len(_WORDS)]
    message = Message(role=Role.USER, content=f"Name something made of {word}.")
    request = GenerationRequest(prompt=Prompt(messages=(message,)), max_tokens=ANSWER_TOKENS)
    async with runtime.stream(request) as stream:
        async for _ in stream:
            pass


def _report(
    residency: Residency, course: Course, *, samples: MemorySamples, seconds: float, loads: int
) -> ResidencyReport:
    holdings = residency.holdings()
    budget_bytes = residency.config.max_memory_bytes or 0
    return ResidencyReport(
        budget_bytes=budget_bytes,
        peak_rss_bytes=samples.peak_bytes,
        requests=len(course.order),
        failed=len(course.errors),
        loads=loads,
        optimal_loads=_optimal(holdings, course.order, budget_bytes=budget_bytes),
        estimate_error_max=max(map(estimate_error, holdings)),
        seconds=seconds,
        samples=samples.count,
        models=holdings,
        errors=tuple(course.errors),
    )


def _optimal(holdings: Sequence[Holding], order: Sequence[int], *, budget_bytes: int) -> int:
    sizes = [holding.size_bytes or 0 for holding in holdings]
    served = [model for model in order if sizes[model] <= budget_bytes]
    return optimal_loads(served, sizes, budget=budget_bytes) if served else 0


def estimate_error(model: Holding) -> float:
    """Say how far a model's estimate was from its measured peak; 0 where it was never loaded."""
    if not model.peak_rss_bytes or model.estimated_bytes is None:
        return 0.0
    return abs(model.estimated_bytes - model.peak_rss_bytes) / model.peak_rss_bytes
