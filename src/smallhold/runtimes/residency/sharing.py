"""One residency for equal settings: this file holds those of the process."""

from __future__ import annotations

import threading
from typing import Final

from smallhold.runtimes.residency.residency import Residency
from smallhold.runtimes.residency.resources import ResourceConfig

UNLIMITED: Final = ResourceConfig(power_management=False)
"""What holds for agents that were given no limits: real free memory, and idle models go."""

_lock = threading.Lock()
_residencies: dict[ResourceConfig, Residency] = {}


def shared_residency(config: ResourceConfig | None = None) -> Residency:
    """Give the residency of this process for these settings, the same each time."""
    wanted = UNLIMITED if config is None else config
    with _lock:
        if wanted not in _residencies:
            _residencies[wanted] = Residency(wanted)
        return _residencies[wanted]
