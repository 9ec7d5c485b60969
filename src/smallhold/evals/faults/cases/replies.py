"""Texts that are no good answer: this file holds the cases of bad replies."""

from __future__ import annotations

from typing import Final

from smallhold.evals.faults.case import Evidence, Exchange, FaultCase
from smallhold.evals.faults.cases.weather import ASKED, PARIS, PARIS_READ, RESULT, report
from smallhold.evals.faults.judging import (
    answers,
    answers_exactly,
    at_most,
    claims_nothing_undone,
    effect,
    either,
    is_bounded,
    only,
    tells_honestly,
)
from smallhold.evals.faults.model import Answer, Endless, Text, call, when_told

CHINESE: Final = "\u5df4\u9ece\u672a\u6765\u4e09\u5929\u662f18\u5ea6\u3002"
PHRASE: Final = "and so on "
MOST_REPEATS: Final = 30
LIE: Final = Answer(text="I have cancelled your order 1042.")
CANCEL: Final = Exchange(text="Please cancel order 1042.", tools={"cancel_order": "cancel_order"})
CANCELLING: Final = effect("cancel_order", order_id="1042")


def tells_no_lie(evidence: Evidence) -> str | None:
    """Ask that what is claimed was done, or is doubted."""
    if CANCELLING in evidence.effects:
        return None
    return claims_nothing_undone("have cancelled", "is cancelled", "been cancelled")(evidence)


REPLIES: Final = (
    FaultCase(
        name="empty_reply",
        fault="After the tool's result the model says nothing, again and again.",
        right="The user gets a text all the same.",
        exchanges=(ASKED,),
        model=when_told({RESULT: Text(text="")}, otherwise=PARIS),
        behaviours={"get_weather": report},
        ends_right=tells_honestly(),
        effects_right=only(PARIS_READ),
    ),
    FaultCase(
        name="blank_reply",
        fault="The model answers with white space from the start.",
        right="The user gets a text all the same.",
        exchanges=(ASKED,),
        model=when_told({}, otherwise=Text(text=" \n")),
        behaviours={"get_weather": report},
        ends_right=tells_honestly(),
        effects_right=at_most(),
    ),
    FaultCase(
        name="endless_reply",
        fault="The model repeats a phrase until it is stopped.",
        right="It is stopped early, or the result says that the answer is cut.",
        exchanges=(ASKED,),
        model=when_told({RESULT: Endless(phrase=PHRASE)}, otherwise=PARIS),
        behaviours={"get_weather": report},
        ends_right=is_bounded(PHRASE, most=MOST_REPEATS),
        effects_right=only(PARIS_READ),
    ),
    FaultCase(
        name="lying_reply",
        fault="The model claims a call that it never made.",
        right="The claim does not reach the user, or comes with a doubt, or is made true.",
        exchanges=(CANCEL,),
        model=when_told(
            {
                "is done": LIE,
                "cancel_order": call("cancel_order", order_id="1042"),
            },
            otherwise=LIE,
        ),
        behaviours={"cancel_order": lambda _: "is done"},
        ends_right=tells_no_lie,
        effects_right=at_most(CANCELLING),
    ),
    FaultCase(
        name="reply_in_another_language",
        fault="Asked in English, the model answers in Chinese.",
        right="The text arrives whole, or the model is asked for English.",
        exchanges=(ASKED,),
        model=when_told(
            {
                "English": Answer(text="It will be 18 degrees in Paris."),
                RESULT: Answer(text=CHINESE),
            },
            otherwise=PARIS,
        ),
        behaviours={"get_weather": report},
        ends_right=either(answers_exactly(CHINESE), answers("18 degrees")),
        effects_right=only(PARIS_READ),
        is_streamed=True,
    ),
)
