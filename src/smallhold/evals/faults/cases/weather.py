"""The task that many cases share: this file holds the question for the weather and its answer."""

from __future__ import annotations

from typing import Final

from smallhold.evals.faults.case import Exchange
from smallhold.evals.faults.judging import effect
from smallhold.evals.faults.model import Answer, call
from smallhold.messages import JsonObject

DEGREES: Final = {"Paris": 18, "Rome": 25}
RESULT: Final = "18 degrees"
"""What the tool's result says for Paris, and nothing else does."""

PARIS: Final = call("get_weather", city="Paris", days=3)
ANSWER: Final = Answer(text="It will be 18 degrees in Paris.")
PARIS_READ: Final = effect("get_weather", city="Paris", days=3)

ASKED: Final = Exchange(
    text="What will the weather be in Paris for the next 3 days?",
    tools={"get_weather": "get_weather", "order_status": "order_status"},
)


def report(arguments: JsonObject) -> str:
    """Tell the weather in a city, as the tool does."""
    city = str(arguments["city"])
    return f"{DEGREES.get(city, 0)} degrees in {city}"
