"""`smallhold state`: this file holds its commands with their arguments."""

# No `from __future__ import annotations`: Typer reads these annotations at run time.
# ruff: noqa: PLC0415 - each command imports what it needs, so that `--help` stays fast

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from smallhold.cli.exit_codes import ExitCode
from smallhold.cli.failures import shows_failures
from smallhold.cli.options import JsonOption
from smallhold.cli.state_options import StateOption, with_state
from smallhold.cli.terminal import foreign, result_console, write_json

if TYPE_CHECKING:
    from smallhold.state import State
    from smallhold.state.care import Backup

state_app = typer.Typer(help="The database's care.", no_args_is_help=True)


@state_app.command("check")
@shows_failures
def check_state(*, state: StateOption = None, as_json: JsonOption = False) -> None:
    """Look for damage; nothing is changed. Exit code 0: the database is sound."""
    from smallhold.cli.state_views import check_view
    from smallhold.state.care import check

    report = with_state(state, lambda opened: check(opened.database))
    if as_json:
        write_json(report.to_dict())
    else:
        result_console().print(check_view(report))
    raise typer.Exit(ExitCode.OK if report.is_sound else ExitCode.FAILED)


@state_app.command("repair")
@shows_failures
def repair_state(
    *,
    aside: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where damaged rows go; by default beside the database."),
    ] = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Set what is damaged apart, so that the rest serves. Nothing is thrown away."""
    from smallhold.cli.state_views import repair_view
    from smallhold.state.care import repair

    report = with_state(state, lambda opened: repair(opened.database, aside=aside))
    if as_json:
        write_json(report.to_dict())
    else:
        result_console().print(repair_view(report), soft_wrap=True)


@state_app.command("backup")
@shows_failures
def back_up_state(
    target: Annotated[Path, typer.Argument(metavar="FILE", help="A file that does not exist.")],
    *,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Copy the database into a new file, while others may use it."""
    from smallhold.state.care import back_up

    backup = with_state(state, lambda opened: back_up(opened.database, target))
    if as_json:
        write_json(backup.to_dict())
    else:
        result_console().print(foreign(f"{backup.size_bytes:,} bytes in {backup.path}."))


@state_app.command("backups")
@shows_failures
def list_backups(*, state: StateOption = None, as_json: JsonOption = False) -> None:
    """List the backups that were made."""
    from smallhold.cli.state_views import backups_table
    from smallhold.state.care import registered_backups

    async def read(opened: "State") -> "tuple[Backup, ...]":
        return await registered_backups(opened.database)

    found = with_state(state, read)
    if as_json:
        write_json([backup.to_dict() for backup in found])
    else:
        result_console().print(backups_table(found))


@state_app.command("forget-backup")
@shows_failures
def forget(
    backup_id: Annotated[str, typer.Argument(metavar="ID", help="As `state backups` gives it.")],
    *,
    state: StateOption = None,
) -> None:
    """Take a backup off the list, once its file is gone for good."""
    from smallhold.state.care import forget_backup

    with_state(state, lambda opened: forget_backup(opened.database, backup_id))


@state_app.command("restore")
@shows_failures
def restore_state(
    backup: Annotated[Path, typer.Argument(metavar="FILE", help="What `state backup` made.")],
    *,
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="Replace a database that holds something; it is kept."),
    ] = False,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Go back to a backup. Who was erased since it was made does not come back."""
    from smallhold.cli.state_views import restore_view
    from smallhold.state.care import restore

    report = with_state(
        state, lambda opened: restore(opened.database, backup, overwrites=overwrite)
    )
    if as_json:
        write_json(report.to_dict())
    else:
        result_console().print(restore_view(report), soft_wrap=True)


@state_app.command("rotate")
@shows_failures
def rotate_keys(*, state: StateOption = None, as_json: JsonOption = False) -> None:
    """Seal everything with the first key of SMALLHOLD_STATE_KEY; encrypt what lies in the clear."""
    from smallhold.cli.state_views import rotation_view
    from smallhold.state.care import rotate

    report = with_state(state, lambda opened: rotate(opened.database))
    if as_json:
        write_json(report.to_dict())
    else:
        result_console().print(rotation_view(report), soft_wrap=True)


@state_app.command("new-key")
@shows_failures
def new_key(
    key_id: Annotated[
        str, typer.Argument(metavar="ID", help="Its name, such as the month it is made in.")
    ] = "default",
) -> None:
    """Make a random key for SMALLHOLD_STATE_KEY. Whoever has it can read the database."""
    from smallhold.security import KeyRing

    typer.echo(KeyRing.generate(key_id).text())
