"""`smallhold knowledge`: this file holds its commands with their arguments."""

# No `from __future__ import annotations`: Typer reads these annotations at run time.
# ruff: noqa: PLC0415 - each command imports what it needs, so that `--help` stays fast

from pathlib import Path
from typing import Annotated, Final, TypeAlias

import typer

from smallhold.cli.failures import shows_failures
from smallhold.cli.options import JsonOption
from smallhold.cli.state_options import StateOption, TenantOption, with_state
from smallhold.cli.terminal import result_console, side_console, write_json

knowledge_app = typer.Typer(help="Documents that agents can look up.", no_args_is_help=True)
EMBEDDER: Final = "all-minilm-l6-v2"

EmbedderOption: TypeAlias = Annotated[
    str,
    typer.Option("--embedder", metavar="ALIAS", help="A sentence model; none compares words only."),
]
OnlineOption: TypeAlias = Annotated[
    bool, typer.Option("--online", help="Fetch pages from the network.")
]


@knowledge_app.command("add")
@shows_failures
def add(
    source: Annotated[
        str, typer.Argument(metavar="PATH|URL", help="A file, a folder, or a web page.")
    ],
    *,
    online: OnlineOption = False,
    embedder: EmbedderOption = EMBEDDER,
    state: StateOption = None,
    tenant: TenantOption = "default",
    as_json: JsonOption = False,
) -> None:
    """Take in a document, or all of a folder. What has not changed is left as it is."""
    from smallhold.cli.knowledge_views import indexed_line, open_knowledge, summary_line
    from smallhold.state import State
    from smallhold.state.knowledge import Indexed

    console = side_console()

    async def run(opened: State) -> tuple[Indexed, ...]:
        knowledge = open_knowledge(opened, embedder=embedder, is_online=online)
        return await knowledge.add(source, report=lambda done: console.print(indexed_line(done)))

    done = with_state(state, run, tenant=tenant)
    if as_json:
        write_json([one.to_dict() for one in done])
    else:
        result_console().print(summary_line(done))


@knowledge_app.command("list")
@shows_failures
def list_documents(
    *, state: StateOption = None, tenant: TenantOption = "default", as_json: JsonOption = False
) -> None:
    """List the documents."""
    from smallhold.cli.knowledge_views import NO_MODEL, documents_table, open_knowledge

    found = with_state(
        state,
        lambda opened: open_knowledge(opened, embedder=NO_MODEL).documents(),
        tenant=tenant,
    )
    if as_json:
        write_json([known.to_dict() for known in found])
    else:
        result_console().print(documents_table(found))


@knowledge_app.command("search")
@shows_failures
def search(
    text: Annotated[str, typer.Argument(help="A question, or some words.")],
    *,
    limit: Annotated[int, typer.Option(min=1, help="At most so many passages.")] = 5,
    embedder: EmbedderOption = EMBEDDER,
    state: StateOption = None,
    tenant: TenantOption = "default",
    as_json: JsonOption = False,
) -> None:
    """Find the passages that answer a question best."""
    from smallhold.cli.knowledge_views import open_knowledge, print_hits
    from smallhold.state import State
    from smallhold.state.knowledge import Hit

    async def run(opened: State) -> tuple[Hit, ...]:
        knowledge = open_knowledge(opened, embedder=embedder)
        return await knowledge.search(text, limit=limit)

    hits = with_state(state, run, tenant=tenant)
    if as_json:
        write_json([hit.to_dict() for hit in hits])
    else:
        print_hits(hits, console=result_console())


@knowledge_app.command("remove")
@shows_failures
def remove(
    source: Annotated[
        str, typer.Argument(metavar="PATH|URL", help="As `knowledge list` gives it, or a folder.")
    ],
    *,
    erase: Annotated[
        bool, typer.Option("--erase", help="Write the database anew, so that no trace is left.")
    ] = False,
    state: StateOption = None,
    tenant: TenantOption = "default",
    as_json: JsonOption = False,
) -> None:
    """Delete a document, or all that came from a folder."""
    from smallhold.cli.knowledge_views import NO_MODEL, open_knowledge
    from smallhold.messages import JsonObject
    from smallhold.state import State

    async def run(opened: State) -> JsonObject:
        knowledge = open_knowledge(opened, embedder=NO_MODEL)
        if erase:
            return (await knowledge.erase(source)).to_dict()
        removed = await knowledge.remove(source)
        return {
            "sources": [one.source for one in removed],
            "chunks": sum(one.chunks for one in removed),
        }

    report = with_state(state, run, tenant=tenant)
    if as_json:
        write_json(report)
        return
    sources = report["sources"]
    console = result_console()
    console.print(f"{len(sources) if isinstance(sources, list) else 0} documents removed.")
    if report.get("remains"):
        side_console().print(f"Not everything could be cleaned: {report['remains']}.")


@knowledge_app.command("watch")
@shows_failures
def watch(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER")],
    *,
    embedder: EmbedderOption = EMBEDDER,
    state: StateOption = None,
    tenant: TenantOption = "default",
    as_json: JsonOption = False,
) -> None:
    """Keep the documents those of a folder, until Ctrl-C."""
    from smallhold.cli.knowledge_views import indexed_line, open_knowledge
    from smallhold.state import State

    console = side_console()

    async def run(opened: State) -> None:
        async with open_knowledge(opened, embedder=embedder).watch(folder) as changes:
            async for done in changes:
                if as_json:
                    write_json(done.to_dict())
                else:
                    console.print(indexed_line(done))

    with_state(state, run, tenant=tenant)


@knowledge_app.command("reindex")
@shows_failures
def reindex(
    *,
    embedder: EmbedderOption = EMBEDDER,
    state: StateOption = None,
    tenant: TenantOption = "default",
    as_json: JsonOption = False,
) -> None:
    """Embed the stored text again, after another embedding model or the first one."""
    from smallhold.cli.knowledge_views import indexed_line, open_knowledge, summary_line
    from smallhold.state import State
    from smallhold.state.knowledge import Indexed

    console = side_console()

    async def run(opened: State) -> tuple[Indexed, ...]:
        knowledge = open_knowledge(opened, embedder=embedder)
        return await knowledge.reindex(report=lambda done: console.print(indexed_line(done)))

    done = with_state(state, run, tenant=tenant)
    if as_json:
        write_json([one.to_dict() for one in done])
    else:
        result_console().print(summary_line(done))


@knowledge_app.command("status")
@shows_failures
def status(
    *,
    embedder: EmbedderOption = EMBEDDER,
    state: StateOption = None,
    tenant: TenantOption = "default",
    as_json: JsonOption = False,
) -> None:
    """Count what there is, and say whether the embedding model fits it."""
    from smallhold.cli.knowledge_views import open_knowledge, status_table

    found = with_state(
        state, lambda opened: open_knowledge(opened, embedder=embedder).status(), tenant=tenant
    )
    if as_json:
        write_json(found.to_dict())
    else:
        result_console().print(status_table(found))
