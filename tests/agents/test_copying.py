from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smallhold.agents.copying import MAX_SPANS, revise
from smallhold.agents.mentions import Said
from smallhold.evals.json_schema import is_valid_json
from smallhold.messages import JsonObject, JsonValue

SCHEMA: JsonObject = {
    "type": "object",
    "properties": {
        "product": {"type": "string", "description": "Name."},
        "quantity": {"type": "integer", "minimum": 1, "maximum": 50},
        "colour": {"type": "string", "enum": ["red", "blue"]},
        "note": {"type": "string"},
        "gift": {"type": "boolean"},
        "price": {"type": "number", "exclusiveMinimum": 0},
        "extras": {"type": "array", "items": {"type": "string"}},
        "least": {"type": "array", "items": {"type": "string"}, "minItems": 2},
        "rate": {"type": "number", "minimum": 1},
        "tax": {"type": "number"},
        "days": {"type": ["integer", "null"]},
        "weeks": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        "size": {"type": "string", "enum": ["a", "ab", ""]},
    },
    "required": ["product", "quantity"],
    "additionalProperties": False,
}
SAID = Said("Please send 2 red lamps for 30 euros to Ada")


def choices(narrowed: JsonObject | None, name: str) -> list[JsonValue]:
    assert narrowed is not None
    properties = narrowed["properties"]
    assert isinstance(properties, dict)
    schema = properties[name]
    assert isinstance(schema, dict)
    options = schema.get("enum", [])
    assert isinstance(options, list)
    return options


def test_arguments_that_were_said_stay_as_they_are() -> None:
    arguments: JsonObject = {"product": "red lamps", "quantity": 2, "colour": "red"}
    revision = revise(arguments, SCHEMA, said=SAID)
    assert revision.arguments == arguments
    assert revision.narrowed is None


def test_an_optional_value_that_nobody_mentioned_is_left_out() -> None:
    arguments: JsonObject = {"product": "lamps", "quantity": 2, "note": "urgent", "gift": False}
    revision = revise(arguments, SCHEMA, said=SAID)
    assert {**arguments, **revision.arguments} == {**arguments, "colour": "red"}
    assert not {"note", "gift"} & revision.arguments.keys()


def test_a_listed_value_that_was_said_is_taken_whether_it_was_decoded_or_not() -> None:
    for decoded in ({}, {"colour": "blue"}, {"colour": "red"}):
        arguments: JsonObject = {"product": "lamps", "quantity": 2, **decoded}
        assert revise(arguments, SCHEMA, said=SAID).arguments["colour"] == "red"


def test_a_required_text_that_nobody_mentioned_is_chosen_among_what_was_said() -> None:
    revision = revise({"product": "sofa", "quantity": 2}, SCHEMA, said=SAID)
    options = choices(revision.narrowed, "product")
    assert "red lamps" in options
    assert "sofa" not in options


def test_a_required_number_that_nobody_mentioned_is_chosen_among_the_free_ones() -> None:
    revision = revise({"product": "lamps", "quantity": 7}, SCHEMA, said=SAID)
    assert choices(revision.narrowed, "quantity") == [2, 30]


def test_a_number_outside_the_tool_s_limits_is_not_offered() -> None:
    said = Said("2 lamps of 99 cm")
    revision = revise({"product": "lamps", "quantity": 7}, SCHEMA, said=said)
    assert choices(revision.narrowed, "quantity") == [2]


NUMBERS: list[tuple[JsonObject, str, list[JsonValue]]] = [
    ({"type": "number"}, "2.5 or 3", [2.5, 3]),
    ({"type": "integer"}, "2.5 or 3", [3]),
    ({"type": ["integer", "null"]}, "2.5 or 3", [3]),
    ({"type": ["number", "null"]}, "2.5 or 3", [2.5, 3]),
    ({"type": "number", "minimum": 3}, "2.5 or 3", [3]),
    ({"type": "number", "exclusiveMinimum": 0}, "2.5 or 3", []),
    ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "2.5 or 3", []),
    ({"type": "number"}, f"{'9' * 40} or 3", [3]),
    ({"type": "number"}, "two sets of three", []),
    ({}, "2.5 or 3", [2.5, 3]),
]


