"""How a command ends: this file holds the exit codes that scripts can rely on."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit status of every `smallhold` command; listed in `docs/cli.md`."""

    OK = 0
    """Done. An evaluation or demo with failed tasks counts as done: its figures say so."""
    FAILED = 1
    """The model, the engine or the run failed."""
    USAGE = 2
    """The command line, a setting or a message must change."""
    INTERRUPTED = 130
    """Ctrl-C. Source: the convention of shells, 128 + the number of SIGINT."""
