"""What models may take of a machine: this file holds the settings of a residency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from smallhold.exceptions import ConfigError
from smallhold.settings import parse_bytes

DEFAULT_KEEP_ALIVE_S: Final = 300.0
"""How long a model stays after its last request. Source: Ollama's default `keep_alive`, 5 minutes,
which users of local models know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceConfig:
    """What the models of one process may take.

    Agents whose settings are equal share their models, and what these may take together.

    Raises:
        ConfigError: a value cannot be used.
    """

    max_memory_usage: str | int | None = None
    """Most memory of all models together, such as `"4GB"` (4e9), `"4GiB"` (2**32) or a number of
    bytes; `None` leaves it to what the machine has free."""
    max_concurrent_agents: int | None = None
    """Runs of agents at a time; others wait in order. `None` is no limit."""
    model_cache_size: str | int | None = None
    """Disk space for the model store. Beyond it, models that were not used for longest are
    deleted after a load, but never a pinned or a loaded one. `None` deletes nothing."""
    auto_unload_idle_models: bool = True
    """Unload a model that had no request for `keep_alive_s`."""
    power_management: bool = True
    """Compute with fewer threads and unload sooner on battery, heat or memory pressure."""
    keep_alive_s: float = DEFAULT_KEEP_ALIVE_S
    """Seconds that a model stays after its last request: 0 unloads it at once, `math.inf` never.
    `Config.keep_alive_s` sets it for one agent's model."""

    def __post_init__(self) -> None:
        """Check every value."""
        _ = self.max_memory_bytes, self.model_cache_bytes
        if self.max_concurrent_agents is not None and self.max_concurrent_agents < 1:
            raise ConfigError(
                field="max_concurrent_agents",
                value=self.max_concurrent_agents,
                remedy="give 1 or more, or `None` for no limit",
            )
        check_keep_alive(self.keep_alive_s)

    @property
    def max_memory_bytes(self) -> int | None:
        """What `max_memory_usage` comes to."""
        return _size(self.max_memory_usage, field="max_memory_usage")

    @property
    def model_cache_bytes(self) -> int | None:
        """What `model_cache_size` comes to."""
        return _size(self.model_cache_size, field="model_cache_size")


def check_keep_alive(keep_alive_s: float | None) -> None:
    """Refuse a time that is none. Raises `ConfigError`."""
    if keep_alive_s is not None and not keep_alive_s >= 0:  # so that NaN is refused too
        raise ConfigError(
            field="keep_alive_s",
            value=keep_alive_s,
            remedy="give 0 to unload at once, seconds, or `math.inf` to keep the model",
        )


def _size(value: str | int | None, *, field: str) -> int | None:
    if isinstance(value, str):
        return parse_bytes(value, field=field)
    if value is not None and value < 1:
        raise ConfigError(field=field, value=value, remedy="give 1 byte or more, such as 4GB")
    return value
