"""How a model is loaded: this file holds the typed settings of one engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Final

from smallhold.exceptions import ConfigError
from smallhold.models.fit.fit import usual_cache_bytes
from smallhold.models.fit.weight_layout import should_map
from smallhold.models.machine.hardware import Hardware

DEFAULT_CONTEXT_TOKENS: Final = 8192
"""Longest prompt plus answer. Agents' prompts are 600 to 1,500 tokens of instructions and tools;
8,192 leaves room for the samples of a decision, tools and a conversation, at about 100 MB of keys
and values for a 0.5B model."""
DEFAULT_BATCH_TOKENS: Final = 256
"""Prompt tokens computed in one pass. Larger is no faster on a CPU (`docs/benchmarks.md`), and a
request cannot be cancelled within a pass."""
DEFAULT_CHUNK_TOKENS: Final = 64
"""About a quarter of a second at 0.5B on two cores: the longest pause a stream may notice."""
DEFAULT_SNAPSHOT_BYTES: Final = 512 * 1024 * 1024
"""Disk space for prefix snapshots of one model: about 40 prefixes of 1,000 tokens at 0.5B."""
DEFAULT_CONCURRENT_REQUESTS: Final = 16
"""Beyond this many rows a pass takes as much longer as it does more work (`docs/benchmarks.md`)."""
MAX_CONCURRENT_REQUESTS: Final = 16
"""llama.cpp's sequences are shared between running requests and the branches of scored choices."""
DEFAULT_QUEUE_LIMIT: Final = 256
"""Requests that wait. At a second each, the last one would wait for minutes: better told so."""
DEFAULT_HANG_TIMEOUT_S: Final = 60.0
"""A pass of 256 tokens takes 1 s at 0.5B and 20 s at 8B on two cores."""
MIN_CONTEXT_TOKENS: Final = 256
"""Less than this holds no tool description."""


class KVType(StrEnum):
    """How keys and values are stored."""

    F32 = "f32"
    """Twice the memory. Fewer answers depend on what else is computed in the same pass."""
    F16 = "f16"
    Q8_0 = "q8_0"
    """Half the memory; answers may differ slightly. Turns flash attention on."""
    Q4_0 = "q4_0"
    """A quarter of the memory, at a visible loss for small models. Turns flash attention on."""


