"""`smallhold memory`: this file holds its commands with their arguments."""

# No `from __future__ import annotations`: Typer reads these annotations at run time.
# ruff: noqa: PLC0415 - each command imports what it needs, so that `--help` stays fast

from pathlib import Path
from typing import Annotated, Final, TypeAlias

import typer

from smallhold.cli.exit_codes import ExitCode
from smallhold.cli.failures import shows_failures
from smallhold.cli.options import JsonOption
from smallhold.cli.state_options import StateOption, TenantOption, with_state
from smallhold.cli.terminal import foreign, result_console, side_console, write_json

memory_app = typer.Typer(help="What agents remember of people and things.", no_args_is_help=True)
DAY_S: Final = 86_400.0

SubjectArgument: TypeAlias = Annotated[
    str, typer.Argument(metavar="SUBJECT", help="Whom or what facts are about.")
]


@memory_app.command("list")
@shows_failures
def list_memory(
    subject: Annotated[
        str | None, typer.Argument(metavar="[SUBJECT]", help="Without one, all are listed.")
    ] = None,
    *,
    state: StateOption = None,
    tenant: TenantOption = "default",
    as_json: JsonOption = False,
) -> None:
    """List whom anything is remembered of, or what is remembered of one."""
    from smallhold.cli.memory_views import facts_table, subjects_table
    from smallhold.state.memory.export import fact_json

    if subject is None:
        names = with_state(state, lambda opened: opened.memory.subjects(), tenant=tenant)
        if as_json:
            write_json(list(names))
        else:
            result_console().print(subjects_table(names))
        return
    facts = with_state(state, lambda opened: opened.memory.facts(subject), tenant=tenant)
    if as_json:
        write_json([fact_json(fact, now_s=fact.created_s) for fact in facts])
    else:
        result_console().print(facts_table(facts))


@memory_app.command("history")
@shows_failures
def show_history(
    subject: SubjectArgument,
    attribute: Annotated[
        str | None, typer.Argument(metavar="[ATTRIBUTE]", help="Only what was said of this.")
    ] = None,
    *,
    state: StateOption = None,
    tenant: TenantOption = "default",
    as_json: JsonOption = False,
) -> None:
    """Show what was ever remembered of somebody, what was replaced included."""
    import time

    from smallhold.cli.memory_views import facts_table
    from smallhold.state.memory.export import fact_json

    facts = with_state(
        state, lambda opened: opened.memory.history(subject, attribute), tenant=tenant
    )
    if as_json:
        now_s = time.time()
        write_json([fact_json(fact, now_s=now_s) for fact in facts])
    else:
        result_console().print(facts_table(facts))


@memory_app.command("add")
@shows_failures
def add(
    fact: Annotated[
        tuple[str, str, str],
        typer.Argument(
            metavar="SUBJECT ATTRIBUTE VALUE",
            help="Whom it is about, what of them, and what is so: ann 'favourite drink' tea.",
        ),
    ],
    *,
    also: Annotated[
        bool, typer.Option("--also", help="Beside the values that are known, as in a list.")
    ] = False,
    days: Annotated[
        float | None, typer.Option(min=0, help="Remember it for so many days.", show_default="ever")
    ] = None,
    state: StateOption = None,
    tenant: TenantOption = "default",
    as_json: JsonOption = False,
) -> None:
    """Remember something. Another value of the same attribute is replaced, and kept as history."""
    from smallhold.state import State
    from smallhold.state.memory import Fact
    from smallhold.state.memory.export import fact_json

    async def remember(opened: State) -> Fact:
        write = opened.memory.remember_also if also else opened.memory.remember
        expires_s = None if days is None else opened.clock() + days * DAY_S
        return await write(*fact, expires_s=expires_s)

    kept = with_state(state, remember, tenant=tenant)
    if as_json:
        write_json(fact_json(kept, now_s=kept.created_s))
    else:
        result_console().print(foreign(f"{kept.subject}: {kept.line}"), soft_wrap=True)


