"""Production AI agents on small language models, on your own hardware, offline first."""

from __future__ import annotations

import logging
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from smallhold.agents import Agent, Config, Example, Result
    from smallhold.runtimes.residency import ResourceConfig
    from smallhold.tools import tool

__all__ = ["Agent", "Config", "Example", "ResourceConfig", "Result", "tool"]

_HOMES = {
    "Agent": "smallhold.agents",
    "Config": "smallhold.agents",
    "Example": "smallhold.agents",
    "ResourceConfig": "smallhold.runtimes.residency",
    "Result": "smallhold.agents",
    "tool": "smallhold.tools",
}

logging.getLogger(__name__).addHandler(logging.NullHandler())


def __getattr__(name: str) -> object:
    """Import a public name when it is first used, so that `import smallhold` stays cheap."""
    if name not in _HOMES:
        problem = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(problem)
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return sorted({*globals(), *__all__})
