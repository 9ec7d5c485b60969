"""Agent2Agent: this file holds the commands `a2a serve`, `a2a card` and `a2a send`."""

# No `from __future__ import annotations`: Typer reads these annotations at run time.
# ruff: noqa: PLC0415 - each command imports what it needs, so that `--help` stays quick

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from smallhold.cli.failures import shows_failures
from smallhold.cli.options import JsonOption
from smallhold.cli.terminal import foreign, result_console, side_console, write_json

a2a_app = typer.Typer(
    help="Agents of other programs, and agents served to them.", no_args_is_help=True
)

UrlArgument: TypeAlias = Annotated[
    str, typer.Argument(metavar="URL", help="Such as http://127.0.0.1:9000.")
]
RemoteOption: TypeAlias = Annotated[
    bool, typer.Option("--remote", help="Allow an address on another machine.")
]
HeaderOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--header",
        metavar="NAME=VARIABLE",
        help="A header, its value taken from the environment; again for another.",
    ),
]


@a2a_app.command("serve")
@shows_failures
def serve(
    agent: Annotated[
        str, typer.Argument(metavar="MODULE:AGENT", help="An agent, or a function that makes one.")
    ],
    *,
    listen: Annotated[
        str, typer.Option(metavar="[HOST:]PORT", help="Where to listen; port 0 is any free one.")
    ] = "127.0.0.1:0",
    url: Annotated[
        str | None,
        typer.Option(help="What clients reach it by.", show_default="where it listens"),
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(help="File with the token that clients must send; else in the environment."),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Another name of this machine; again for another."),
    ] = None,
) -> None:
    """Serve an agent to other agents. Its card names its tools to everyone who can reach it."""
    from importlib.metadata import version

    import anyio

    from smallhold.cli.serving_agents import access_for, described, load_agent, served
    from smallhold.tools.a2a.serving import CARD_PATH, RPC_PATH, a2a_application
    from smallhold.tools.serving.http_server import listening_socket, serve_on, url_of

    loaded = load_agent(agent)
    names = tuple(allow_host or ())
    access = access_for(listen, token_file=token_file, names=names)
    taken = listening_socket(access)
    address = url or url_of(taken, path=RPC_PATH)
    application = a2a_application(
        loaded,
        described(loaded, version=version("smallhold")),
        url=address,
        needs_token=access.token is not None,
    )
    console = side_console()

    def ready() -> None:
        console.print(foreign(f"serving {loaded.config.name} at {address}"), soft_wrap=True)

    anyio.run(
        lambda: served(
            loaded,
            lambda: serve_on(
                taken, application, access=access, open_paths=(CARD_PATH,), on_ready=ready
            ),
        )
    )


@a2a_app.command("card")
@shows_failures
def show_card(
    url: UrlArgument,
    *,
    remote: RemoteOption = False,
    header: HeaderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what an agent says of itself."""
    import anyio

    from smallhold.cli.a2a_talk import card_table, description_json, remote_agent

    agent = remote_agent(url, headers=header or (), is_remote=remote)
    description = anyio.run(agent.describe)
    if as_json:
        write_json(description_json(description))
    else:
        result_console().print(*card_table(description), sep="\n")


@a2a_app.command("send")
@shows_failures
def send(
    url: UrlArgument,
    text: Annotated[str, typer.Argument(help="The message; - reads it from stdin.")],
    *,
    remote: RemoteOption = False,
    header: HeaderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send an agent a message and show its answer as it comes."""
    import sys

    import anyio

    from smallhold.cli.a2a_talk import remote_agent, talk
    from smallhold.cli.message_text import read_message

    message = read_message(text, stdin=sys.stdin.buffer)
    agent = remote_agent(url, headers=header or (), is_remote=remote)
    console = None if as_json else result_console()
    answer = anyio.run(lambda: talk(agent, message, console=console))
    if as_json:
        write_json({"agent": agent.name, "text": answer})
