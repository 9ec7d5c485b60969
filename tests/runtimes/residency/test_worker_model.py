"""A real worker under a residency: these tests load SmolLM2-135M."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from anyio import to_thread
from tests.runtimes.residency.scripted_models import answer, asked

from smallhold.engine.config import ModelConfig
from smallhold.exceptions import InvalidGGUFError, ModelNotInstalledError
from smallhold.models import ModelStore, detect_hardware, load_catalog
from smallhold.runtimes.residency import (
    ModelSpec,
    Place,
    Residency,
    ResourceConfig,
    StoredModel,
)
from smallhold.runtimes.residency.worker_model import start_worker_model
from smallhold.settings import load_settings

pytestmark = pytest.mark.anyio


@pytest.fixture
def spec(smollm2_path: Path) -> ModelSpec:
    config = ModelConfig(
        path=smollm2_path,
        name="smol",
        context_tokens=512,
        batch_tokens=64,
        cache_bytes=4 << 20,
        threads=1,
    )
    return ModelSpec(config=config)


@pytest.fixture
async def residency() -> AsyncGenerator[Residency]:
    residency = Residency(ResourceConfig(power_management=False))
    yield residency
    await residency.aclose()


async def test_a_worker_is_loaded_measured_and_gone_when_closed(
    residency: Residency, spec: ModelSpec
) -> None:
    runtime = residency.runtime(spec)
    assert runtime.worker_pid is None
    await answer(runtime, replace(asked("Say yes."), max_tokens=2))
    pid = runtime.worker_pid
    assert pid is not None
    (holding,) = residency.holdings()
    assert holding.place is Place.LOADED
    assert holding.estimated_bytes is not None
    # The estimate's own tests hold it to a tenth, at rest.
    assert 0.5 < holding.peak_rss_bytes / holding.estimated_bytes < 1.3
    await runtime.aclose()
    assert runtime.worker_pid is None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_killed_worker_is_noticed_and_replaced(
    residency: Residency, spec: ModelSpec
) -> None:
    runtime = residency.runtime(spec)
    await answer(runtime, replace(asked("Say yes."), max_tokens=2))
    first = runtime.worker_pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    with suppress(psutil.Error):
        await to_thread.run_sync(psutil.Process(first).wait, 5)
    await answer(runtime, replace(asked("Say yes."), max_tokens=2))
    assert runtime.worker_pid not in {None, first}
    assert residency.loads == 2


async def test_a_file_that_is_no_model_is_refused_before_anything_is_loaded(
    residency: Residency, spec: ModelSpec, tmp_path: Path
) -> None:
    path = tmp_path / "letter.gguf"
    path.write_text("Dear Ada")
    with pytest.raises(InvalidGGUFError):
        residency.runtime(replace(spec, config=replace(spec.config, path=path)))


@pytest.fixture
def linked_store(smollm2_path: Path, tmp_path: Path) -> ModelStore:
    """A store of the test's own, with the model in it."""
    entry = load_catalog().resolve("smollm2-135m")
    store = ModelStore(tmp_path)
    blob = store.blob_path(entry.sha256 or "")
    blob.parent.mkdir(parents=True)
    blob.hardlink_to(smollm2_path.resolve())
    store.adopt(entry)
    return store


async def test_a_stored_model_is_in_use_while_it_is_loaded_and_only_then(
    spec: ModelSpec, linked_store: ModelStore
) -> None:
    store, entry = linked_store, load_catalog().resolve("smollm2-135m")
    stored = replace(
        spec,
        config=replace(spec.config, path=store.require(entry)),
        stored=StoredModel(store=store, entry=entry),
    )
    model = start_worker_model(stored)
    try:
        await model.load(threads=1)
        (plan,) = [store.plan_trim(limit_bytes=1)]
        assert not plan.evicted
    finally:
        model.unload()
    assert model.memory() is None
    assert store.plan_trim(limit_bytes=1).evicted


async def test_a_model_that_left_the_store_is_not_loaded(spec: ModelSpec, tmp_path: Path) -> None:
    entry = load_catalog().resolve("smollm2-135m")
    stored = replace(spec, stored=StoredModel(store=ModelStore(tmp_path), entry=entry))
    model = start_worker_model(stored)
    with pytest.raises(ModelNotInstalledError):
        await model.load(threads=None)
    assert model.memory() is None


def test_the_estimate_is_the_engines_own(spec: ModelSpec) -> None:
    assert load_settings() is not None
    footprint = start_worker_model(spec).estimate(detect_hardware())
    assert footprint.cache_bytes == 4 << 20
    assert footprint.resident_bytes > 90_000_000
