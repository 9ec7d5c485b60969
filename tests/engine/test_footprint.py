"""Promises of `smallhold.engine.footprint`: this file holds tests of estimates of settings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.models.conftest import GGUFMaker
from tests.tiny_models import write_llama, write_lora

from smallhold.engine import llama
from smallhold.engine.config import KVType, ModelConfig
from smallhold.engine.footprint import estimate_config, memory_plan
from smallhold.exceptions import InvalidGGUFError
from smallhold.models.fit import fit
from smallhold.models.machine.hardware import Hardware, detect_hardware

MACHINE = Hardware(
    system="Linux", machine="x86_64", cpu_model="", cpu_flags=frozenset({"avx2"}),
    physical_cores=4, logical_cores=8, usable_cores=6, total_memory_bytes=2**34,
    available_memory_bytes=2**33,
)  # fmt: skip


@pytest.fixture
def config(tmp_path: Path) -> ModelConfig:
    return ModelConfig(path=write_llama(tmp_path / "m.gguf"), name="tiny", context_tokens=1024)


def test_the_estimate_knows_how_contexts_are_made() -> None:
    assert fit.SEQUENCES == llama.MAX_SEQUENCES
    assert fit.RECURRENT_SEQUENCES == llama.RECURRENT_SEQUENCES
    assert fit.OUTPUTS == llama.MAX_OUTPUTS
    assert fit.SEGMENT_TOKENS == llama.SEGMENT_TOKENS


def test_a_plan_says_what_the_settings_and_the_machine_come_to(config: ModelConfig) -> None:
    plan = memory_plan(replace(config, kv_type=KVType.Q8_0, batch_tokens=64), hardware=MACHINE)
    assert (plan.context_tokens, plan.cells, plan.batch_tokens) == (1024, 1536, 64)
    assert (plan.kv_type, plan.flash_attention) == ("q8_0", True)
    assert plan.cache_bytes == 2**34 // 16
    assert plan.threads == 4
    assert plan.cpu_flags == MACHINE.cpu_flags


def test_settings_that_were_given_stay(config: ModelConfig) -> None:
    given = replace(config, cache_bytes=5, active_tokens=2000, use_mmap=False)
    plan = memory_plan(given, hardware=MACHINE)
    assert (plan.cache_bytes, plan.cells, plan.use_mmap) == (5, 2000, False)


def test_adapters_are_counted(config: ModelConfig, tmp_path: Path) -> None:
    adapter = write_lora(tmp_path / "a.gguf", base=config.path)
    plain = estimate_config(config, hardware=MACHINE)
    adapted = estimate_config(replace(config, adapters={"a": adapter}), hardware=MACHINE)
    assert adapted.total_bytes - plain.total_bytes == adapter.stat().st_size


def test_a_draft_model_is_counted(config: ModelConfig, tmp_path: Path) -> None:
    draft = write_llama(tmp_path / "draft.gguf", seed=9)
    plain = estimate_config(config, hardware=MACHINE)
    drafted = estimate_config(replace(config, draft_path=draft), hardware=MACHINE)
    assert plain.draft_bytes == 0
    assert 0 < drafted.draft_bytes < plain.resident_bytes
    assert drafted.total_bytes == plain.total_bytes + drafted.draft_bytes


def test_a_file_that_is_not_sound_is_refused(config: ModelConfig, tmp_path: Path) -> None:
    broken = tmp_path / "b.gguf"
    broken.write_bytes(GGUFMaker().file()[:-9])
    for bad in (replace(config, path=broken), replace(config, draft_path=broken)):
        with pytest.raises(InvalidGGUFError):
            estimate_config(bad, hardware=MACHINE)


def test_this_machine_can_be_asked(config: ModelConfig) -> None:
    assert estimate_config(config, hardware=detect_hardware()).resident_bytes > 2**26
