"""Two real models under one budget: these tests load SmolLM2-135M and Qwen2.5-Coder-0.5B."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import anyio
import pytest
from tests.runtimes.residency.scripted_models import answer, asked

from smallhold.engine.config import ModelConfig
from smallhold.runtimes.residency import ModelSpec, Place, Residency, ResourceConfig

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


def spec_of(path: Path, name: str) -> ModelSpec:
    config = ModelConfig(
        path=path, name=name, context_tokens=512, batch_tokens=64, cache_bytes=4 << 20, threads=1
    )
    return ModelSpec(config=config)


async def test_two_models_take_turns_where_the_budget_holds_one(
    smollm2_path: Path, qwen_coder_path: Path
) -> None:
    config = ResourceConfig(max_memory_usage="1GB", power_management=False)
    residency = Residency(config)
    small = residency.runtime(spec_of(smollm2_path, "small"))
    large = residency.runtime(spec_of(qwen_coder_path, "large"))
    say = replace(asked("Say yes."), max_tokens=2)
    try:
        async with anyio.create_task_group() as tasks:
            for runtime in (small, large, small, large):
                tasks.start_soon(answer, runtime, say)
        assert residency.loads <= 3
        sizes = [it.size_bytes or 0 for it in residency.holdings() if it.place is Place.LOADED]
        assert sum(sizes) <= 10**9
    finally:
        await residency.aclose()
    assert small.worker_pid is None
    assert large.worker_pid is None
