"""What a suite amounts to: this file holds the report that `smallhold bench` writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from smallhold.messages import JsonObject

_DIGITS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Standings:
    """What the contestants of one suite came to."""

    ours: JsonObject
    peers: Mapping[str, JsonObject]
    """By name, with the same keys as ours as far as a peer can tell."""
    ratio: Mapping[str, float | None]
    """Ours over the best peer; `None` where no peer was measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteReport:
    """The figures of one suite on one model."""

    suite: str
    model: str
    rounds: int
    standings: Standings
    missing_peers: Mapping[str, str]
    """Peers that could not take part, and why."""
    machine: JsonObject
    """Where the figures come from."""

    def to_dict(self) -> JsonObject:
        """The report as JSON, with the keys that `smallhold bench --json` promises."""
        return {
            "suite": self.suite,
            "model": self.model,
            "rounds": self.rounds,
            "ours": {
                **self.standings.ours,
                "missing_peers": dict(self.missing_peers),
                "machine": self.machine,
            },
            "peers": {name: dict(figures) for name, figures in self.standings.peers.items()},
            "ratio": {
                key: None if value is None else round(value, _DIGITS)
                for key, value in self.standings.ratio.items()
            },
        }