@pytest.mark.parametrize(("inner", "said", "offered"), NUMBERS)
def test_only_numbers_that_the_tool_takes_and_that_can_be_sent_are_offered(
    inner: JsonObject, said: str, offered: list[JsonValue]
) -> None:
    schema: JsonObject = {"type": "object", "properties": {"x": inner}, "required": ["x"]}
    revision = revise({"x": 7}, schema, said=Said(said))
    assert (choices(revision.narrowed, "x") if revision.narrowed else []) == offered
    assert revision.arguments == {"x": 7}
    assert revision.invented == ("x",)


HOURS: JsonObject = {
    "type": "object",
    "properties": {"hours": {"type": "integer"}, "every": {"type": "integer"}},
    "required": ["hours"],
}


@pytest.mark.parametrize(
    ("said", "every", "kept"),
    [
        ("for 6 hours", 6, False),
        ("every 6 minutes for 6 hours", 6, True),
        ("every minute for 6 hours", 1, False),
        ("every two hours for 6 hours", 120, True),
    ],
)
def test_a_number_that_a_required_argument_has_taken_fills_no_other_one(
    said: str, every: int, *, kept: bool
) -> None:
    revision = revise({"hours": 6, "every": every}, HOURS, said=Said(said))
    assert ("every" in revision.arguments) is kept
    assert revision.unmentioned == (0 if kept else 1)
    assert revision.narrowed is None


SHARES: JsonObject = {
    "type": "object",
    "properties": {"rate": {"type": "number"}, "least": {"type": "integer"}},
    "required": ["rate"],
}


@pytest.mark.parametrize(
    ("said", "rate", "least", "kept"),
    [
        ("at 8%", 8, 8, False),
        ("at 8%", 0.08, 8, False),
        ("at 57%", 0.57, 57, False),
        ("at 8%, from 8 on", 0.08, 8, True),
        ("at 0.08, from 8 on", 0.08, 8, True),
        ("at 8% of 9", 0.08, 9, True),
    ],
)
def test_a_percentage_that_a_required_argument_has_taken_fills_no_other_one_either_way(
    said: str, rate: float, least: int, *, kept: bool
) -> None:
    revision = revise({"rate": rate, "least": least}, SHARES, said=Said(said))
    assert ("least" in revision.arguments) is kept


@pytest.mark.parametrize("said", ["8 of it", "at 8%"])
def test_a_number_beyond_all_others_is_an_invention_and_no_trouble(said: str) -> None:
    schema: JsonObject = {
        "type": "object",
        "properties": {"count": {"type": "integer"}},
        "required": ["count"],
    }
    revision = revise({"count": 10**400}, schema, said=Said(said))
    assert (revision.arguments, revision.invented) == ({"count": 10**400}, ("count",))


def test_required_values_that_nobody_said_are_named() -> None:
    arguments: JsonObject = {"product": "sofa", "quantity": 7, "note": "urgent", "price": 30.0}
    revision = revise(arguments, SCHEMA, said=Said("Please send it"))
    assert revision.invented == ("product", "quantity")
    assert revision.unmentioned == 4
    assert revise({"product": "", "quantity": 2}, SCHEMA, said=SAID).invented == ()


@pytest.mark.parametrize("written", ["Ada, UK", "Ada, London, England"])
def test_what_a_tool_s_form_adds_to_what_was_said_is_no_invention(written: str) -> None:
    revision = revise({"product": written, "quantity": 2}, SCHEMA, said=SAID)
    assert (revision.arguments["product"], revision.invented) == (written, ())


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("2 for tomorrow", "2030-01-31"),
        ("2 in January", "31.01.2030"),
        ("2 on the 31st of January", "2030-01-31T18:30:00"),
        ("2 at half past six in the evening", "18:30"),
        ("2 at noon", "12:00"),
    ],
)
def test_a_date_in_digits_stands_for_the_words_that_speak_of_it(said: str, written: str) -> None:
    revision = revise({"product": written, "quantity": 2}, SCHEMA, said=Said(said))
    assert (revision.arguments["product"], revision.invented) == (written, ())
    assert revision.narrowed is None


