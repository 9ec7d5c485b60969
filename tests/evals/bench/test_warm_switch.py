from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from smallhold.evals.bench.residency import spec_for
from smallhold.evals.bench.warm_switch import warm_switch_ms
from smallhold.runtimes.residency import ResourceConfig


@pytest.mark.slow
async def test_a_switch_between_loaded_models_adds_less_than_five_milliseconds(
    smollm2_path: Path,
) -> None:
    first = spec_for("first", smollm2_path, threads=1)
    # Other settings make it another model, in a worker of its own.
    second = replace(first, config=replace(first.config, context_tokens=384))
    added_ms = await warm_switch_ms(
        [first, second], config=ResourceConfig(power_management=False), turns=20
    )
    assert added_ms < 5
