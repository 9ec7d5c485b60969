"""How a worker comes to its end when memory runs out: this file holds the limits on its process.

A worker is cheap to replace and the service around it is not, so the worker is the first to go.
"""

from __future__ import annotations

import logging
import resource
import sys
from pathlib import Path
from typing import Final

MEMORY_EXIT_STATUS: Final = 12
"""How a worker exits that ran out of memory: the number of ENOMEM."""
_OOM_SCORE: Final = "500"
"""Half of the scale's top: killed before a service that takes up to half of the memory.
Source: proc_pid_oom_score_adj(5)."""

_log = logging.getLogger(__name__)


def limit_memory(limit_bytes: int) -> None:
    """Let allocations beyond a limit fail in this process, instead of taking the machine's memory.

    Counts private writable memory: keys and values, buffers and threads' stacks, and the weights
    unless they are mapped. Source: setrlimit(2), RLIMIT_DATA.
    """
    if sys.platform != "linux":
        # Elsewhere this limit covers only the heap's old part, which large buffers avoid.
        _log.warning("memory_limit.not_enforceable", extra={"limit_bytes": limit_bytes})
        return
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    soft = limit_bytes if hard == resource.RLIM_INFINITY else min(limit_bytes, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def lift_memory_limit() -> None:
    """Take the limit away again, so that telling the clients does not fail for memory as well."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))


def volunteer_for_oom_killer() -> None:
    """Have the kernel end this process before others when the machine has no memory left."""
    try:
        Path("/proc/self/oom_score_adj").write_text(_OOM_SCORE, encoding="ascii")
    except OSError:
        _log.info("memory_limit.oom_score_unchanged")
