"""The command line: `smallhold`, Typer commands with Rich output."""

from __future__ import annotations

__all__: list[str] = []
