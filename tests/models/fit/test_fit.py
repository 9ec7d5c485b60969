"""Promises of `smallhold.models.fit.fit`: this file holds tests of the memory estimate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import tiny_models
from tests.models.conftest import GGUFMaker

from smallhold.engine.config import ModelConfig
from smallhold.exceptions import InvalidGGUFError
from smallhold.models.fit.fit import (
    MemoryEstimate,
    MemoryPlan,
    assumed_shape,
    compute_bytes,
    estimate_file,
    estimate_memory,
    kv_bytes,
    usual_cache_bytes,
)
from smallhold.models.fit.shape import ModelShape
from smallhold.models.gguf.header import read_gguf_header

QWEN_05B = ModelShape(
    architecture="qwen2", block_count=24, embedding_length=896, feed_forward_length=4864,
    head_count=14, head_count_kv=2, key_length=64, value_length=64, vocabulary_size=151936,
    attention_layers=24,
)  # fmt: skip
QWEN_15B = replace(
    QWEN_05B, block_count=28, embedding_length=1536, feed_forward_length=8960, head_count=12,
    key_length=128, value_length=128, attention_layers=28,
)  # fmt: skip
SMOLLM_135M = ModelShape(
    architecture="llama", block_count=30, embedding_length=576, feed_forward_length=1536,
    head_count=9, head_count_kv=3, key_length=64, value_length=64, vocabulary_size=49152,
    attention_layers=30,
)  # fmt: skip
MEBIBYTE = 2**20
plans = st.builds(
    MemoryPlan,
    context_tokens=st.integers(256, 2**17),
    batch_tokens=st.integers(1, 2048),
    kv_type=st.sampled_from(("f32", "f16", "q8_0", "q4_0")),
    flash_attention=st.booleans(),
)
shapes = st.builds(
    ModelShape,
    architecture=st.sampled_from(("llama", "gemma3", "mamba", "nonsuch", "")),
    block_count=st.integers(0, 128),
    embedding_length=st.integers(0, 16384),
    feed_forward_length=st.integers(0, 65536),
    head_count=st.integers(0, 128),
    head_count_kv=st.integers(0, 128),
    key_length=st.integers(0, 512),
    value_length=st.integers(0, 512),
    vocabulary_size=st.integers(0, 300_000),
    recurrent_layers=st.integers(0, 64),
    recurrent_elements=st.integers(0, 2**22),
)


def test_a_plan_s_defaults_are_those_of_the_engine() -> None:
    plan, config = MemoryPlan(), ModelConfig(path=Path("m.gguf"), name="m")
    assert plan.context_tokens == config.context_tokens
    assert plan.batch_tokens == config.batch_tokens
    assert plan.kv_type == config.kv_type
    assert plan.gpu_layers == config.gpu_layers
    assert plan.flash_attention == config.uses_flash_attention
    assert plan.use_mmap == config.use_mmap
    assert plan.total_cells >= config.cells


@pytest.mark.parametrize(
    ("shape", "kv_type", "logged_mib"),
    [
        (SMOLLM_135M, "f16", 191.25), (SMOLLM_135M, "f32", 382.5), (SMOLLM_135M, "q8_0", 101.6),
        (QWEN_05B, "f16", 102.0), (QWEN_05B, "q8_0", 54.19), (QWEN_15B, "f16", 238.0),
    ],
)  # fmt: skip
def test_keys_and_values_take_what_llama_cpp_reports(
    shape: ModelShape, kv_type: str, logged_mib: float
) -> None:
    plan = MemoryPlan(context_tokens=8192, cells=8192, kv_type=kv_type)
    assert kv_bytes(shape, plan) / MEBIBYTE == pytest.approx(logged_mib, abs=0.01)


@pytest.mark.parametrize(
    ("shape", "context", "batch", "logged_mib"),
    [
        # Compute and output buffer as `sched_reserve` and `llama_context` log them.
        (SMOLLM_135M, 1024, 64, 12.42 + 12.0), (SMOLLM_135M, 8192, 256, 88.19 + 12.0),
        (QWEN_05B, 2048, 256, 42.13 + 37.09), (QWEN_05B, 8192, 256, 132.13 + 37.09),
        (QWEN_05B, 2048, 512, 84.26 + 37.09), (QWEN_15B, 8192, 256, 118.5 + 37.09),
        (QWEN_15B, 2048, 512, 81.01 + 37.09),
    ],
)  # fmt: skip
def test_buffers_take_what_llama_cpp_reports(
    shape: ModelShape, context: int, batch: int, logged_mib: float
) -> None:
    # Without 16-bit values nothing is converted, which llama.cpp does not report.
    plan = MemoryPlan(context_tokens=context, cells=context, batch_tokens=batch, kv_type="f32")
    assert compute_bytes(shape, plan) / MEBIBYTE == pytest.approx(logged_mib, rel=0.06)


@pytest.mark.parametrize("field", ["context_tokens", "batch_tokens"])
@given(shape=shapes, plan=plans, more=st.integers(0, 4096))
def test_more_tokens_never_take_less(
    field: str, shape: ModelShape, plan: MemoryPlan, more: int
) -> None:
    larger = replace(plan, **{field: getattr(plan, field) + more})
    weights = 10**9
    before = estimate_memory(shape, weights_bytes=weights, plan=plan)
    after = estimate_memory(shape, weights_bytes=weights, plan=larger)
    assert before.total_bytes <= after.total_bytes


@given(shape=shapes, plan=plans, weights=st.integers(0, 2**40))
def test_every_part_is_counted_and_none_is_negative(
    shape: ModelShape, plan: MemoryPlan, weights: int
) -> None:
    estimate = estimate_memory(shape, weights_bytes=weights, plan=plan)
    parts = (
        estimate.weights_bytes, estimate.kv_bytes, estimate.compute_bytes, estimate.process_bytes,
    )  # fmt: skip
    assert min(parts) >= 0
    assert weights <= estimate.weights_bytes
    assert sum(parts) <= estimate.resident_bytes
    assert estimate.total_bytes == estimate.resident_bytes + plan.cache_bytes


@given(number=st.integers(2**32, 2**64), weights=st.integers(0, 2**64))
def test_numbers_that_no_model_has_are_an_estimate_that_fits_nowhere(
    number: int, weights: int
) -> None:
    shape = replace(QWEN_05B, block_count=number, head_count_kv=number, attention_layers=None)
    estimate = estimate_memory(shape, weights_bytes=weights)
    assert estimate.total_bytes > 2**64


@given(shape=shapes, weights=st.integers(10**7, 2**36))
def test_an_unknown_shape_is_estimated_on_the_safe_side_and_flagged(
    shape: ModelShape, weights: int
) -> None:
    plan = MemoryPlan()
    estimate = estimate_memory(shape, weights_bytes=weights, plan=plan)
    assert estimate.is_conservative is not shape.is_known
    if estimate.is_conservative:
        whole = assumed_shape(shape, weights_bytes=weights)
        assert whole.key_elements > 0
        assert whole.vocabulary_size > 0
        assert estimate.kv_bytes >= kv_bytes(shape, plan)


@pytest.mark.parametrize("shape", [SMOLLM_135M, QWEN_05B, QWEN_15B])
def test_a_model_that_says_nothing_is_given_at_least_what_it_takes(shape: ModelShape) -> None:
    weights = {SMOLLM_135M: 96_576_768, QWEN_05B: 485_452_288, QWEN_15B: 1_111_370_240}[shape]
    silent = ModelShape(
        architecture="nonsuch", block_count=0, embedding_length=0, feed_forward_length=0,
        head_count=0, head_count_kv=0, key_length=0, value_length=0, vocabulary_size=0,
    )  # fmt: skip
    known = estimate_memory(shape, weights_bytes=weights)
    unknown = estimate_memory(silent, weights_bytes=weights)
    assert unknown.total_bytes > known.total_bytes


def test_loading_counts_when_it_takes_more_than_working() -> None:
    estimate = MemoryEstimate(
        weights_bytes=10, kv_bytes=1, compute_bytes=1, cache_bytes=5, process_bytes=1,
        loading_bytes=20,
    )  # fmt: skip
    assert estimate.resident_bytes == 20
    assert estimate.total_bytes == 25


def test_adapters_add_what_they_take() -> None:
    plain, adapted = (
        estimate_memory(QWEN_05B, weights_bytes=10**9, plan=MemoryPlan(adapter_bytes=size))
        for size in (0, 5_000_000)
    )
    assert adapted.total_bytes - plain.total_bytes == 5_000_000


def test_layers_on_a_gpu_leave_memory_for_its_own() -> None:
    on_cpu = estimate_memory(QWEN_15B, weights_bytes=10**9)
    on_gpu = estimate_memory(QWEN_15B, weights_bytes=10**9, plan=MemoryPlan(gpu_layers=-1))
    half = estimate_memory(QWEN_15B, weights_bytes=10**9, plan=MemoryPlan(gpu_layers=14))
    assert on_cpu.device_bytes == 0
    assert on_gpu.kv_bytes == 0
    assert on_gpu.weights_bytes < half.weights_bytes < on_cpu.weights_bytes
    assert on_gpu.device_bytes > half.device_bytes > 0
    assert on_gpu.is_conservative


@pytest.mark.parametrize(
    "write",
    [
        tiny_models.write_llama, tiny_models.write_sliding_window, tiny_models.write_recurrent,
        tiny_models.write_hybrid, tiny_models.write_short_convolution,
    ],
)  # fmt: skip
def test_a_file_of_every_kind_is_estimated_from_its_header(
    write: Callable[[Path], Path], tmp_path: Path
) -> None:
    path = write(tmp_path / "m.gguf")
    estimate = estimate_file(path)
    assert not estimate.is_conservative
    assert estimate.weights_bytes >= read_gguf_header(path).tensor_bytes
    assert estimate.kv_bytes > 0


def test_a_mapped_file_says_what_the_system_may_take_back(tmp_path: Path) -> None:
    path = tiny_models.write_llama(tmp_path / "m.gguf")
    mapped, read = (estimate_file(path, MemoryPlan(use_mmap=mapped)) for mapped in (True, False))
    assert mapped.reclaimable_bytes == read_gguf_header(path).tensor_bytes
    assert read.reclaimable_bytes == 0


def test_a_file_that_is_not_sound_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(GGUFMaker().file()[:12])
    with pytest.raises(InvalidGGUFError):
        estimate_file(path)


def test_the_json_says_all_parts() -> None:
    document = estimate_memory(QWEN_05B, weights_bytes=10**9).to_dict()
    assert {"total_bytes", "resident_bytes", "kv_bytes", "is_conservative"} <= document.keys()


@pytest.mark.parametrize(
    ("memory_mib", "cache_mib"),
    [(0, 128), (1024, 128), (4096, 256), (16_384, 1024), (65_536, 1024)],
)
def test_a_prefix_cache_takes_a_sixteenth_of_the_memory_within_bounds(
    memory_mib: int, cache_mib: int
) -> None:
    assert usual_cache_bytes(memory_mib << 20) == cache_mib << 20
