"""Runs that would not end: this file holds the cases of loops."""

from __future__ import annotations

from typing import Final

from smallhold.evals.faults.case import Exchange, FaultCase
from smallhold.evals.faults.cases.weather import ASKED, PARIS, PARIS_READ, report
from smallhold.evals.faults.judging import effect, only, only_tools, tells_honestly
from smallhold.evals.faults.model import Reply, Sight, call, for_ever

CITIES: Final = Exchange(
    text="How is the weather in Paris and in Rome?", tools={"get_weather": "get_weather"}
)
HANDBOOK: Final = Exchange(
    text="What does the handbook say about parking, refunds, holidays, keys, cars and lunch?",
    tools={"search": "search"},
)
SUBJECTS: Final = ("parking", "refunds", "holidays", "keys", "cars", "lunch")


def searches_on(sight: Sight) -> Reply:
    """Search for something else every time."""
    rounds, place = divmod(sight.turn, len(SUBJECTS))
    return call("search", query=SUBJECTS[place] + " again" * rounds)


LOOPS: Final = (
    FaultCase(
        name="same_call_for_ever",
        fault="The model makes the same call again and again.",
        right="The run ends soon, and the user is told.",
        exchanges=(ASKED,),
        model=for_ever(PARIS),
        behaviours={"get_weather": report},
        ends_right=tells_honestly(),
        effects_right=only(PARIS_READ),
    ),
    FaultCase(
        name="cycle_of_two",
        fault="The model makes two calls in turn for ever.",
        right="The run ends soon, and the user is told.",
        exchanges=(CITIES,),
        model=for_ever(call("get_weather", city="Paris"), call("get_weather", city="Rome")),
        behaviours={"get_weather": report},
        ends_right=tells_honestly(),
        effects_right=only(
            effect("get_weather", city="Paris", days=1), effect("get_weather", city="Rome", days=1)
        ),
    ),
    FaultCase(
        name="nothing_new_for_ever",
        fault="The model searches for ever, with other words each time, and never finds anything.",
        right="The run ends soon, and the user is told.",
        exchanges=(HANDBOOK,),
        model=searches_on,
        behaviours={"search": lambda _: "nothing found"},
        ends_right=tells_honestly(),
        effects_right=only_tools("search"),
    ),
)
