"""How a peer is started: this file holds the settings that its first argument carries as JSON."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from typing import TextIO


class PeerError(Exception):
    """A peer cannot go on."""

    def __init__(self, problem: str) -> None:
        self.problem = problem
        super().__init__(problem)


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerSettings:
    """One engine's settings; the same keys as `smallhold.evals.bench.peers.PeerSettings`."""

    model: str
    threads: int
    context_tokens: int
    """Most tokens of one request, prompt and answer together."""
    slots: int = 1
    """Requests at the same time."""
    batch_tokens: int | None = None
    """Most tokens in one pass; `None` leaves the engine's default."""
    flash_attention: bool | None = None
    """`None` leaves the engine's default."""
    kv_type: str = "f16"
    shares_cells: bool = False
    """All slots share one pool of keys and values, instead of a part for each."""


def read_settings() -> PeerSettings:
    """Read the only argument."""
    return PeerSettings(**json.loads(sys.argv[1]))


def private_stdout() -> TextIO:
    """Keep stdout for the protocol: whatever else is printed goes to stderr."""
    kept = os.dup(1)
    os.dup2(2, 1)
    return os.fdopen(kept, "w", encoding="utf-8", buffering=1)


def send(out: TextIO, reply: object) -> None:
    """Write one line of JSON."""
    out.write(json.dumps(reply) + "\n")
    out.flush()
