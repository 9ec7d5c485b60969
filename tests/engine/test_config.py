from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.engine.config import (
    MAX_CONCURRENT_REQUESTS,
    MIN_CONTEXT_TOKENS,
    KVType,
    ModelConfig,
    automatic_settings,
)
from smallhold.exceptions import ConfigError
from smallhold.models.machine.hardware import Hardware

DEFAULTS = ModelConfig(path=Path("model.gguf"), name="m")


def test_the_defaults_are_allowed() -> None:
    assert DEFAULTS.context_tokens >= MIN_CONTEXT_TOKENS


def test_the_smallest_allowed_values_are_allowed() -> None:
    ModelConfig(
        path=Path("model.gguf"),
        name="m",
        context_tokens=MIN_CONTEXT_TOKENS,
        active_tokens=MIN_CONTEXT_TOKENS,
        cache_bytes=0,
        batch_tokens=1,
        chunk_tokens=1,
        concurrent_requests=1,
        queue_limit=0,
        threads=1,
        batch_threads=1,
        gpu_layers=-1,
        snapshot_bytes=0,
        memory_limit_bytes=1,
        hang_timeout_s=0.001,
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("context_tokens", MIN_CONTEXT_TOKENS - 1),
        ("context_tokens", -1),
        ("active_tokens", DEFAULTS.context_tokens - 1),
        ("cache_bytes", -1),
        ("batch_tokens", 0),
        ("chunk_tokens", 0),
        ("concurrent_requests", 0),
        ("concurrent_requests", MAX_CONCURRENT_REQUESTS + 1),
        ("queue_limit", -1),
        ("threads", 0),
        ("batch_threads", 0),
        ("gpu_layers", -2),
        ("snapshot_bytes", -1),
        ("memory_limit_bytes", 0),
        ("hang_timeout_s", 0.0),
        ("hang_timeout_s", float("nan")),
    ],
)
def test_a_value_out_of_range_is_refused_by_name(field: str, value: float) -> None:
    with pytest.raises(ConfigError) as caught:
        replace(DEFAULTS, **{field: value})
    assert caught.value.field == field
    assert caught.value.value is value
    assert "give" in caught.value.remedy


def test_quantized_keys_and_values_without_flash_attention_are_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        replace(DEFAULTS, kv_type=KVType.Q8_0, flash_attention=False)
    assert caught.value.field == "flash_attention"


@pytest.mark.parametrize(
    ("config", "uses"),
    [
        (DEFAULTS, False),
        (replace(DEFAULTS, gpu_layers=-1), True),
        (replace(DEFAULTS, kv_type=KVType.Q4_0), True),
        (replace(DEFAULTS, kv_type=KVType.F32), False),
        (replace(DEFAULTS, gpu_layers=4, flash_attention=False), False),
        (replace(DEFAULTS, flash_attention=True), True),
    ],
    ids=["on a CPU", "on a GPU", "quantized", "in whole floats", "switched off", "switched on"],
)
def test_flash_attention_is_used_where_it_pays_unless_told_otherwise(
    config: ModelConfig, *, uses: bool
) -> None:
    assert config.uses_flash_attention is uses


def test_one_and_a_half_contexts_run_at_a_time_unless_told_otherwise() -> None:
    assert DEFAULTS.cells == DEFAULTS.context_tokens * 3 // 2
    assert replace(DEFAULTS, active_tokens=9000).cells == 9000


def machine(*, physical: int = 4, usable: int = 8, memory_bytes: int = 2**34) -> Hardware:
    return Hardware(
        system="Linux", machine="x86_64", cpu_model="", cpu_flags=frozenset(),
        physical_cores=physical, logical_cores=2 * physical, usable_cores=usable,
        total_memory_bytes=memory_bytes, available_memory_bytes=memory_bytes,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("physical", "usable", "threads"), [(4, 8, (4, 8)), (4, 2, (2, 2)), (1, 1, (1, 1))]
)
def test_threads_left_open_are_as_many_as_the_cores(
    physical: int, usable: int, threads: tuple[int, int]
) -> None:
    settings = automatic_settings(DEFAULTS, machine(physical=physical, usable=usable))
    assert (settings.threads, settings.batch_threads) == threads


def test_threads_that_were_given_stay() -> None:
    settings = automatic_settings(replace(DEFAULTS, threads=3), machine())
    assert (settings.threads, settings.batch_threads) == (3, 3)
    settings = automatic_settings(replace(DEFAULTS, batch_threads=5), machine())
    assert (settings.threads, settings.batch_threads) == (4, 5)


def test_a_cache_that_was_given_stays() -> None:
    assert automatic_settings(replace(DEFAULTS, cache_bytes=0), machine()).cache_bytes == 0


@given(st.integers(0, 2**50), st.integers(0, 2**50))
def test_a_larger_machine_never_gets_a_smaller_cache(one: int, other: int) -> None:
    small, large = (
        automatic_settings(DEFAULTS, machine(memory_bytes=size)).cache_bytes
        for size in sorted((one, other))
    )
    assert small is not None
    assert large is not None
    assert 2**27 <= small <= large <= 2**30
