"""What people see when something fails: this file holds the way from errors to exit codes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import typer
from rich.text import Text

from smallhold.cli.exit_codes import ExitCode
from smallhold.cli.extras import extra_of, install_command
from smallhold.cli.terminal import foreign, side_console
from smallhold.exceptions import CallerError, SmallholdError

Params = ParamSpec("Params")

_log = logging.getLogger(__name__)


def shows_failures(command: Callable[Params, None]) -> Callable[Params, None]:
    """Make a command end with one clear message and an exit code instead of a traceback.

    The traceback is in the log, which `--verbose` shows.
    """

    @wraps(command)
    def guarded(*args: Params.args, **kwargs: Params.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except SmallholdError as error:
            _log.debug("cli.failed", exc_info=error)
            show_error(str(error))
            raise typer.Exit(exit_code(error)) from error
        except ModuleNotFoundError as error:
            extra = extra_of(error.name or "")
            if extra is None:
                raise
            _log.debug("cli.failed", exc_info=error)
            show_error(f"The module {error.name!r} is missing. Run `{install_command(extra)}`.")
            raise typer.Exit(ExitCode.FAILED) from error

    return guarded


def exit_code(error: SmallholdError) -> ExitCode:
    """Tell what the caller must change (2) from what failed (1)."""
    return ExitCode.USAGE if isinstance(error, CallerError) else ExitCode.FAILED


def show_error(message: str) -> None:
    """Write a message to stderr."""
    line = Text.assemble(("Error: ", "bold red"), foreign(message))
    side_console().print(line, soft_wrap=True)
