"""How much memory an engine will take: this file holds the way from its settings to an estimate."""

from __future__ import annotations

from dataclasses import replace

from smallhold.engine.config import ModelConfig, automatic_settings
from smallhold.models.fit.fit import VOCABULARY_BYTES, MemoryEstimate, MemoryPlan, estimate_file
from smallhold.models.fit.weight_layout import kernel_flags
from smallhold.models.gguf.header import read_gguf_header
from smallhold.models.machine.hardware import Hardware


def memory_plan(config: ModelConfig, *, hardware: Hardware) -> MemoryPlan:
    """Say how a configured model would be loaded on a machine."""
    settled = automatic_settings(config, hardware)
    return MemoryPlan(
        context_tokens=settled.context_tokens,
        cells=settled.cells,
        kv_type=settled.kv_type.value,
        batch_tokens=settled.batch_tokens,
        cache_bytes=settled.cache_bytes or 0,
        threads=settled.threads or 1,
        gpu_layers=settled.gpu_layers,
        flash_attention=settled.uses_flash_attention,
        use_mmap=settled.use_mmap,
        cpu_flags=kernel_flags(hardware),
        adapter_bytes=sum(
            path.stat().st_size for path in settled.adapters.values() if path.is_file()
        ),
    )


def estimate_config(config: ModelConfig, *, hardware: Hardware) -> MemoryEstimate:
    """Estimate what a configured model takes; only headers are read.

    Raises:
        InvalidGGUFError: a file is not sound.
    """
    plan = memory_plan(config, hardware=hardware)
    estimate = estimate_file(config.path, plan)
    if config.draft_path is None:
        return estimate
    # One conversation at a time, in the same process, without a cache of its own.
    own_plan = replace(plan, cells=config.context_tokens, cache_bytes=0, adapter_bytes=0)
    draft = estimate_file(config.draft_path, own_plan)
    vocabulary = read_gguf_header(config.draft_path).vocabulary_size or 0
    return replace(
        estimate,
        draft_bytes=draft.weights_bytes
        + draft.kv_bytes
        + draft.compute_bytes
        + VOCABULARY_BYTES * vocabulary,
        device_bytes=estimate.device_bytes + draft.device_bytes,
        is_conservative=estimate.is_conservative or draft.is_conservative,
    )
