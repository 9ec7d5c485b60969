"""Calls of what is not there or was not meant: this file holds the cases of misdirected calls."""

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
    Reply,
    Sight,
    by_exchange,
    call,
    in_turn,
    when_told,
)

CANCEL_TOOLS: Final = {"cancel_order": "cancel_order", "cancel_orders": "cancel_orders"}
CANCELLING: Final = effect("cancel_order", order_id="1042")
BOOKINGS: Final = (effect("book_room", people=2), effect("book_room", guests=4))
CHARGED: Final = effect("charge_card", order_id="1042", amount_cents=500)
CANCELLED: Final = Answer(text="Order 1042 is cancelled.")
WHICH_ORDER: Final = Answer(text="Which order do you mean? Please tell me its number.")


CHARGE: Final = call("charge_card", order_id="1042", amount_cents=500)


def invents_a_tool(sight: Sight) -> Reply:
    """Call a tool of another name every time."""
    return call(f"forecast_service_{sight.turn}", city="Paris")


MISDIRECTED_CALLS: Final = (
    FaultCase(
        name="unknown_tool",
        fault="The model calls a tool that does not exist, until it reads what tools there are.",
        right="The message lists the tools; the right one runs.",
        exchanges=(ASKED,),
        model=when_told(
            {RESULT: ANSWER, "get_weather": PARIS}, otherwise=call("forecast_service", city="Paris")
        ),
        behaviours={"get_weather": report},
        ends_right=answers("18"),
        effects_right=only(PARIS_READ),
        forms=NATIVE_ONLY,
    ),
    FaultCase(
        name="unknown_tools_for_ever",
        fault="The model invents another tool after every message.",
        right="The run ends soon, and the user is told.",
        exchanges=(ASKED,),
        model=invents_a_tool,
        behaviours={"get_weather": report},
        ends_right=tells_honestly(),
        effects_right=at_most(),
        forms=NATIVE_ONLY,
    ),
    FaultCase(
        name="near_miss_name",
        fault="The model writes getWeather for get_weather.",
        right="The tool that was meant runs, at once or after a message.",
        exchanges=(ASKED,),
        model=when_told(
            {RESULT: ANSWER, "get_weather": PARIS},
            otherwise=call("getWeather", city="Paris", days=3),
        ),
        behaviours={"get_weather": report},
        ends_right=answers("18"),
        effects_right=only(PARIS_READ),
        forms=NATIVE_ONLY,
    ),
    FaultCase(
        name="ambiguous_name",
        fault="The name is nearly that of two tools, one of which does more than was asked.",
        right="Only the one that was meant runs, at once or after a message.",
        exchanges=(Exchange(text="Please cancel order 1042.", tools=CANCEL_TOOLS),),
        model=when_told(
            {"is done": CANCELLED, "cancel_order": call("cancel_order", order_id="1042")},
            otherwise=call("cancel_ordr", order_id="1042"),
        ),
        behaviours={"cancel_order": lambda _: "is done", "cancel_orders": lambda _: "is done"},
        ends_right=all_of(did(CANCELLING), answers("1042")),
        effects_right=at_most(CANCELLING),
        forms=NATIVE_ONLY,
    ),
    FaultCase(
        name="unicode_in_a_name",
        fault="A letter of the tool's name is Cyrillic.",
        right="The tool that was meant runs, at once or after a message.",
        exchanges=(ASKED,),
        model=when_told(
            {RESULT: ANSWER, "get_weather": PARIS},
            otherwise=call("get_w\u0435ather", city="Paris", days=3),
        ),
        behaviours={"get_weather": report},
        ends_right=answers("18"),
        effects_right=only(PARIS_READ),
        forms=NATIVE_ONLY,
    ),
    FaultCase(
        name="invented_identifier",
        fault="The user names no order, so the model invents a number and cancels that order.",
        right="Nothing is cancelled, and the user is asked.",
        exchanges=(
            Exchange(text="Please cancel my order.", tools={"cancel_order": "cancel_order"}),
        ),
        model=when_told(
            {
                "is done": Answer(text="Your order is cancelled."),
                "missing": WHICH_ORDER,
                "ask ": WHICH_ORDER,
            },
            otherwise=call("cancel_order", order_id="7731"),
        ),
        behaviours={"cancel_order": lambda _: "is done"},
        ends_right=tells_honestly("is cancelled"),
        effects_right=at_most(),
    ),
    FaultCase(
        name="tool_changes_its_schema",
        fault="Between two messages a tool's parameter gets another name; the model keeps the old.",
        right="The old name is not dropped in silence: the model is told the new one.",
        exchanges=(
            Exchange(text="Book the meeting room for 2 people.", tools={"book_room": "book_room"}),
            Exchange(
                text="Now book it for 4 people as well.", tools={"book_room": "book_larger_room"}
            ),
        ),
        model=by_exchange(
            when_told(
                {"reserved": Answer(text="The room is booked for 2.")},
                otherwise=call("book_room", people=2),
            ),
            when_told(
                {
                    "reserved": Answer(text="The room is booked for 4 as well."),
                    "guests": call("book_room", guests=4),
                },
                otherwise=call("book_room", people=4),
            ),
        ),
        behaviours={"book_room": lambda _: "reserved"},
        ends_right=all_of(did(*BOOKINGS), answers("4")),
        effects_right=at_most(*BOOKINGS),
        forms=NATIVE_ONLY,
    ),
    FaultCase(
        name="double_charge",
        fault="The model wants the same charge twice in one reply, and once more afterwards.",
        right="The card is charged once.",
        exchanges=(
            Exchange(text="Charge 500 cents for order 1042.", tools={"charge_card": "charge_card"}),
        ),
        model=in_turn(
            Calls(wishes=(*CHARGE.wishes, *CHARGE.wishes)),
            CHARGE,
            Answer(text="Order 1042 is charged with 500 cents."),
        ),
        behaviours={"charge_card": lambda _: "charged"},
        ends_right=all_of(did(CHARGED), tells_honestly("twice")),
        effects_right=at_most(CHARGED),
    ),
)
