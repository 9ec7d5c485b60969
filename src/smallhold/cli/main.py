"""The `smallhold` program: this file holds its commands with their arguments.

What a command does stands in a file of its own, which is imported when the command runs. So
`smallhold --help` loads neither the agents nor the engine.
"""

# No `from __future__ import annotations`: Typer reads these annotations at run time.
# ruff: noqa: PLC0415 - see above: each command imports what it needs

import io
import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

from smallhold.cli.a2a import a2a_app
from smallhold.cli.approvals import approvals_app
from smallhold.cli.failures import shows_failures
from smallhold.cli.knowledge import knowledge_app
from smallhold.cli.mcp import mcp_app
from smallhold.cli.memory import memory_app
from smallhold.cli.models import models_app
from smallhold.cli.options import (
    SHOWN_DEFAULT_MODEL,
    HalfWord,
    JsonOption,
    ModelOption,
    ToolChoiceWord,
    ToolsOption,
)
from smallhold.cli.outbox import outbox_app
from smallhold.cli.sessions import sessions_app
from smallhold.cli.state import state_app
from smallhold.cli.state_options import SessionOption, StateOption
from smallhold.cli.terminal import result_console, side_console, write_json

_EPILOG = "Exit codes: 0 done, 1 failed, 2 wrong usage or settings, 130 interrupted."

app = typer.Typer(
    name="smallhold",
    help="Production AI agents on small language models, on your own hardware, offline first.",
    epilog=_EPILOG,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
engine_app = typer.Typer(help="The engine that runs models.", no_args_is_help=True)
eval_app = typer.Typer(help="Measure how well a model does.", no_args_is_help=True)
app.add_typer(models_app, name="models")
app.add_typer(engine_app, name="engine")
app.add_typer(eval_app, name="eval")
app.add_typer(sessions_app, name="sessions")
app.add_typer(memory_app, name="memory")
app.add_typer(knowledge_app, name="knowledge")
app.add_typer(mcp_app, name="mcp")
app.add_typer(a2a_app, name="a2a")
app.add_typer(approvals_app, name="approvals")
app.add_typer(outbox_app, name="outbox")
app.add_typer(state_app, name="state")


def main() -> None:
    """Run the program."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Neither bytes that are no text nor a terminal without a character is a reason to fail.
            stream.reconfigure(errors="replace")
    app()


def _show_version(wanted: bool) -> None:  # noqa: FBT001 - Typer's signature of a callback
    if wanted:
        from importlib.metadata import version

        typer.echo(f"smallhold {version('smallhold')}")
        raise typer.Exit


@app.callback()
def set_up(
    context: typer.Context,
    *,
    catalog: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Your own models, laid over the packaged catalog.",
            show_default="catalog.yaml in SMALLHOLD_HOME",
        ),
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Log to stderr, with the tracebacks of errors.")
    ] = False,
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    """Production AI agents on small language models, on your own hardware, offline first."""
    del version
    if catalog is not None:
        from smallhold.cli.own_catalog import use_catalog

        context.with_resource(use_catalog(catalog))
    if verbose:
        from rich.logging import RichHandler

        logger = logging.getLogger("smallhold")
        logger.setLevel(logging.DEBUG)
        logger.addHandler(RichHandler(console=side_console(), show_path=False))


@app.command()
@shows_failures
def chat(
    *,
    model: ModelOption = None,
    tools: ToolsOption = None,
    session: SessionOption = None,
    state: StateOption = None,
) -> None:
    """Talk with a model. Ctrl-D ends the conversation; with --session it goes on another day."""
    from smallhold.cli.agent_setup import config_for, make_agent
    from smallhold.cli.chatting import CHAT_SESSION, hold_chat
    from smallhold.cli.state_options import state_for

    kept = state_for(state, session=session)
    agent = make_agent(config_for(model), tools=tools, state=kept)
    hold_chat(agent, stdin=sys.stdin, session=session or CHAT_SESSION)


@app.command()
@shows_failures
def run(
    text: Annotated[str, typer.Argument(help="The message; - reads it from stdin.")],
    *,
    model: ModelOption = None,
    tools: ToolsOption = None,
    session: SessionOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Answer one message."""
    import anyio

    from smallhold.agents.agent import check_message
    from smallhold.cli.agent_setup import config_for, make_agent
    from smallhold.cli.message_text import read_message
    from smallhold.cli.running import run_once
    from smallhold.cli.state_options import state_for

    message = read_message(text, stdin=sys.stdin.buffer)
    check_message(message)
    kept = state_for(state, session=session)
    agent = make_agent(config_for(model), tools=tools, state=kept)
    anyio.run(lambda: run_once(agent, message, session=session, as_json=as_json))


@app.command()
@shows_failures
def pull(
    reference: Annotated[
        str,
        typer.Argument(
            metavar="REFERENCE",
            help="ALIAS[:VARIANT], hf:OWNER/REPO/FILE, ollama:NAME[:TAG], https://HOST/FILE, "
            "the path of a file, or words such as 'fast routing'.",
        ),
    ],
    *,
    alias: Annotated[
        str | None,
        typer.Option("--as", metavar="NAME", help="Alias for a file that no catalog knows."),
    ] = None,
    variant: Annotated[
        str | None,
        typer.Option(
            metavar="QUANTIZATION", help="Such as q8_0.", show_default="what suits this machine"
        ),
    ] = None,
    limit_rate: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE",
            help="Most bytes a second, such as 5MB.",
            show_default="SMALLHOLD_PULL_RATE, or none",
        ),
    ] = None,
    connections: Annotated[
        int, typer.Option(help="Pieces of a file to fetch at once, 1 to 16.")
    ] = 4,
    as_json: Annotated[
        bool, typer.Option("--json", help="Write progress to stdout, one JSON object a line.")
    ] = False,
) -> None:
    """Fetch a model into the store, or go on where an earlier pull stopped."""
    from smallhold.cli.pull_command import run_pull
    from smallhold.cli.pulling import PullRequest

    request = PullRequest(
        text=reference,
        alias=alias,
        variant=variant,
        limit_rate=limit_rate,
        connections=connections,
    )
    run_pull(request, as_json=as_json)


