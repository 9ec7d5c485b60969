"""`smallhold sessions`: this file holds its commands with their arguments."""

# No `from __future__ import annotations`: Typer reads these annotations at run time.
# ruff: noqa: PLC0415 - each command imports what it needs, so that `--help` stays fast

import sys
from pathlib import Path
from typing import Annotated, Final, TypeAlias

import typer

from smallhold.cli.failures import shows_failures
from smallhold.cli.options import JsonOption, ModelOption, ToolsOption
from smallhold.cli.state_options import StateOption, TenantOption, with_state
from smallhold.cli.terminal import result_console, side_console, write_json

sessions_app = typer.Typer(
    help="Conversations that were kept, and their runs.", no_args_is_help=True
)
FROM_STDIN: Final = "-"
DAY_S: Final = 86_400.0

SessionArgument: TypeAlias = Annotated[str, typer.Argument(metavar="SESSION")]
RunArgument: TypeAlias = Annotated[
    str, typer.Argument(metavar="RUN", help="A run's id, as `sessions list` and `show` give it.")
]


@sessions_app.command("list")
@shows_failures
def list_sessions(
    *,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the latest first.")] = 50,
    unfinished: Annotated[
        bool, typer.Option("--unfinished", help="Only those with a run that has not ended.")
    ] = False,
    state: StateOption = None,
    tenant: TenantOption = "default",
    as_json: JsonOption = False,
) -> None:
    """List the sessions, the one that was used last first."""
    from smallhold.cli.session_views import session_json, sessions_table
    from smallhold.state import State
    from smallhold.state.sessions import Run, Session

    async def read(opened: State) -> tuple[tuple[Session, ...], tuple[Run, ...]]:
        runs = await opened.sessions.unfinished()
        if unfinished:
            found = [await opened.sessions.get(run.session) for run in runs[:limit]]
            return tuple(found), runs
        return await opened.sessions.list(limit=limit), runs

    found, runs = with_state(state, read, tenant=tenant)
    if as_json:
        write_json([session_json(session) for session in found])
    else:
        result_console().print(sessions_table(found, {run.id: run for run in runs}))


@sessions_app.command("show")
@shows_failures
def show_session(
    session: SessionArgument,
    *,
    log: Annotated[
        bool, typer.Option("--log", help="Every entry of the log instead of the conversation.")
    ] = False,
    state: StateOption = None,
    tenant: TenantOption = "default",
    as_json: JsonOption = False,
) -> None:
    """Show a session: its runs, and its conversation or its log."""
    from smallhold.cli import session_views as views
    from smallhold.cli.terminal import foreign
    from smallhold.messages import JsonObject
    from smallhold.state import State

    async def show(opened: State) -> None:
        store = opened.sessions
        summary, runs = await store.get(session), await store.runs(session)
        entries = await store.entries(session) if log else ()
        spoken = () if log else await store.conversation(session)
        if as_json:
            document: JsonObject = {
                **views.session_json(summary),
                "runs": [views.run_json(run) for run in runs],
            }
            if log:
                document["log"] = [views.entry_json(entry) for entry in entries]
            else:
                document["conversation"] = [views.message_view(message) for message in spoken]
            write_json(document)
            return
        console = result_console()
        console.print(views.runs_table(runs))
        if log:
            console.print(views.entries_table(entries))
        for message in spoken:
            console.print(foreign(views.spoken_line(message)), soft_wrap=True)

    with_state(state, show, tenant=tenant)


@sessions_app.command("export")
@shows_failures
def export_session(
    session: SessionArgument,
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file instead of stdout.")
    ] = None,
    state: StateOption = None,
    tenant: TenantOption = "default",
) -> None:
    """Write a session as JSON Lines, decrypted: keep the file as you would keep the database."""
    lines = with_state(state, lambda opened: opened.sessions.export_lines(session), tenant=tenant)
    text = "".join(f"{line}\n" for line in lines)
    if output is None:
        typer.echo(text, nl=False)
        return
    from smallhold.cli.session_files import write_private

    write_private(output, text)
    side_console().print(f"{len(lines) - 1} entries written.")


@sessions_app.command("import")
@shows_failures
def import_session(
    file: Annotated[str, typer.Argument(metavar="FILE", help="An export; - reads stdin.")],
    *,
    to: Annotated[
        str | None, typer.Option(metavar="SESSION", help="Id for it; by default its own.")
    ] = None,
    state: StateOption = None,
    tenant: TenantOption = "default",
    as_json: JsonOption = False,
) -> None:
    """Take in a session that was exported. Every line is checked before anything is stored."""
    from smallhold.agents.runs.stored import check_entry
    from smallhold.cli.session_files import read_lines
    from smallhold.cli.session_views import session_json
    from smallhold.state import State
    from smallhold.state.sessions import Session

    lines = read_lines(file, stdin=sys.stdin.buffer)

    async def take_in(opened: State) -> Session:
        return await opened.sessions.import_lines(lines, to=to, check=check_entry)

    taken = with_state(state, take_in, tenant=tenant)
    if as_json:
        write_json(session_json(taken))
    else:
        side_console().print(f"{taken.entries} entries imported.")
        typer.echo(taken.id)


