"""Model Context Protocol: this file holds the commands `mcp serve` and `mcp tools`."""

# No `from __future__ import annotations`: Typer reads these annotations at run time.
# ruff: noqa: PLC0415 - each command imports what it needs, so that `--help` stays quick

from pathlib import Path
from typing import Annotated

import typer

from smallhold.cli.failures import shows_failures
from smallhold.cli.options import JsonOption
from smallhold.cli.terminal import foreign, result_console, side_console, write_json

mcp_app = typer.Typer(
    help="Tool servers that speak MCP, and agents served to others.", no_args_is_help=True
)


@mcp_app.command("serve")
@shows_failures
def serve(
    agent: Annotated[
        str, typer.Argument(metavar="MODULE:AGENT", help="An agent, or a function that makes one.")
    ],
    *,
    http: Annotated[
        str | None,
        typer.Option(
            metavar="[HOST:]PORT", help="Listen there instead of on stdin; port 0 is any free one."
        ),
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(help="File with the token that clients must send; else in the environment."),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Another name of this machine; again for another."),
    ] = None,
    only_ask: Annotated[
        bool, typer.Option("--only-ask", help="Serve the agent's answers, not its tools.")
    ] = False,
) -> None:
    """Serve an agent to MCP clients, as the tool `ask` and its own tools."""
    import anyio

    from smallhold.cli.serving_agents import access_for, load_agent, served
    from smallhold.tools.mcp.exposure import exposure_of
    from smallhold.tools.mcp.serving import HTTP_PATH, http_application, serve_stdio
    from smallhold.tools.serving.http_server import listening_socket, serve_on, url_of

    loaded = load_agent(agent)
    name, console = loaded.config.name, side_console()
    if not only_ask:
        for left in exposure_of(loaded.tools, agent=name).left_out:
            console.print(foreign(f"not served: {left.name} ({left.reason})", style="dim"))
    if http is None:
        anyio.run(lambda: served(loaded, lambda: serve_stdio(loaded, name=name, only_ask=only_ask)))
        return
    names = tuple(allow_host or ())
    access = access_for(http, token_file=token_file, names=names)
    taken = listening_socket(access)
    application = http_application(loaded, name=name, only_ask=only_ask)
    url = url_of(taken, path=HTTP_PATH)

    def ready() -> None:
        console.print(foreign(f"serving {name} at {url}"), soft_wrap=True)

    anyio.run(
        lambda: served(loaded, lambda: serve_on(taken, application, access=access, on_ready=ready))
    )


@mcp_app.command("tools", context_settings={"allow_interspersed_args": False})
@shows_failures
def list_tools(
    server: Annotated[
        list[str],
        typer.Argument(metavar="COMMAND...|URL", help="A program with arguments, or an address."),
    ],
    *,
    remote: Annotated[
        bool, typer.Option("--remote", help="Allow an address on another machine.")
    ] = False,
    header: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VARIABLE", help="A header, its value taken from the environment."
        ),
    ] = None,
    accept: Annotated[
        bool, typer.Option("--accept", help="Show what it offers now to models from here on.")
    ] = False,
    name: Annotated[str | None, typer.Option(help="What your program calls the server.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List what a server offers, what a model would not be shown of it, and why."""
    import anyio

    from smallhold.cli.mcp_listing import inspect_server, listing_table, server_for

    found = server_for(server, headers=header or (), is_remote=remote, name=name)
    inspected = anyio.run(lambda: inspect_server(found, accept=accept))
    if as_json:
        write_json(inspected.to_dict())
    else:
        result_console().print(*listing_table(inspected), sep="\n")