class Numa(StrEnum):
    """Where memory and threads go on machines with several memory nodes."""

    OFF = "off"
    DISTRIBUTE = "distribute"
    """Spread threads over all nodes."""
    ISOLATE = "isolate"
    """Stay on the node that the worker was started on."""
    NUMACTL = "numactl"
    """Keep to what `numactl` has set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfig:
    """Everything that decides how one model file is held in memory and evaluated."""

    path: Path
    """The GGUF file."""
    name: str
    """Name for errors and traces, usually the catalog's alias."""
    context_tokens: int = DEFAULT_CONTEXT_TOKENS
    """Most tokens of prompt and answer together for one request."""
    active_tokens: int | None = None
    """Most tokens of all requests that run at the same time, shared beginnings counted once;
    `None` takes one and a half times `context_tokens`."""
    cache_bytes: int | None = None
    """Memory for keys and values of prompts that wait for their next turn; `None` takes a sixteenth
    of the machine's memory, at least 128 MiB and at most 1 GiB."""
    batch_tokens: int = DEFAULT_BATCH_TOKENS
    """Most prompt tokens in one forward pass."""
    chunk_tokens: int = DEFAULT_CHUNK_TOKENS
    """Most prompt tokens in one forward pass while another request streams its answer."""
    concurrent_requests: int = DEFAULT_CONCURRENT_REQUESTS
    """Requests that run at the same time; others wait in order."""
    queue_limit: int = DEFAULT_QUEUE_LIMIT
    """Requests that may wait; more are refused with `QueueFullError`."""
    threads: int | None = None
    """Threads for a pass; `None` takes the cores this process may use."""
    batch_threads: int | None = None
    """Threads for reading prompts; `None` takes `threads`."""
    gpu_layers: int = 0
    """Layers put on a GPU; -1 means all. Needs an engine build with GPU support."""
    flash_attention: bool | None = None
    """`None` decides by what was measured: off on a CPU, where it makes a token of a long
    conversation two to four times slower, on for GPU layers and quantized keys and values."""
    kv_type: KVType = KVType.F16
    """How keys and values are stored."""
    use_mmap: bool | None = None
    """Map the file instead of reading it: what is used as it lies there is shared between
    processes. `None` maps it unless this CPU's kernels have most of it rearranged, since the mapped
    pages would stay in memory beside the copies (`docs/memory-fit.md`)."""
    use_mlock: bool = False
    """Keep the weights from being swapped out; the system's limit on locked memory must allow
    it."""
    numa: Numa = Numa.OFF
    """Placement on machines with several memory nodes."""
    snapshot_folder: Path | None = None
    """Where prefix snapshots are kept between runs; `None` keeps none."""
    snapshot_bytes: int = DEFAULT_SNAPSHOT_BYTES
    """Most bytes of snapshots kept for this model."""
    adapters: Mapping[str, Path] = field(default_factory=dict[str, Path])
    """LoRA adapters (GGUF files) by the name that prompts choose them by."""
    drafts: bool = True
    """Guess tokens and check several in one pass, where this pays on this machine. The output is
    the same either way."""
    draft_path: Path | None = None
    """GGUF file of a smaller model with the same vocabulary, to guess tokens with."""
    hang_timeout_s: float = DEFAULT_HANG_TIMEOUT_S
    """A worker that does not compute one token within this time is ended."""
    memory_limit_bytes: int | None = None
    """Most memory that the worker may allocate beside the mapped weights; `None` is no limit."""

    def __post_init__(self) -> None:
        """Check ranges. Raises `ConfigError`."""
        at_least = {
            "context_tokens": MIN_CONTEXT_TOKENS, "active_tokens": self.context_tokens,
            "cache_bytes": 0, "batch_tokens": 1, "chunk_tokens": 1, "concurrent_requests": 1,
            "queue_limit": 0, "threads": 1, "batch_threads": 1, "gpu_layers": -1,
            "snapshot_bytes": 0, "memory_limit_bytes": 1,
        }  # fmt: skip
        for name, least in at_least.items():
            value: int | None = getattr(self, name)
            if value is not None and value < least:
                raise ConfigError(field=name, value=value, remedy=f"give {least} or more")
        if self.concurrent_requests > MAX_CONCURRENT_REQUESTS:
            raise ConfigError(
                field="concurrent_requests", value=self.concurrent_requests,
                remedy=f"give at most {MAX_CONCURRENT_REQUESTS}",
            )  # fmt: skip
        if not self.hang_timeout_s > 0:
            raise ConfigError(
                field="hang_timeout_s", value=self.hang_timeout_s, remedy="give more than 0"
            )
        if self.is_quantized and self.flash_attention is False:
            raise ConfigError(
                field="flash_attention", value=False,
                remedy=f"leave it out: {self.kv_type} needs flash attention",
            )  # fmt: skip

    @property
    def uses_flash_attention(self) -> bool:
        """What `flash_attention` comes to."""
        if self.flash_attention is not None:
            return self.flash_attention
        return self.gpu_layers != 0 or self.is_quantized

    @property
    def is_quantized(self) -> bool:
        """Whether keys and values are stored in blocks of small integers."""
        return self.kv_type in {KVType.Q8_0, KVType.Q4_0}

    @property
    def cells(self) -> int:
        """What `active_tokens` comes to."""
        return self.context_tokens * 3 // 2 if self.active_tokens is None else self.active_tokens


def automatic_settings(config: ModelConfig, hardware: Hardware) -> ModelConfig:
    """Decide what was left open, by the machine.

    One thread for each fast core: two threads of one core wait for the same memory. Reading prompts
    computes more, and takes all of them. A file is mapped if that saves memory, for which
    its header is read.
    """
    threads = config.threads or hardware.compute_cores
    return replace(
        config,
        threads=threads,
        batch_threads=config.batch_threads or config.threads or hardware.usable_cores,
        use_mmap=should_map(config.path, hardware=hardware)
        if config.use_mmap is None
        else config.use_mmap,
        cache_bytes=usual_cache_bytes(hardware.total_memory_bytes)
        if config.cache_bytes is None
        else config.cache_bytes,
    )
