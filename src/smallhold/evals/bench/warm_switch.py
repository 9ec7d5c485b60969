"""Going from one loaded model to another: this file holds what the residency adds to that."""

from __future__ import annotations

import time
from collections.abc import Sequence
from statistics import median
from typing import Final

from smallhold.generation import Prompt
from smallhold.messages import Message, Role
from smallhold.runtimes.protocol import Runtime
from smallhold.runtimes.residency import Loadable, ModelSpec, Residency, ResourceConfig
from smallhold.runtimes.residency.worker_model import start_worker_model

TURNS: Final = 60
_PROMPT: Final = Prompt(messages=(Message(role=Role.USER, content="Hello"),))


async def warm_switch_ms(
    specs: Sequence[ModelSpec], *, config: ResourceConfig, turns: int = TURNS
) -> float:
    """Measure how much longer a request takes through a residency, model after model.

    Tokens are counted, the cheapest request there is, and requests past the residency, on the same
    workers, take turns with those through it.

    Args:
        specs: Models that fit together.
        config: What they may take.
        turns: How often each way is taken with each model.

    Returns:
        The difference of the medians in milliseconds; below 0 only by chance.
    """
    loadables: list[Loadable] = []

    def start(spec: ModelSpec) -> Loadable:
        loadables.append(start_worker_model(spec))
        return loadables[-1]

    residency = Residency(config, start=start)
    through = [residency.runtime(spec) for spec in specs]
    past = [loadable.runtime for loadable in loadables]
    try:
        for runtime in through:
            await runtime.load()
        with_s: list[float] = []
        without_s: list[float] = []
        for _ in range(turns):
            for resident, bare in zip(through, past, strict=True):
                with_s.append(await _took_s(resident))
                without_s.append(await _took_s(bare))
    finally:
        await residency.aclose()
    return (median(with_s) - median(without_s)) * 1000


async def _took_s(runtime: Runtime) -> float:
    began_s = time.perf_counter()
    await runtime.count_tokens(_PROMPT)
    return time.perf_counter() - began_s
