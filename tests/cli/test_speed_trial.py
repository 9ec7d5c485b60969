"""Promises of `smallhold.cli.speed_trial`: this file holds tests of the short trial."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from smallhold.cli.speed_trial import try_speed
from smallhold.engine.config import ModelConfig
from smallhold.exceptions import ModelLoadError
from smallhold.runtimes.embedded import EmbeddedRuntime
from smallhold.testing import ScriptedRuntime
from smallhold.testing.scripted import Fault

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio


async def test_a_real_model_reads_faster_than_it_writes(smollm2_path: Path) -> None:
    runtime = EmbeddedRuntime(ModelConfig(path=smollm2_path, name="small"))
    speed = await try_speed(runtime, model="small")
    assert speed.prefill_tokens_per_s is not None
    assert speed.decode_tokens_per_s is not None
    assert speed.prefill_tokens_per_s > speed.decode_tokens_per_s > 0
    assert speed.cpu_features
    assert runtime.worker_pid is None


async def test_a_runtime_without_timings_has_no_rates() -> None:
    speed = await try_speed(ScriptedRuntime(["one two three"]), model="scripted")
    assert (speed.prefill_tokens_per_s, speed.decode_tokens_per_s) == (None, None)


async def test_an_error_of_the_engine_is_raised() -> None:
    fault = Fault(error=ModelLoadError(path="m", problem="no"))
    with pytest.raises(ModelLoadError):
        await try_speed(ScriptedRuntime([fault]), model="scripted")
