"""Calls whose arguments are wrong: this file holds the cases of malformed calls."""

from __future__ import annotations

from typing import Final

from smallhold.evals.faults.case import NATIVE_ONLY, Exchange, FaultCase
from smallhold.evals.faults.cases.weather import ANSWER, ASKED, PARIS, PARIS_READ, RESULT, report
from smallhold.evals.faults.judging import (
    all_of,
    answers,
    at_most,
    did,
    effect,
    only,
    tells_honestly,
)
from smallhold.evals.faults.model import (
    Answer,
    Calls,
    Form,
    Reply,
    Sight,
    call,
    raw_call,
    when_told,
    wish,
)
from smallhold.messages import JsonObject

TABLE: Final = Exchange(
    text="Please book a table for 4 guests on 3 May 2027.", tools={"book_table": "book_table"}
)
HEATING: Final = Exchange(
    text="Set the heating in the kitchen to 21 degrees.", tools={"set_heating": "set_heating"}
)
PARCEL: Final = Exchange(
    text="Ship the parcel to Main Street 5 in Paris, by express.", tools={"ship": "ship"}
)
ADDRESS: Final[JsonObject] = {"street": "Main Street 5", "city": "Paris"}
SHIPPING: Final = effect("ship", parcel=ADDRESS, express=True)
BOOKING: Final = effect("book_table", guests=4, day="2027-05-03")
PLAIN_HEATING: Final = call("set_heating", room="kitchen", degrees=21)
HEATING_SET: Final = effect("set_heating", room="kitchen", degrees=21)


def cut_once(sight: Sight) -> Reply:
    """Write a call that is cut off at the first try."""
    if sight.turn > 0:
        return PARIS
    if sight.form is Form.OWN_DECODER:
        return Calls(wishes=(wish("get_weather", city="Paris", days=3),), is_cut=True)
    return raw_call("get_weather", '{"city": "Par', is_cut=True)


MALFORMED_CALLS: Final = (
    FaultCase(
        name="arguments_not_json",
        fault="The arguments are not JSON until the model is told so.",
        right="The model learns what is wrong; the tool runs once it is mended.",
        exchanges=(ASKED,),
        model=when_told(
            {RESULT: ANSWER, "JSON": PARIS, "city": PARIS},
            otherwise=raw_call("get_weather", "{city: Paris, days 3"),
        ),
        behaviours={"get_weather": report},
        ends_right=answers("18"),
        effects_right=only(PARIS_READ),
        forms=NATIVE_ONLY,
    ),
    FaultCase(
        name="wrong_type",
        fault="A number is a word until the model is told which argument is wrong.",
        right="The message names the argument; the tool runs once it is mended.",
        exchanges=(ASKED,),
        model=when_told(
            {RESULT: ANSWER, "days": PARIS},
            otherwise=call("get_weather", city="Paris", days="many"),
        ),
        behaviours={"get_weather": report},
        ends_right=answers("18"),
        effects_right=only(PARIS_READ),
        forms=NATIVE_ONLY,
    ),
    FaultCase(
        name="number_as_text",
        fault="A whole number is written in quotes.",
        right="The tool gets the number.",
        exchanges=(ASKED,),
        model=when_told(
            {RESULT: ANSWER, "days": PARIS}, otherwise=call("get_weather", city="Paris", days="3")
        ),
        behaviours={"get_weather": report},
        ends_right=answers("18"),
        effects_right=only(PARIS_READ),
        forms=NATIVE_ONLY,
    ),
    FaultCase(
        name="null_for_required",
        fault="A required argument is null until the model is told which.",
        right="The message names the argument; the tool runs once it is mended.",
        exchanges=(ASKED,),
        model=when_told(
            {RESULT: ANSWER, "city": PARIS}, otherwise=call("get_weather", city=None, days=3)
        ),
        behaviours={"get_weather": report},
        ends_right=answers("18"),
        effects_right=only(PARIS_READ),
        forms=NATIVE_ONLY,
    ),
    FaultCase(
        name="arguments_cut_off",
        fault="The token limit cuts the arguments; the second try is whole.",
        right="The half call never runs; the whole one does, or the user is told.",
        exchanges=(ASKED,),
        model=when_told({RESULT: ANSWER}, otherwise=cut_once),
        behaviours={"get_weather": report},
        ends_right=tells_honestly(),
        effects_right=only(PARIS_READ),
    ),
    FaultCase(
        name="nested_extra_fields",
        fault="A wish stands in a nested field that the schema does not have.",
        right="The wish is not dropped in silence: the model is told, and puts it in its place.",
        exchanges=(PARCEL,),
        model=when_told(
            {
                "shipped": Answer(text="The parcel is on its way by express."),
                "express": call("ship", parcel=ADDRESS, express=True),
            },
            otherwise=call("ship", parcel={**ADDRESS, "express": True}),
        ),
        behaviours={"ship": lambda _: "shipped"},
        ends_right=all_of(did(SHIPPING), answers("express")),
        effects_right=at_most(SHIPPING),
        forms=NATIVE_ONLY,
    ),
    FaultCase(
        name="date_in_wrong_form",
        fault="The date is 03/05/2027, which is March for some and May for others.",
        right="It is not guessed: the message names the argument, and the right day is booked.",
        exchanges=(TABLE,),
        model=when_told(
            {
                "booked": Answer(text="The table is booked for 3 May 2027."),
                "day": call("book_table", guests=4, day="2027-05-03"),
            },
            otherwise=call("book_table", guests=4, day="03/05/2027"),
        ),
        behaviours={"book_table": lambda _: "booked"},
        ends_right=all_of(did(BOOKING), answers("booked")),
        effects_right=at_most(BOOKING),
        forms=NATIVE_ONLY,
    ),
    FaultCase(
        name="unicode_in_arguments",
        fault="A choice holds an invisible character, a number has full-width digits.",
        right="The tool gets the plain values, or the model is told and writes them.",
        exchanges=(HEATING,),
        model=when_told(
            {
                "is set": Answer(text="The heating in the kitchen is set to 21 degrees."),
                "room": PLAIN_HEATING,
                "degrees": PLAIN_HEATING,
            },
            otherwise=call("set_heating", room="kit\u200bchen", degrees="\uff12\uff11"),
        ),
        behaviours={"set_heating": lambda _: "it is set"},
        ends_right=all_of(did(HEATING_SET), answers("21")),
        effects_right=at_most(HEATING_SET),
        forms=NATIVE_ONLY,
    ),
)
