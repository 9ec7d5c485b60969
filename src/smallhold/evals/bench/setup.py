"""What a benchmark is run with: this file holds its settings and the choice of contestants."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from smallhold.engine.config import ModelConfig
from smallhold.evals.bench.contestants import OURS, Contestant, Ours
from smallhold.evals.bench.llama_cpp_python import LlamaCppPython
from smallhold.evals.bench.llama_server import LlamaServer
from smallhold.evals.bench.peers import (
    BARE_LOOP,
    LLAMA_CPP_PYTHON,
    LLAMA_SERVER,
    SCRIPTS,
    PeerProcess,
    PeerScript,
    PeerSettings,
)
from smallhold.evals.bench.rendering import renderer_for
from smallhold.evals.bench.report import Standings, SuiteReport
from smallhold.evals.bench.rounds import OnTurn
from smallhold.exceptions import ConfigError
from smallhold.messages import JsonObject
from smallhold.models import detect_hardware

FLASH_OFF: Final = "llama-server-fa-off"
SMALL_BATCH: Final = "llama-server-batch-256"
_SMALL_BATCH_TOKENS: Final = 256
FOUR_SLOTS: Final = "llama-server-4-slots"
_STOCK_SLOTS: Final = 4
"""What `llama-server` takes when it is not told: four slots over one pool of cells."""
SHARED_CELLS: Final = "llama-server-shared-cells"
_GIB: Final = 1024**3

PEER_SCRIPTS: Final[Mapping[str, PeerScript]] = {
    LLAMA_SERVER.name: LLAMA_SERVER,
    FLASH_OFF: replace(LLAMA_SERVER, name=FLASH_OFF),
    SMALL_BATCH: replace(LLAMA_SERVER, name=SMALL_BATCH),
    FOUR_SLOTS: replace(LLAMA_SERVER, name=FOUR_SLOTS),
    SHARED_CELLS: replace(LLAMA_SERVER, name=SHARED_CELLS),
    LLAMA_CPP_PYTHON.name: LLAMA_CPP_PYTHON,
    BARE_LOOP.name: BARE_LOOP,
}
"""Every peer and variant that `--peer` can name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchSetup:
    """What the caller decides for every suite."""

    model: str
    path: Path
    """The GGUF file."""
    threads: int
    rounds: int
    on_turn: OnTurn
    data: Path | None = None
    """Folder of BFCL's rows."""
    peers: tuple[str, ...] | None = None
    """Names of the peers that take part; `None` takes the suite's own choice."""
    limit: int | None = None
    """At most so many rows, agents, texts or sessions; `None` takes the suite's own number."""
    sessions: int | None = None
    """Sessions of each agent in `switch`."""
    scripts: Path = SCRIPTS

    def __post_init__(self) -> None:
        """Check ranges and names. Raises `ConfigError`."""
        for field in ("threads", "rounds", "limit", "sessions"):
            value: int | None = getattr(self, field)
            if value is not None and value < 1:
                raise ConfigError(field=field, value=value, remedy="give 1 or more")
        for name in self.peers or ():
            if name not in PEER_SCRIPTS:
                known = ", ".join(PEER_SCRIPTS)
                raise ConfigError(field="peer", value=name, remedy=f"choose one of {known}")

    def at_most(self, number: int) -> int:
        """A suite's own number within the caller's limit."""
        return number if self.limit is None else min(number, self.limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineup:
    """Who takes part."""

    ours: Ours
    peers: Mapping[str, Contestant]
    missing: Mapping[str, str]
    """Peers that could not take part, and why."""

    @property
    def all(self) -> dict[str, Contestant]:
        """Ours first."""
        return {OURS: self.ours, **self.peers}


def lineup(
    setup: BenchSetup,
    *,
    config: ModelConfig,
    settings: PeerSettings,
    peers: Sequence[str],
) -> Lineup:
    """Make the contestants of a suite; none is started.

    Args:
        setup: What the caller decided.
        config: Settings of ours.
        settings: Settings of every peer but for what makes a variant.
        peers: The suite's own choice.
    """
    present, missing = available(setup, peers)
    render = renderer_for(setup.path)
    made: dict[str, Contestant] = {}
    for name in present:
        script = PEER_SCRIPTS[name]
        process = PeerProcess(script, variant(name, settings), scripts=setup.scripts)
        kind = LlamaServer if script.file == LLAMA_SERVER.file else LlamaCppPython
        made[name] = kind(process, render=render)
    return Lineup(ours=Ours(config), peers=made, missing=missing)


def available(setup: BenchSetup, peers: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Tell peers that can take part from those that cannot, with the reasons.

    The bare loop answers no requests and cannot stand in for another peer, nor another one for it.
    """
    wanted = peers
    if setup.peers is not None and BARE_LOOP.name not in peers:
        wanted = [name for name in setup.peers if name != BARE_LOOP.name]
    if setup.peers == ():
        wanted = ()
    missing = {
        name: reason
        for name in wanted
        if (reason := PEER_SCRIPTS[name].missing(setup.scripts)) is not None
    }
    return [name for name in wanted if name not in missing], missing


def variant(name: str, settings: PeerSettings) -> PeerSettings:
    """Give the settings of a peer's variant."""
    if name == FLASH_OFF:
        return replace(settings, flash_attention=False)
    if name == SMALL_BATCH:
        return replace(settings, batch_tokens=_SMALL_BATCH_TOKENS)
    if name == SHARED_CELLS:
        return replace(settings, shares_cells=True)
    if name == FOUR_SLOTS:
        context_tokens = settings.context_tokens * settings.slots // _STOCK_SLOTS
        return replace(
            settings, slots=_STOCK_SLOTS, context_tokens=context_tokens, shares_cells=True
        )
    return settings


def report_of(
    setup: BenchSetup, *, suite: str, standings: Standings, missing: Mapping[str, str]
) -> SuiteReport:
    """Say of figures what they were measured on."""
    return SuiteReport(
        suite=suite,
        model=setup.model,
        rounds=setup.rounds,
        standings=standings,
        missing_peers=missing,
        machine=machine(setup),
    )


def machine(setup: BenchSetup) -> JsonObject:
    """Describe where the figures come from."""
    hardware = detect_hardware()
    return {
        "cpu": hardware.cpu_model,
        "cores": hardware.usable_cores,
        "threads": setup.threads,
        "memory_gib": round(hardware.total_memory_bytes / _GIB, 1),
        "system": f"{hardware.system} {hardware.machine}",
        "load_average_1min": round(os.getloadavg()[0], 2),
    }