@memory_app.command("search")
@shows_failures
def search(
    text: Annotated[str, typer.Argument(help="A question, or some words.")],
    *,
    subject: Annotated[
        str | None, typer.Option(help="Only what is remembered of this one.", show_default="all")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many facts.")] = 10,
    state: StateOption = None,
    tenant: TenantOption = "default",
    as_json: JsonOption = False,
) -> None:
    """Find what an agent would be reminded of, by words and, with all-minilm-l6-v2, by meaning."""
    from smallhold.cli.memory_views import hybrid_memory, recalled_table
    from smallhold.state.memory.export import fact_json

    found = with_state(
        state,
        lambda opened: hybrid_memory(opened).recall(text, subject=subject, limit=limit),
        tenant=tenant,
    )
    if as_json:
        write_json([
            {**fact_json(one.fact, now_s=one.fact.created_s), "score": one.score}
            for one in found.facts
        ])
    else:
        result_console().print(recalled_table(found))


@memory_app.command("export")
@shows_failures
def export(
    subject: SubjectArgument,
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file instead of stdout.")
    ] = None,
    state: StateOption = None,
    tenant: TenantOption = "default",
) -> None:
    """Write all that is remembered of somebody as JSON, history and provenance included."""
    import json

    from smallhold.cli.session_files import write_private

    document = with_state(state, lambda opened: opened.memory.export(subject), tenant=tenant)
    if output is None:
        write_json(document)
        return
    write_private(output, f"{json.dumps(document, ensure_ascii=False, indent=2)}\n")
    side_console().print("Written. It is not encrypted: keep it as you keep the database.")


@memory_app.command("forget")
@shows_failures
def forget(
    fact: Annotated[str, typer.Argument(metavar="FACT", help="Its id, as `memory list` has it.")],
    *,
    state: StateOption = None,
    tenant: TenantOption = "default",
) -> None:
    """Remove one fact."""
    if not with_state(state, lambda opened: opened.memory.forget(fact), tenant=tenant):
        side_console().print(foreign(f"There is no fact {fact}."), soft_wrap=True)
        raise typer.Exit(ExitCode.FAILED)


@memory_app.command("erase")
@shows_failures
def erase(
    subject: SubjectArgument,
    *,
    session: Annotated[
        list[str] | None,
        typer.Option(metavar="SESSION", help="Delete this session too; again for another."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    state: StateOption = None,
    tenant: TenantOption = "default",
    as_json: JsonOption = False,
) -> None:
    """Remove somebody for good, from the database and its backups. Exit code 0: all was reached."""
    from smallhold.cli.memory_views import erasure_table

    if not yes:
        typer.confirm("This cannot be undone. Erase?", abort=True, err=True)
    report = with_state(
        state, lambda opened: opened.memory.erase(subject, sessions=session or ()), tenant=tenant
    )
    if as_json:
        write_json(report.to_dict())
    else:
        result_console().print(erasure_table(report))
    raise typer.Exit(ExitCode.OK if report.is_complete else ExitCode.FAILED)


@memory_app.command("prune")
@shows_failures
def prune(
    *,
    trust_clock: Annotated[
        bool, typer.Option("--trust-clock", help="Although it is a year ahead of the last use.")
    ] = False,
    state: StateOption = None,
    tenant: TenantOption = "default",
    as_json: JsonOption = False,
) -> None:
    """Remove what has expired."""
    done = with_state(
        state, lambda opened: opened.memory.prune(trusts_clock=trust_clock), tenant=tenant
    )
    if as_json:
        write_json({"facts": done.facts, "is_clock_doubtful": done.is_clock_doubtful})
    else:
        result_console().print(f"{done.facts} facts removed.")
    if done.is_clock_doubtful:
        side_console().print(
            "The clock is more than a year ahead of the last use, so nothing was removed. "
            "Set it, or give --trust-clock if it is right."
        )
        raise typer.Exit(ExitCode.FAILED)