@pytest.mark.parametrize("schema", [{"type": "string"}, {"type": "string", "pattern": "^[0-9]"}])
@pytest.mark.parametrize(
    ("said", "written"),
    [("a table for 2", "2030-01-31"), ("a table for 2", "18:30"), ("tomorrow", "18:30")],
)
def test_a_date_in_digits_is_an_invention_where_nothing_speaks_of_one(
    said: str, written: str, schema: JsonObject
) -> None:
    when: JsonObject = {"type": "object", "properties": {"at": schema}, "required": ["at"]}
    revision = revise({"at": written}, when, said=Said(said))
    assert (revision.arguments, revision.invented) == ({"at": written}, ("at",))
    assert (revision.unmentioned, revision.narrowed) == (1, None)
    optional = revise({"at": written}, {**when, "required": []}, said=Said(said))
    assert (optional.arguments, optional.invented, optional.unmentioned) == ({}, (), 1)


@pytest.mark.parametrize(
    ("said", "invented"), [("the weather in Denver", ()), ("the weather here", ("place",))]
)
def test_a_city_with_its_state_is_an_invention_where_the_city_was_not_said(
    said: str, invented: tuple[str, ...]
) -> None:
    formed: JsonObject = {"type": "string", "pattern": "^[^,]+, [A-Z]{2}$"}
    schema: JsonObject = {"type": "object", "properties": {"place": formed}, "required": ["place"]}
    revision = revise({"place": "Denver, CO"}, schema, said=Said(said))
    assert (revision.arguments, revision.invented) == ({"place": "Denver, CO"}, invented)
    assert revision.narrowed is None


TABLE: JsonObject = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "guests": {"type": "integer", "description": "How many come"},
        "start_hour": {"type": "integer"},
        "start": {"type": "integer", "description": "Minute at which it begins"},
    },
    "required": ["name"],
}


@pytest.mark.parametrize(
    ("said", "name", "value", "kept"),
    [
        ("A table at 7 pm for Ada", "guests", 7, False),
        ("A table on 3 May 2030 for Ada", "guests", 3, False),
        ("A table on 3 May 2030 for Ada", "guests", 2030, False),
        ("A table for Ada and 7 more at 7 pm", "guests", 7, True),
        ("A table for Ada and seven more at 7 pm", "guests", 7, True),
        ("A table at 7 pm for Ada", "start_hour", 7, True),
        ("A table at 7 pm for Ada", "start", 7, True),
        ("A table for Ada", "start_hour", 7, False),
    ],
)
def test_a_number_of_a_day_or_a_time_fills_what_can_be_left_out_only_where_it_is_for_that(
    said: str, name: str, value: int, *, kept: bool
) -> None:
    revision = revise({"name": "Ada", name: value}, TABLE, said=Said(said))
    assert revision.arguments == ({"name": "Ada", name: value} if kept else {"name": "Ada"})
    assert revision.unmentioned == (0 if kept else 1)


def test_a_number_of_a_day_or_a_time_may_fill_what_is_required() -> None:
    required: JsonObject = {**TABLE, "required": ["name", "guests"]}
    revision = revise({"name": "Ada", "guests": 7}, required, said=Said("Ada, at 7 pm"))
    assert (revision.arguments["guests"], revision.invented) == (7, ())


def test_the_parts_of_a_date_are_not_offered_for_a_number_that_nobody_mentioned() -> None:
    said = Said("2 lamps and 30 bulbs on 3 May 2024, at 10:45")
    revision = revise({"product": "lamps", "quantity": 7}, SCHEMA, said=said)
    assert choices(revision.narrowed, "quantity") == [2, 30]


def test_a_required_text_of_a_stated_form_is_not_looked_for_word_by_word() -> None:
    formed: JsonObject = {"type": "string", "pattern": "^[A-Z]{3}$"}
    schema: JsonObject = {"type": "object", "properties": {"code": formed}, "required": ["code"]}
    revision = revise({"code": "EUR"}, schema, said=SAID)
    assert (revision.arguments, revision.invented) == ({"code": "EUR"}, ())
    optional = revise({"code": "EUR"}, {**schema, "required": []}, said=Said("hello"))
    assert optional.arguments == {}


TRIP: JsonObject = {
    "type": "object",
    "properties": {
        "origin": {"type": "string"},
        "city": {"type": "string"},
        "target": {"type": "string"},
        "unit": {"type": "string", "enum": ["miles", "km"]},
        "legs": {"type": "integer"},
    },
    "required": ["target"],
}


