"""How decisions and calls are written: this file holds the samples that every agent's prompt shows.

They use functions that no agent has, and each brings its own. What they show is the manner: one
call for each thing asked for, values word for word as the user wrote them, dates in digits, no
optional argument that nobody asked for, and when not to call at all. They come before anything of
the agent's own, so all agents on a model share what was computed for them. Source:
`docs/accuracy.md`, samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from smallhold.agents.special_calls import ANSWER_NAME, ASK_NAME, CANNOT_NAME
from smallhold.messages import JsonObject, JsonValue, ToolSchema

Called: TypeAlias = tuple[str, JsonObject]
"""Name and arguments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A message to an agent with certain functions, and what the agent does about it."""

    functions: tuple[ToolSchema, ...]
    text: str
    calls: tuple[Called, ...]
    """What is called for the message; one of the special calls alone, or real ones."""
    later: tuple[tuple[str, tuple[Called, ...]], ...] = ()
    """What the calls returned, and what is called then."""


def _function(
    name: str, description: str, /, *required: str, **parameters: JsonValue
) -> ToolSchema:
    properties: JsonObject = dict(parameters)
    return ToolSchema(
        name=name,
        description=description,
        parameters={"type": "object", "properties": properties, "required": list(required)},
    )


def _text(description: str, *values: str) -> JsonObject:
    schema: JsonObject = {"type": "string", "description": description}
    return {**schema, "enum": list(values)} if values else schema


def _number(description: str, *, kind: str = "integer") -> JsonObject:
    return {"type": kind, "description": description}


_BUILDINGS: Final = _function(
    "building_search",
    "Find buildings of a city.",
    "city",
    city=_text("Name of the city"),
    built_after=_number("Only buildings finished after this year"),
    architect=_text("Name of the architect"),
)
_BOOK: Final = _function(
    "restaurant_book",
    "Book a table at a restaurant.",
    "restaurant",
    "people",
    "date",
    restaurant=_text("Name of the restaurant"),
    people=_number("How many people"),
    date=_text("Date, YYYY-MM-DD"),
    time=_text("Time of day"),
    area=_text("Where to sit", "indoors", "terrace"),
)
_CANCEL: Final = _function(
    "restaurant_cancel",
    "Cancel a booking at a restaurant.",
    "booking_number",
    booking_number=_text("Number of the booking"),
)
_TIMER: Final = _function(
    "timer_start",
    "Start a kitchen timer.",
    "minutes",
    minutes=_number("Length in minutes", kind="number"),
    label=_text("What it is for"),
)
_CONVERT: Final = _function(
    "unit_convert",
    "Convert a quantity from one unit to another.",
    "value",
    "source",
    "target",
    value=_number("The quantity", kind="number"),
    source=_text("Unit of the quantity"),
    target=_text("Unit to convert to"),
)
_PLAY: Final = _function(
    "music_play",
    "Play music.",
    "artist",
    artist=_text("Name of the artist"),
    minutes=_number("For how long"),
)
_SHARE: Final = _function(
    "stock_price", "Latest price of a share.", "symbol", symbol=_text("Ticker symbol")
)
_CIRCLE: Final = _function(
    "circle_area",
    "Area of a circle.",
    "radius",
    radius=_number("Radius in metres", kind="number"),
)
_FORECAST: Final = _function(
    "weather_forecast",
    "Weather forecast for a city.",
    "city",
    city=_text("Name of the city"),
    days=_number("How many days ahead"),
)
_MAIL: Final = _function(
    "mail_send", "Send an e-mail.", "to", "text", to=_text("Address"), text=_text("What to write")
)
_CONTACTS: Final = _function(
    "contact_find",
    "Find a person in the address book.",
    "person",
    person=_text("Name or part of it"),
)
_ROOM: Final = _function(
    "room_search",
    "Find a free room in a hotel.",
    "hotel",
    "location",
    hotel=_text("Name of the hotel"),
    location=_text("City and state, e.g. Denver, CO"),
    extras={
        "type": "array",
        "items": {"type": "string", "enum": ["pool", "parking", "breakfast", "balcony"]},
        "description": "What the room must come with",
    },
    nights=_number("How many nights, 1 by default"),
)
_LOAN: Final = _function(
    "loan_cost",
    "Cost of a loan.",
    "amount",
    "rate",
    "months",
    amount=_number("Amount of the loan", kind="number"),
    rate=_number("Interest rate for a year", kind="number"),
    months=_number("Length in months"),
    currency=_text("Currency code, e.g. USD"),
)
_ANSWER: Final[tuple[Called, ...]] = ((ANSWER_NAME, {}),)
_CANNOT: Final[tuple[Called, ...]] = ((CANNOT_NAME, {}),)

SAMPLES: Final = (
    Sample(
        functions=(_BUILDINGS,),
        text="What is the tallest building in Chicago built after 1990?",
        calls=(("building_search", {"city": "Chicago", "built_after": 1990}),),
    ),
    Sample(functions=(_CIRCLE,), text="How do I knit a scarf for my daughter?", calls=_ANSWER),
    Sample(
        functions=(_BOOK, _CANCEL),
        text="Book a table for four at Luigi's on 3 May 2024 at 7 pm, indoors.",
        calls=(
            (
                "restaurant_book",
                {
                    "restaurant": "Luigi's",
                    "people": 4,
                    "date": "2024-05-03",
                    "time": "7 pm",
                    "area": "indoors",
                },
            ),
        ),
    ),
    Sample(
        functions=(_ROOM, _BOOK),
        text="Has the Plaza hotel in Boston a room with a pool and parking?",
        calls=(
            (
                "room_search",
                {"hotel": "Plaza", "location": "Boston, MA", "extras": ["pool", "parking"]},
            ),
        ),
    ),
    Sample(
        functions=(_SHARE, _CONVERT),
        text="What will the weather be like in Oslo tomorrow?",
        calls=_CANNOT,
    ),
    Sample(
        functions=(_TIMER, _CONVERT),
        text="Set a timer for 8 minutes for the eggs and another one for 20 minutes for the bread.",
        calls=(
            ("timer_start", {"minutes": 8, "label": "eggs"}),
            ("timer_start", {"minutes": 20, "label": "bread"}),
        ),
    ),
    Sample(
        functions=(_MAIL, _BOOK),
        text="I would like a table at Mario's.",
        calls=((ASK_NAME, {"missing": ["people", "date"]}),),
    ),
    Sample(
        functions=(_LOAN,),
        text="What will 20000 euros at 4.5% over two years cost me?",
        calls=(("loan_cost", {"amount": 20000, "rate": 0.045, "months": 24, "currency": "EUR"}),),
    ),
    Sample(functions=(_SHARE,), text="Buy 20 shares of AAPL for me.", calls=_CANNOT),
    Sample(
        functions=(_PLAY, _TIMER, _CONVERT),
        text="Play Miles Davis for half an hour and tell me how many pounds 12.5 kilograms are.",
        calls=(
            ("music_play", {"artist": "Miles Davis", "minutes": 30}),
            ("unit_convert", {"value": 12.5, "source": "kilograms", "target": "pounds"}),
        ),
    ),
    Sample(
        functions=(_FORECAST, _CONTACTS),
        text="How warm will it get?",
        calls=((ASK_NAME, {"missing": ["city"]}),),
    ),
    Sample(
        functions=(_CONTACTS, _MAIL),
        text="Write to Petersen that the meeting is at 3 pm.",
        calls=(("contact_find", {"person": "Petersen"}),),
        later=(
            (
                '{"email": "petersen@example.org"}',
                (
                    (
                        "mail_send",
                        {"to": "petersen@example.org", "text": "The meeting is at 3 pm."},
                    ),
                ),
            ),
            ("sent", _ANSWER),
        ),
    ),
    Sample(functions=(_MAIL, _CONTACTS), text="Thanks, that was all!", calls=_ANSWER),
    Sample(
        functions=(_CONTACTS, _MAIL),
        text="Do we have anyone called Petersen?",
        calls=(("contact_find", {"person": "Petersen"}),),
    ),
)
