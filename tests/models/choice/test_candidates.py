"""Promises of `smallhold.models.choice.candidates`: this file holds tests of weighing files."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.models.choice_cases import (
    BILLION,
    GB,
    for_other_runtime,
    machine,
    model,
    with_gpu,
)

from smallhold.models.catalog.catalog import CatalogEntry, ModelFormat, ModelPurpose
from smallhold.models.choice.candidates import (
    Candidate,
    estimate_entry,
    is_runnable,
    plan_for,
    room_of,
    shorter_plans,
    weigh,
)
from smallhold.models.fit.fit import MemoryPlan, estimate_memory
from smallhold.models.machine.hardware import Hardware

ENTRY = model("some-3b", 3 * BILLION).default


def weighed(
    entry: CatalogEntry = ENTRY, *, hardware: Hardware, budget_bytes: int | None = None
) -> Candidate:
    room = room_of(hardware, budget_bytes=budget_bytes)
    return weigh(entry, room=room, plan=plan_for(room), is_installed=False, is_default=True)


def test_some_memory_is_left_to_everything_else() -> None:
    assert room_of(machine(memory_bytes=4 * GB), budget_bytes=None).budget_bytes == 3.5 * GB


def test_a_budget_that_was_given_is_taken_as_it_is() -> None:
    assert room_of(machine(memory_bytes=4 * GB), budget_bytes=5 * GB).budget_bytes == 5 * GB


@given(st.integers(0, 2**45), st.integers(0, 2**45))
def test_a_larger_machine_never_has_less_room(one: int, other: int) -> None:
    small, large = sorted((one, other))
    rooms = [room_of(machine(memory_bytes=size), budget_bytes=None) for size in (small, large)]
    assert 0 <= rooms[0].budget_bytes <= rooms[1].budget_bytes <= large


def test_a_file_fits_when_its_estimate_does() -> None:
    candidate = weighed(hardware=machine(), budget_bytes=6 * GB)
    needed_bytes = candidate.estimate.total_bytes
    assert candidate.fits
    assert not weighed(hardware=machine(), budget_bytes=needed_bytes // 2).fits


def test_a_gpu_with_room_takes_all_layers() -> None:
    candidate = weighed(hardware=with_gpu(machine(), free_bytes=8 * GB))
    assert candidate.on_gpu
    assert candidate.plan.gpu_layers == -1
    assert 0 < candidate.estimate.device_bytes < 8 * GB


def test_a_gpu_without_room_takes_none() -> None:
    candidate = weighed(hardware=with_gpu(machine(), free_bytes=GB))
    assert not candidate.on_gpu
    assert candidate.estimate.device_bytes == 0


def test_a_plan_for_the_cpu_stays_on_it() -> None:
    room = room_of(with_gpu(machine(), free_bytes=8 * GB), budget_bytes=None)
    plan = MemoryPlan(gpu_layers=0)
    assert not weigh(ENTRY, room=room, plan=plan, is_installed=False, is_default=True).on_gpu


def test_a_model_of_many_parameters_is_slow_on_few_cores() -> None:
    large = model("some-8b", 8 * BILLION).default
    assert weighed(large, hardware=machine(cores=2)).is_slow
    assert not weighed(large, hardware=machine(cores=8)).is_slow
    assert not weighed(ENTRY, hardware=with_gpu(machine(cores=1), free_bytes=8 * GB)).is_slow


def test_the_estimate_is_that_of_the_shape() -> None:
    assert ENTRY.shape is not None
    assert ENTRY.size_bytes is not None
    plan = MemoryPlan(context_tokens=4096)
    expected = estimate_memory(ENTRY.shape, weights_bytes=ENTRY.size_bytes, plan=plan)
    assert estimate_entry(ENTRY, plan=plan) == expected


def test_a_model_of_unknown_shape_and_size_is_estimated_on_the_safe_side() -> None:
    unknown = replace(ENTRY, shape=None, size_bytes=None)
    estimate = estimate_entry(unknown)
    assert estimate.is_conservative
    assert estimate.total_bytes > estimate_entry(ENTRY).total_bytes


def test_a_sentence_model_keeps_no_keys_and_values() -> None:
    embedder = for_other_runtime(
        model("embedder", 22_000_000), ModelFormat.SAFETENSORS, purpose=ModelPurpose.SENTENCES
    ).default
    estimate = estimate_entry(embedder)
    assert estimate.kv_bytes == estimate.cache_bytes == 0
    assert embedder.size_bytes is not None
    assert estimate.total_bytes > embedder.size_bytes


@pytest.mark.parametrize(
    ("purpose", "weights", "runs"),
    [
        (ModelPurpose.CHAT, ModelFormat.GGUF, True),
        (ModelPurpose.CHAT, ModelFormat.ONNX, False),
        (ModelPurpose.SENTENCES, ModelFormat.SAFETENSORS, True),
        (ModelPurpose.SENTENCES, ModelFormat.GGUF, False),
    ],
)
def test_files_for_other_runtimes_are_told_apart(
    purpose: ModelPurpose, weights: ModelFormat, *, runs: bool
) -> None:
    some = for_other_runtime(model("some", BILLION), weights, purpose=purpose)
    assert is_runnable(some.default) is runs


@pytest.mark.parametrize(
    ("licence", "study_only"),
    [("LicenseRef-Qwen-Research", True), ("CC-BY-NC-4.0", True), ("Apache-2.0", False),
     ("LicenseRef-Gemma", False)],
)  # fmt: skip
def test_licences_for_study_alone_are_known_by_their_names(
    licence: str, *, study_only: bool
) -> None:
    entry = replace(ENTRY, licence=licence)
    assert weighed(entry, hardware=machine()).is_for_study_only is study_only


def test_less_memory_is_asked_for_with_less_context_and_the_smallest_cache() -> None:
    usual = plan_for(room_of(machine(), budget_bytes=None))
    plans = shorter_plans(usual)
    assert [plan.context_tokens for plan in plans] == [8192, 4096, 2048]
    totals = [estimate_entry(ENTRY, plan=plan).total_bytes for plan in plans]
    assert totals == sorted(totals, reverse=True)
    assert plans[-1].cache_bytes < usual.cache_bytes