@pytest.mark.parametrize(
    ("said", "decoded", "kept"),
    [
        ("to Oslo", {"origin": "Oslo", "target": "oslo"}, {"target": "oslo"}),
        ("Oslo, the city", {"origin": "Oslo", "city": "Oslo"}, {"city": "Oslo"}),
        ("Oslo", {"origin": "Oslo", "city": "Oslo"}, {"origin": "Oslo"}),
        (
            "Rome to Oslo",
            {"origin": "Rome", "target": "Oslo"},
            {"origin": "Rome", "target": "Oslo"},
        ),
    ],
)
def test_a_text_that_another_argument_holds_already_is_not_repeated(
    said: str, decoded: JsonObject, kept: JsonObject
) -> None:
    assert revise(decoded, TRIP, said=Said(said)).arguments == kept


@pytest.mark.parametrize(
    ("said", "decoded", "kept"),
    [
        ("Oslo in km", {"target": "Oslo", "city": "km", "unit": "km"}, {"unit": "km"}),
        ("Oslo in km", {"target": "Oslo", "city": "km"}, {"unit": "km"}),
        ("Oslo, city of 2", {"target": "Oslo", "city": "2", "legs": 2}, {"legs": 2}),
        ("Oslo, origin km", {"target": "Oslo", "origin": "KM", "unit": "km"}, {"unit": "km"}),
    ],
)
def test_a_free_text_gives_way_to_the_number_or_the_listed_value_that_it_repeats(
    said: str, decoded: JsonObject, kept: JsonObject
) -> None:
    assert revise(decoded, TRIP, said=Said(said)).arguments == {"target": "Oslo", **kept}


def test_a_required_text_stays_beside_the_listed_value_that_it_repeats() -> None:
    revision = revise({"target": "km"}, TRIP, said=Said("What is a km?"))
    assert revision.arguments == {"target": "km", "unit": "km"}


def test_texts_that_are_required_may_be_the_same() -> None:
    both: JsonObject = {**TRIP, "required": ["origin", "target"]}
    arguments: JsonObject = {"origin": "Oslo", "target": "Oslo"}
    assert revise(arguments, both, said=Said("around Oslo")).arguments == arguments


def test_a_listed_value_is_looked_for_in_the_message_itself() -> None:
    said = Said("How many km?\nHow far is Oslo?")
    before = revise({"target": "Oslo"}, TRIP, said=said, asked=Said("How far is Oslo?"))
    assert before.arguments == {"target": "Oslo"}
    assert revise({"target": "Oslo"}, TRIP, said=said).arguments["unit"] == "km"


def test_values_are_mended_before_they_are_looked_for() -> None:
    schema: JsonObject = {
        "type": "object",
        "properties": {"hotel": {"type": "string"}, "rate": {"type": "number"}},
        "required": ["hotel", "rate"],
    }
    said = Said("The Plaza at 4%")
    revision = revise({"hotel": "Plaza hotel", "rate": 4}, schema, said=said)
    assert revision.arguments == {"hotel": "Plaza", "rate": 0.04}
    assert revision.narrowed is None


@pytest.mark.parametrize(
    "schema",
    [{}, {"type": "object"}, {"properties": [], "required": "x"}, {"properties": {"x": True}}],
)
def test_odd_schemas_are_no_trouble(schema: JsonObject) -> None:
    arguments: JsonObject = {"x": "lamp", "y": 10**400, "z": {"deep": [10**400, None]}}
    revision = revise(arguments, schema, said=SAID)
    assert revision.arguments == {"x": "lamp", "y": 10**400}
    assert choices(revision.narrowed, "y") == [2, 30]
    assert revision.invented == ()


def test_an_invented_identifier_is_replaced_only_by_one_that_was_said() -> None:
    schema: JsonObject = {
        "type": "object",
        "properties": {"phone": {"type": "string"}},
        "required": ["phone"],
    }
    nobody = revise({"phone": "+44 20 7946 0000"}, schema, said=Said("Please call me back"))
    assert nobody.arguments == {"phone": "+44 20 7946 0000"}
    assert nobody.narrowed is None
    somebody = revise({"phone": "020 7946 0000"}, schema, said=Said("Call 020 7946 0123 please"))
    options = choices(somebody.narrowed, "phone")
    assert "020 7946 0123" in options
    assert not [option for option in options if "Call" in str(option)]


