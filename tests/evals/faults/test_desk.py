"""Promises of `smallhold.evals.faults.desk`: this file holds tests of the tools."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from datetime import date

import pytest

from smallhold.evals.faults import FAULT_CASES, desk
from smallhold.evals.faults.desk import Desk, Parcel, tools_of
from smallhold.tools import tool_from_function


class Notes:
    """Takes note of what tools are asked to do."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, Mapping[str, object]]] = []

    def __call__(self, tool: str, arguments: Mapping[str, object]) -> str:
        self.taken.append((tool, arguments))
        return "done"


NAMES = sorted({
    (name, method)
    for case in FAULT_CASES
    for exchange in case.exchanges
    for name, method in exchange.tools.items()
})


@pytest.mark.parametrize(("name", "method"), NAMES)
def test_every_tool_of_a_case_can_be_described_to_a_model(name: str, method: str) -> None:
    function = tools_of(Desk(Notes()), {name: method})[name]
    assert tool_from_function(function, name=name).schema.description


def test_a_tool_hands_its_arguments_on_with_defaults_filled_in() -> None:
    notes = Notes()
    desk = Desk(notes)
    desk.get_weather("Paris")
    desk.book_table(4, date(2027, 5, 3))
    desk.ship(Parcel(street="Main Street 5", city="Paris"))
    assert notes.taken == [
        ("get_weather", {"city": "Paris", "days": 1}),
        ("book_table", {"guests": 4, "day": date(2027, 5, 3)}),
        ("ship", {"parcel": Parcel(street="Main Street 5", city="Paris"), "express": False}),
    ]


def test_the_tools_load_without_any_package() -> None:
    command = [sys.executable, "-I", "-S", desk.__file__]
    assert subprocess.run(command, check=False).returncode == 0
