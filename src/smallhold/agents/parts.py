"""What an agent is made of beside its settings: this file holds the names of these parts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from smallhold.agents.recalling import Recall
from smallhold.runtimes.protocol import Embedder, Runtime
from smallhold.tools import AnyTool

if TYPE_CHECKING:
    from smallhold.state import State
    from smallhold.state.recall import Recaller


class AgentParts(TypedDict, total=False):
    """What `Agent` takes by name."""

    runtime: Runtime | None
    """What runs the model; by default made from the settings."""
    tools: Iterable[AnyTool | Callable[..., object]]
    """Tools or functions to start with."""
    embedder: Embedder | None
    """Compares meanings where there are more tools than `Config.tool_limit`. By default the
    installed sentence model; with a `runtime` of your own none, and tools are found by their
    words."""
    state: State | str | Path | None
    """Where sessions and runs are kept: a `State`, or the path or URL of a database. By default
    sessions are kept in memory."""
    recall: Recall | Recaller | None
    """What the agent looks things up in before it answers: a `Knowledge`, a `MemoryRecaller`, or a
    `Recall` of several, with the room they may take."""


def refuse_unknown_parts(parts: AgentParts) -> None:
    """Refuse a misspelt name. Raises `TypeError`."""
    for name in parts:
        if name not in AgentParts.__annotations__:
            known = ", ".join(AgentParts.__annotations__)
            msg = f"an agent has no part {name!r}; it has {known}"
            raise TypeError(msg)