def test_no_more_spans_are_offered_than_a_grammar_takes_at_once() -> None:
    said = Said(" ".join(f"word{number}" for number in range(1_000)))
    schema: JsonObject = {
        "type": "object",
        "properties": {"product": {"type": "string"}},
        "required": ["product"],
    }
    revision = revise({"product": "sofa"}, schema, said=said)
    assert len(choices(revision.narrowed, "product")) == MAX_SPANS


PRODUCTS = st.sampled_from(["lamps", "red lamps", "sofa", "", "9999", "ada@lovelace.example"])
REQUIRED: dict[str, st.SearchStrategy[JsonValue]] = {
    "product": PRODUCTS,
    "quantity": st.integers(1, 50),
}
OPTIONAL: dict[str, st.SearchStrategy[JsonValue]] = {
    "colour": st.sampled_from(["red", "blue"]),
    "note": PRODUCTS,
    "gift": st.booleans(),
    "price": st.floats(min_value=0.01, max_value=99.0),
    "extras": st.lists(PRODUCTS, max_size=3).map(list[JsonValue]),
    "least": st.lists(PRODUCTS, min_size=2, max_size=3).map(list[JsonValue]),
    "rate": st.integers(1, 99),
    "tax": st.integers(0, 99) | st.just(10**400),
    "days": st.none() | st.integers(0, 9),
    "weeks": st.none() | st.integers(0, 9),
    "size": st.sampled_from(["a", "ab", ""]),
}
ARGUMENTS = st.fixed_dictionaries(REQUIRED, optional=OPTIONAL)
TEXTS = st.text(alphabet='ab lamps red 0123456789,.%k-"', max_size=60).map(Said)


@given(ARGUMENTS, TEXTS)
@example({"product": "sofa", "quantity": 2, "rate": 4}, Said("4%"))
@example({"product": "sofa", "quantity": 2, "least": ["lamps", "sofa"]}, Said("lamps"))
def test_required_arguments_stay_and_nothing_is_added_but_what_was_said(
    arguments: JsonObject, said: Said
) -> None:
    revision = revise(arguments, SCHEMA, said=said)
    added = revision.arguments.keys() - arguments.keys()
    assert added <= {"colour", "size"}
    assert all(said.says_word(str(revision.arguments[name])) for name in added)
    assert {"product", "quantity"} <= revision.arguments.keys()
    assert is_valid_json(revision.arguments, SCHEMA)


@given(ARGUMENTS, TEXTS)
@example({"product": "lamps", "quantity": 2, "note": "2"}, Said("2 lamps"))
@example({"product": "lamps", "quantity": 2, "note": "Red"}, Said("2 red lamps"))
def test_no_free_text_that_can_be_left_out_repeats_another_value(
    arguments: JsonObject, said: Said
) -> None:
    kept = revise(arguments, SCHEMA, said=said).arguments
    note = str(kept.pop("note", "")).casefold()
    assert not note or note not in {str(value).casefold() for value in kept.values()}


@given(ARGUMENTS, TEXTS, st.data())
def test_whatever_is_chosen_anew_is_valid_for_the_tool(
    arguments: JsonObject, said: Said, data: st.DataObject
) -> None:
    narrowed = revise(arguments, SCHEMA, said=said).narrowed
    if narrowed is None:
        return
    properties = narrowed["properties"]
    assert isinstance(properties, dict)
    chosen: JsonObject = {}
    for name, schema in properties.items():
        assert isinstance(schema, dict)
        options = schema.get("enum")
        chosen[name] = (
            data.draw(st.sampled_from(options)) if isinstance(options, list) else schema["const"]
        )
    assert is_valid_json(chosen, narrowed)
    assert is_valid_json(chosen, SCHEMA)


def test_numbers_inside_a_list_are_taken_too() -> None:
    schema: JsonObject = {
        "type": "object",
        "properties": {
            "values": {"type": "array", "items": {"type": "number"}},
            "alpha": {"type": "number"},
        },
        "required": ["values"],
    }
    revision = revise({"values": [12, 24], "alpha": 0.05}, schema, said=Said("values 12 and 24"))
    assert revision.arguments == {"values": [12, 24]}
    assert revision.narrowed is None