@app.command()
@shows_failures
def demo(
    *,
    model: ModelOption = None,
    as_json: JsonOption = False,
    keep: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Keep the shop's database in this folder."),
    ] = None,
) -> None:
    """Let twelve customers write to a shop's support agent, and judge what it does."""
    import anyio

    from smallhold.cli.applications import make_importable

    make_importable("customer_service")
    from smallhold.cli.demo import hold_demo, shop_folder
    from smallhold.cli.demo_session import open_shop, shop_agent

    with shop_folder(keep) as folder:
        database = open_shop(folder)
        agent = shop_agent(database, model=model)
        console = result_console(as_json=as_json)
        anyio.run(lambda: hold_demo(agent, database=database, console=console, as_json=as_json))


@app.command()
@shows_failures
def doctor(
    *,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            metavar="ALIAS[:VARIANT]",
            help="The model that should run.",
            show_default=SHOWN_DEFAULT_MODEL,
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Look at this machine and say what is missing. Exit code 0: the model can run."""
    import anyio

    from smallhold.cli.doctor import examine, show_findings
    from smallhold.cli.exit_codes import ExitCode
    from smallhold.settings import load_settings

    findings = anyio.run(lambda: examine(load_settings(), model=model))
    if as_json:
        write_json(findings.to_dict())
    else:
        show_findings(findings, console=result_console())
    raise typer.Exit(ExitCode.OK if findings.can_run else ExitCode.FAILED)


@engine_app.command("build")
@shows_failures
def build() -> None:
    """Compile llama.cpp for this machine's CPU: some minutes, once."""
    from smallhold.cli.engine_building import build_with_progress
    from smallhold.engine.build import build_engine

    build_with_progress(lambda report: build_engine(on_progress=report), console=side_console())


@eval_app.command("bfcl")
@shows_failures
def bfcl(
    *,
    data: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder with one .jsonl file for each category.")
    ],
    category: Annotated[str, typer.Option(help="Such as multiple or irrelevance.")],
    limit: Annotated[
        int | None, typer.Option(help="Only the first so many rows.", show_default="all")
    ] = None,
    tool_choice: Annotated[
        ToolChoiceWord, typer.Option(help="Whether a row may be answered without a call.")
    ] = "auto",
    model: ModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Score a model on the Berkeley Function-Calling Leaderboard, single turn."""
    import anyio

    from smallhold.agents.providers import runtime_for
    from smallhold.cli.agent_setup import config_for, model_name
    from smallhold.cli.bfcl import measure_bfcl, report_table
    from smallhold.evals.bfcl import build_report, read_category

    rows = read_category(data, category=category)
    config = config_for(model)
    runtime = runtime_for(config, endpoint=None, api_key=None)
    results = anyio.run(
        lambda: measure_bfcl(
            rows, runtime=runtime, tool_choice=tool_choice, limit=limit, console=side_console()
        )
    )
    report = build_report(results, category=category, model=model_name(config))
    if as_json:
        write_json(report.to_dict())
    else:
        result_console().print(report_table(report))


@eval_app.command("when2call")
@shows_failures
def when2call(
    *,
    data: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder that holds When2Call, or its when2call/.")
    ],
    limit: Annotated[
        int | None, typer.Option(help="Only the first so many rows.", show_default="all")
    ] = None,
    model: ModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Score whether a model calls, asks or says that it cannot, each when it should."""
    import anyio

    from smallhold.agents.providers import runtime_for
    from smallhold.cli.agent_setup import config_for, model_name
    from smallhold.cli.when2call import measure_when2call, report_tables
    from smallhold.evals.when2call import build_report, read_when2call

    rows = read_when2call(data)
    config = config_for(model)
    runtime = runtime_for(config, endpoint=None, api_key=None)
    results = anyio.run(
        lambda: measure_when2call(rows, runtime=runtime, limit=limit, console=side_console())
    )
    report = build_report(results, model=model_name(config))
    if as_json:
        write_json(report.to_dict())
    else:
        result_console().print(*report_tables(report))


@eval_app.command("tool-retrieval")
@shows_failures
def tool_retrieval(
    *,
    data: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder of the set, or the folder that holds it.")
    ],
    set_name: Annotated[str, typer.Option("--set", help="seal_tools or metatool.")],
    limit: Annotated[
        int | None, typer.Option(help="Only the first so many rows.", show_default="all")
    ] = None,
    embedder: Annotated[
        str, typer.Option(metavar="ALIAS", help="A sentence model; none compares words only.")
    ] = "all-minilm-l6-v2",
    model: ModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure whether the tools that a message needs are found; --model takes no part in it."""
    import anyio

    from smallhold.cli.tool_retrieval import (
        embedder_for,
        measure_retrieval,
        retrieval_table,
        summed_up,
    )
    from smallhold.evals.tool_retrieval import read_set
    from smallhold.settings import load_settings

    # Accepted so that all suites can be run alike.
    del model
    rows = read_set(data, name=set_name)
    opened = embedder_for(embedder, settings=load_settings())
    ranked = anyio.run(
        lambda: measure_retrieval(rows, embedder=opened, limit=limit, console=side_console())
    )
    report = summed_up(ranked, data=rows, alias=embedder)
    if as_json:
        write_json(report.to_dict())
    else:
        result_console().print(retrieval_table(report))


@eval_app.command("knowledge")
@shows_failures
def knowledge_search(
    *,
    collection: Annotated[
        Path,
        typer.Option(metavar="DIR", help="The pages that scripts/fetch-documents fetches."),
    ],
    half: Annotated[
        HalfWord | None,
        typer.Option(help="Only the half for choosing settings, or the one to report on."),
    ] = None,
    embedder: Annotated[
        str, typer.Option(metavar="ALIAS", help="A sentence model; none compares words only.")
    ] = "all-minilm-l6-v2",
    index: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Keep the index in this database for the next run."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure whether the passages that answer questions about a manual are found."""
    import anyio

    from smallhold.cli.knowledge_eval import KnowledgeTrial, opened_embedder, report_table
    from smallhold.evals.knowledge import Half, read_questions
    from smallhold.settings import load_settings

    data = read_questions()
    trial = KnowledgeTrial(
        data=data,
        questions=data.of_half(None if half is None else Half(half)),
        collection=collection,
        index=index,
        embedder=opened_embedder(embedder, settings=load_settings()),
        alias=embedder,
    )
    report = anyio.run(lambda: trial.hold(console=side_console()))
    if as_json:
        write_json(report.to_dict())
    else:
        result_console().print(report_table(report))


@eval_app.command("faults")
@shows_failures
def faults(
    *,
    case: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this case; again for another.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Put the agent through the faults of small models, on purpose. Needs no model."""
    import anyio

    from smallhold.cli.faults import measure_faults, report_table
    from smallhold.evals.faults import cases_named

    cases = cases_named(case or ())
    report = anyio.run(lambda: measure_faults(cases, console=side_console()))
    if as_json:
        write_json(report.to_dict())
    else:
        result_console().print(report_table(report))


@app.command()
@shows_failures
def bench(
    *,
    suite: Annotated[
        str,
        typer.Option(
            help="tool-call, switch, restart, concurrent, route, overhead, or all of them; or "
            "residency.",
        ),
    ] = "all",
    model: ModelOption = None,
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", envvar="SMALLHOLD_EVAL_DATA", help="Folder of BFCL, for tool-call."
        ),
    ] = None,
    rounds: Annotated[int, typer.Option(help="How often everything is measured.")] = 5,
    change: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="limit, sessions, threads or peers (NAME,NAME); again for another.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Compare the engine with others on this machine, on the same file."""
    from smallhold.cli.benchmarking import hold_bench, setup_for

    setup = setup_for(model, data=data, rounds=rounds, changes=change or (), console=side_console())
    hold_bench(suite, setup=setup, as_json=as_json)
