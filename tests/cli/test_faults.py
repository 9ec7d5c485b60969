"""Promises of `smallhold.cli.faults`: this file holds tests of `smallhold eval faults`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from smallhold.cli.faults import measure_faults, report_table
from smallhold.evals.faults import FaultsReport, Form, Mark, Verdict, cases_named

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine, Screen

pytestmark = pytest.mark.anyio


async def test_progress_counts_a_case_once_for_each_form(screen: Screen) -> None:
    cases = cases_named(["unknown_tool", "blank_reply"])
    report = await measure_faults(cases, console=screen.console)
    assert report.cases == ("unknown_tool", "blank_reply")
    assert "3/3 3 passed" in screen.text


async def test_people_read_which_mark_was_missed_and_why(screen: Screen) -> None:
    missed = Verdict(case="b", problems={Mark.NO_LOOP: "13 calls of the model"})
    report = FaultsReport(
        verdicts={Form.NATIVE: [Verdict(case="a"), missed], Form.OWN_DECODER: [Verdict(case="a")]}
    )
    screen.console.print(report_table(report))
    assert "1 of 2 cases passed" in screen.text
    assert "no_loop: 13 calls of the model" in screen.text


def test_json_has_the_three_keys_that_are_promised(command_line: CommandLine) -> None:
    result = command_line("eval", "faults", "--case", "unknown_tool", "--json")
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert (document["cases"], document["passed"], document["failed"]) == (1, 1, [])


def test_an_unknown_case_is_wrong_usage(command_line: CommandLine) -> None:
    result = command_line("eval", "faults", "--case", "no_such_case")
    assert result.exit_code == 2
    assert "choose of" in result.stderr
