"""Running `smallhold pull`: this file holds the one call behind the command."""

from __future__ import annotations

import anyio

from smallhold.cli.pull_views import PullEvents
from smallhold.cli.pulling import PullRequest, PullTools, pull_named
from smallhold.cli.terminal import side_console, write_json
from smallhold.exceptions import SmallholdError
from smallhold.settings import load_settings


def run_pull(request: PullRequest, *, as_json: bool) -> None:
    """Fetch what the command line names; under `--json` a failure is the last event, too.

    Raises:
        SmallholdError: See `pull_named`.
    """
    events = PullEvents(write=write_json) if as_json else None
    try:
        settings = load_settings()
        tools = PullTools.of(settings, request, console=side_console(), events=events)
        anyio.run(lambda: pull_named(request, settings=settings, tools=tools))
    except SmallholdError as error:
        if events is not None:
            events.failed(error)
        raise