@sessions_app.command("resume")
@shows_failures
def resume_run(
    run: RunArgument,
    *,
    agent: Annotated[
        str | None,
        typer.Option(
            metavar="MODULE:OBJECT",
            help="The agent, or a function that makes it of a State; else --model and --tools.",
        ),
    ] = None,
    model: ModelOption = None,
    tools: ToolsOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Go on with a run that was interrupted or waits for an approval; or show how it ended."""
    from smallhold.cli.running import show_resumed
    from smallhold.cli.session_agent import agent_for
    from smallhold.state import State

    async def resume(opened: State) -> None:
        loaded = agent_for(agent, state=opened, model=model, tools=tools)
        await show_resumed(loaded, run, as_json=as_json)

    with_state(state, resume)


@sessions_app.command("abandon")
@shows_failures
def abandon_run(
    run: RunArgument, *, state: StateOption = None, tenant: TenantOption = "default"
) -> None:
    """Give an interrupted or waiting run up, so that its session takes messages again."""
    given_up = with_state(state, lambda opened: opened.sessions.abandon(run), tenant=tenant)
    side_console().print(f"The session {given_up.session!r} takes messages again.", markup=False)


@sessions_app.command("branch")
@shows_failures
def branch_session(
    session: SessionArgument,
    *,
    to: Annotated[str, typer.Option(metavar="SESSION", help="Id of the new session.")],
    at: Annotated[
        str | None,
        typer.Option(metavar="ENTRY|RUN", help="Last entry, or last run, that is copied."),
    ] = None,
    state: StateOption = None,
    tenant: TenantOption = "default",
    as_json: JsonOption = False,
) -> None:
    """Copy a session up to an entry; a run that the copy ends in can be resumed from there."""
    from smallhold.cli.session_views import session_json
    from smallhold.state import State
    from smallhold.state.sessions import Session

    place = int(at) if at is not None and at.isdecimal() and len(at) <= 9 else at  # noqa: PLR2004

    async def branch(opened: State) -> Session:
        return await opened.sessions.branch(session, to=to, at=place)

    branched = with_state(state, branch, tenant=tenant)
    if as_json:
        write_json(session_json(branched))
    else:
        _tell_open_run(branched.open_run, said=branched.id)


@sessions_app.command("edit")
@shows_failures
def edit_message(
    session: SessionArgument,
    text: Annotated[str, typer.Argument(help="What the user says instead.")],
    *,
    at: Annotated[int, typer.Option(metavar="ENTRY", help="The message's entry in the log.")],
    state: StateOption = None,
    tenant: TenantOption = "default",
) -> None:
    """Take a session back to a message and put another in its place; then resume the run."""
    from smallhold.state import State
    from smallhold.state.sessions import Run

    async def edit(opened: State) -> Run:
        return await opened.sessions.edit(session, at=at, text=text)

    _tell_open_run(with_state(state, edit, tenant=tenant).id, said=session)


@sessions_app.command("delete")
@shows_failures
def delete_session(
    session: SessionArgument,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    state: StateOption = None,
    tenant: TenantOption = "default",
) -> None:
    """Delete a session with its runs and approvals."""
    if not yes:
        typer.confirm(f"Delete the session {session!r} for good?", abort=True)
    with_state(state, lambda opened: opened.sessions.delete(session), tenant=tenant)


@sessions_app.command("prune")
@shows_failures
def prune_sessions(
    *,
    older_than: Annotated[
        float | None,
        typer.Option(metavar="DAYS", min=0, help="Those that were not used for so many days."),
    ] = None,
    keep: Annotated[
        int | None, typer.Option(min=0, help="All but so many that were used last.")
    ] = None,
    unfinished: Annotated[
        bool, typer.Option("--unfinished", help="Also those with a run that has not ended.")
    ] = False,
    state: StateOption = None,
    tenant: TenantOption = "default",
    as_json: JsonOption = False,
) -> None:
    """Delete sessions that nobody has used for long."""
    from smallhold.state import State

    async def prune(opened: State) -> tuple[str, ...]:
        return await opened.sessions.prune(
            older_than_s=None if older_than is None else older_than * DAY_S,
            keep=keep,
            unfinished=unfinished,
        )

    gone = with_state(state, prune, tenant=tenant)
    if as_json:
        write_json(list(gone))
    else:
        side_console().print(f"{len(gone)} sessions deleted.")


def _tell_open_run(run: str | None, *, said: str) -> None:
    typer.echo(said)
    if run is not None:
        side_console().print(f"Go on with: smallhold sessions resume {run}", markup=False)
