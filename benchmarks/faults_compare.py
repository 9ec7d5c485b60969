"""Our agent beside five frameworks in the same faults: this file holds the comparison.

Run it as `python benchmarks/faults_compare.py`. Each framework gets an environment of its own in
the user's cache folder, which is made at the first run and needs the package index for that.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import anyio
from faults.frameworks import FRAMEWORKS
from faults.playing_peers import PlayedFramework
from rich.console import Console
from rich.table import Table

from smallhold.agents import DEFAULT_GUARDRAILS
from smallhold.evals.faults import (
    Evidence,
    FaultCase,
    Form,
    Mark,
    Verdict,
    cases_named,
    judge,
    play_ours,
)
from smallhold.settings import load_settings

OURS: Final = {
    "smallhold": (Form.NATIVE, DEFAULT_GUARDRAILS),
    "own decoder": (Form.OWN_DECODER, DEFAULT_GUARDRAILS),
    "no guardrails": (Form.NATIVE, ()),
}
"""Ours on a server's native calls, on its own decoder, and without the default guardrails."""
LETTERS: Final = {
    Mark.ENDS_RIGHT: "e",
    Mark.NO_CRASH: "c",
    Mark.NO_LOOP: "l",
    Mark.NO_WRONG_EFFECT: "w",
}
"""What stands in a cell for a mark that was missed."""
Play = Callable[[FaultCase], Awaitable[Evidence]]


async def compare(
    cases: Sequence[FaultCase], played: Mapping[str, PlayedFramework], *, console: Console
) -> dict[str, list[Verdict]]:
    """Put everybody through all cases."""
    standings: dict[str, list[Verdict]] = {}
    for name, (form, guardrails) in OURS.items():
        fitting = [case for case in cases if form in case.forms]
        play = partial(play_ours, form=form, guardrails=guardrails)
        standings[name] = await verdicts(fitting, play=play)
    for name, framework in played.items():
        console.print(name, style="dim")
        try:
            standings[name] = await verdicts(cases, play=framework.play)
        finally:
            await framework.stop()
    return standings


async def verdicts(cases: Sequence[FaultCase], *, play: Play) -> list[Verdict]:
    """Judge one contestant in all cases."""
    return [judge(case, await play(case)) for case in cases]


def table_of(standings: dict[str, list[Verdict]], *, cases: Sequence[FaultCase]) -> Table:
    """Lay the standings out: a cell holds the letters of the marks that were missed."""
    table = Table("case", *standings, title="missed: e ending, c crash, l loop, w wrong effect")
    for case in cases:
        cells = [cell(case, judged) for judged in standings.values()]
        table.add_row(case.name, *cells)
    table.add_row("passed", *[passed(judged) for judged in standings.values()], style="bold")
    return table


def cell(case: FaultCase, judged: Sequence[Verdict]) -> str:
    """Give the letters of one contestant in one case, `-` where it cannot arise."""
    for verdict in judged:
        if verdict.case == case.name:
            missed = "".join(LETTERS[mark] for mark in Mark if mark in verdict.problems)
            return f"{missed} ({verdict.model_calls})" if missed else f"ok ({verdict.model_calls})"
    return "-"


def passed(judged: Sequence[Verdict]) -> str:
    """Count the cases that were stood."""
    return f"{sum(verdict.passed for verdict in judged)}/{len(judged)}"


def to_json(standings: dict[str, list[Verdict]]) -> str:
    """Write the standings with the reason of every mark that was missed."""
    return json.dumps(
        {
            name: {
                "cases": len(judged),
                "passed": sum(verdict.passed for verdict in judged),
                "verdicts": [verdict.to_dict() for verdict in judged],
            }
            for name, judged in standings.items()
        },
        indent=1,
    )


def main() -> None:
    """Compare, and print the table and, if asked for, the JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--case", action="append", default=[], help="only this case; again for more"
    )
    parser.add_argument(
        "--framework",
        action="append",
        choices=[framework.name for framework in FRAMEWORKS],
        help="only this framework; again for more",
    )
    parser.add_argument(
        "--hardened",
        action="store_true",
        help="give the frameworks their own settings against faults, instead of their defaults",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the details to this file")
    chosen = parser.parse_args()
    console = Console(stderr=True)
    cache = load_settings().cache
    frameworks = [
        it for it in FRAMEWORKS if chosen.framework is None or it.name in chosen.framework
    ]
    for framework in frameworks:
        if not framework.is_installed(cache):
            console.print(f"installing {framework.name} {framework.version}", style="dim")
            framework.install(cache)
    cases = cases_named(chosen.case)
    played = {
        framework.name: PlayedFramework(framework.command(cache), is_hardened=chosen.hardened)
        for framework in frameworks
    }
    standings = anyio.run(lambda: compare(cases, played, console=console))
    Console(file=sys.stdout).print(table_of(standings, cases=cases))
    if chosen.json is not None:
        chosen.json.write_text(to_json(standings), "utf-8")


if __name__ == "__main__":
    main()
