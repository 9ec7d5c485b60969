"""What outlives a process: this package holds sessions, approvals, memory, knowledge and outbox."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from smallhold.state.database import Database, Durability
    from smallhold.state.state import State

__all__ = ["Database", "Durability", "State"]

_HOMES: Final = {"Database": "database", "Durability": "database", "State": "state"}


def __getattr__(name: str) -> object:
    """Import a public name when it is first used: the process that parses needs no database."""
    if name not in _HOMES:
        problem = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(problem)
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
