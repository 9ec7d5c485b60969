"""How a model is loaded: this file holds the typed settings of one engine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from smallhold.exceptions import ConfigError

DEFAULT_CONTEXT_TOKENS = 4096
"""Longest prompt plus answer. Agents' prompts are 600 to 1,500 tokens of instructions and tools;
4,096 leaves room for a conversation at about 50 MB of keys and values for a 0.5B model."""
DEFAULT_CACHE_TOKENS = 4096
"""Room for prefixes and conversations that wait for their next turn."""
DEFAULT_BATCH_TOKENS = 256
"""Prompt tokens computed in one pass. Larger is no faster on a CPU (`docs/benchmarks.md`), and a
request cannot be cancelled within a pass."""
DEFAULT_SNAPSHOT_BYTES = 512 * 1024 * 1024
"""Disk space for prefix snapshots of one model: about 40 prefixes of 1,000 tokens at 0.5B."""
MIN_CONTEXT_TOKENS = 256
"""Less than this holds no tool description."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfig:
    """Everything that decides how one model file is held in memory and evaluated."""

    path: Path
    """The GGUF file."""
    name: str
    """Name for errors and traces, usually the catalog's alias."""
    context_tokens: int = DEFAULT_CONTEXT_TOKENS
    """Most tokens of prompt and answer together for one request."""
    cache_tokens: int = DEFAULT_CACHE_TOKENS
    """Tokens of keys and values kept beyond the running request."""
    batch_tokens: int = DEFAULT_BATCH_TOKENS
    """Most prompt tokens in one forward pass."""
    threads: int | None = None
    """Threads for a pass; `None` takes the cores this process may use."""
    gpu_layers: int = 0
    """Layers put on a GPU; -1 means all. Needs an engine build with GPU support."""
    use_mmap: bool = True
    """Map the file instead of reading it: loads in milliseconds, shares memory."""
    snapshot_folder: Path | None = None
    """Where prefix snapshots are kept between runs; `None` keeps none."""
    snapshot_bytes: int = DEFAULT_SNAPSHOT_BYTES
    """Most bytes of snapshots kept for this model."""

    def __post_init__(self) -> None:
        """Check ranges. Raises `ConfigError`."""
        if self.context_tokens < MIN_CONTEXT_TOKENS:
            raise ConfigError(
                field="context_tokens",
                value=self.context_tokens,
                remedy=f"give at least {MIN_CONTEXT_TOKENS}",
            )
        if self.cache_tokens < 0:
            raise ConfigError(
                field="cache_tokens", value=self.cache_tokens, remedy="give 0 or more"
            )
        if self.batch_tokens < 1:
            raise ConfigError(
                field="batch_tokens", value=self.batch_tokens, remedy="give 1 or more"
            )
        if self.threads is not None and self.threads < 1:
            raise ConfigError(field="threads", value=self.threads, remedy="give 1 or more, or None")
