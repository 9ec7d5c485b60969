"""What optional installs bring: this file holds the extras with the modules that tell of them."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from types import MappingProxyType
from typing import Final

ENGINE_BUILD: Final = "smallhold engine build"
"""The command that compiles the native part of the engine."""
EXTRAS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({
    "engine": ("jinja2", "llguidance", "msgspec", "numpy"),
    "native": ("llama_cpp",),
    "hub": ("httpx2", "huggingface_hub"),
    "gpu": ("pynvml",),
    "postgresql": ("asyncpg",),
    "knowledge": ("docx", "markdown_it", "pypdf", "selectolax", "watchfiles"),
    "mcp": ("mcp", "mcp_types", "starlette", "uvicorn"),
    "a2a": ("a2a",),
    "evals": ("jsonschema", "referencing"),
})
"""Modules that each extra of the package installs."""


def missing_modules(extra: str) -> tuple[str, ...]:
    """Name the modules of an extra that are not here. Nothing is imported."""
    return tuple(module for module in EXTRAS[extra] if find_spec(module) is None)


def extra_of(module: str) -> str | None:
    """Find the extra that installs a module, `None` when none does."""
    root = module.partition(".")[0]
    return next((extra for extra, modules in EXTRAS.items() if root in modules), None)


def install_command(extra: str) -> str:
    """Say how to get an extra. The engine's native part is compiled for this CPU instead."""
    return ENGINE_BUILD if extra == "native" else f"pip install 'smallhold[{extra}]'"
