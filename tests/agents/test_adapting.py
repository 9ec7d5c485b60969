from __future__ import annotations

import math
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smallhold.agents.adapting import adapted, named_values
from smallhold.agents.mentions import Said
from smallhold.evals.json_schema import is_valid_json
from smallhold.messages import JsonObject, JsonValue

TEXT: JsonObject = {"type": "string", "description": "Which one"}
NUMBER: JsonObject = {"type": "number", "description": "Interest for a year"}
TEXTS: JsonObject = {"type": "array", "items": {"type": "string"}}
PROSE = st.text(alphabet="ab lamp red 0123456789,.%-'", max_size=40)
SCHEMAS: st.SearchStrategy[JsonObject] = st.sampled_from([
    {},
    TEXT,
    NUMBER,
    TEXTS,
    {"type": "string", "minLength": 8},
    {"type": "string", "enum": ["red lamp", "lamp"]},
    {"type": "integer"},
    {"type": "number", "minimum": 1},
    {"type": "number", "exclusiveMinimum": 0.04},
    {"type": "number", "multipleOf": 1},
    {"type": "number", "enum": [4, 5]},
    {"type": "number", "description": "In percent"},
    {"type": "array", "minItems": 2},
    {"type": "array", "contains": {"const": "sofa"}},
    {"type": "array", "prefixItems": [{"const": "sofa"}, {"const": "lamp"}]},
    {"type": "array", "enum": [["sofa", "lamp"]]},
    {"type": ["number", "null"]},
    {"anyOf": [{"type": "array", "minItems": 2}, {"type": "null"}]},
    {"type": "integer", "description": "Hour, 24 hour clock"},
    {"type": "integer", "description": "Hour, 24 hour clock", "maximum": 12},
])
ODD_VALUES: list[JsonValue] = [
    None, True, "", " ", "lamp", "red lamp", "the hotel Hotel", "sofa", 4, 4.5, -4, 10**400,
    [], ["lamp"], ["sofa", "lamp"], ["lamp", 4], [["lamp"]], {"lamp": 4},
]  # fmt: skip
VALUES: st.SearchStrategy[JsonValue] = st.one_of(
    st.sampled_from(ODD_VALUES),
    st.integers(0, 99),
    st.floats(allow_nan=False),
    st.text(max_size=10),
    st.lists(st.sampled_from(["lamp", "red", "sofa", ""]), max_size=4).map(list[JsonValue]),
)


def mended(
    value: JsonValue, *, said: str = "", name: str = "x", schema: JsonObject | None = None
) -> JsonValue:
    return adapted(value, name=name, said=Said(said), schema=TEXT if schema is None else schema)


# The argument's own noun


@pytest.mark.parametrize(
    ("name", "written", "meant"),
    [
        ("hotel", "The Plaza hotel", "The Plaza"),
        ("hotel_name", "Plaza Hotel", "Plaza Hotel"),
        ("HOTEL", "Plaza hotel", "Plaza"),
        ("hotel", "hotel", "hotel"),
        ("hotel", "hotel Plaza", "hotel Plaza"),
        ("hotel", "the plaza", "the plaza"),
        ("city", "New York City", "New York City"),
        ("file_name", "my name", "my name"),
        ("hotel", "", ""),
        ("hotel", "the hotel", "the hotel"),
        ("hotel", "in my hotel", "in my hotel"),
        ("hotel", " hotel", " hotel"),
    ],
)
def test_a_name_does_not_end_in_the_argument_s_own_noun(
    name: str, written: str, meant: str
) -> None:
    assert mended(written, name=name) == meant


def test_a_text_of_a_given_form_stays_as_it_is() -> None:
    schema: JsonObject = {"type": "string", "enum": ["grand hotel"]}
    assert mended("grand hotel", name="hotel", schema=schema) == "grand hotel"


# The left side of an equation


@pytest.mark.parametrize(
    ("name", "written", "meant"),
    [
        ("function", "f(x) = 3x^2", "3x^2"),
        ("func", "y=2x + 1", "2x + 1"),
        ("expression", "g(x, y) = xy", "xy"),
        ("polynomial", "P( t ) = t", "t"),
        ("cost_function", "f(x) = 3x^2", "3x^2"),
        ("FUNCTION", "f(x) = 3x^2", "3x^2"),
        ("function", "3x^2", "3x^2"),
        ("function", "x == 2", "x == 2"),
        ("function", "2x = 4", "2x = 4"),
        ("function", "f(x) =", "f(x) ="),
        ("function", "sin(x) = 0", "sin(x) = 0"),
        ("equation", "y = 2x", "y = 2x"),
        ("functional", "y = 2x", "y = 2x"),
    ],
)
def test_a_function_is_written_without_its_name(name: str, written: str, meant: str) -> None:
    assert mended(written, name=name) == meant


def test_a_function_of_a_given_form_stays_as_it_is() -> None:
    schema: JsonObject = {"type": "string", "enum": ["y = x", "y = 2x"]}
    assert mended("y = x", name="function", schema=schema) == "y = x"


# Hours of the day


@pytest.mark.parametrize(
    "description", ["Hour, 24-hour clock", "In 24 hour format", "24h", "Hour (24H)", "of 24 hours"]
)
def test_an_hour_after_noon_is_counted_on_where_the_tool_counts_to_24(description: str) -> None:
    schema: JsonObject = {"type": "integer", "description": description}
    assert mended(11, said="at 11 pm", name="hour", schema=schema) == 23
    assert mended(3, said="at 3 in the afternoon", name="hour", schema=schema) == 15


OF_24: JsonObject = {"type": "integer", "description": "Hour, 24 hour clock"}


@pytest.mark.parametrize(
    ("value", "said", "schema"),
    [
        (11, "at 11 pm", {"type": "integer", "description": "Hour"}),
        (11, "at 11 pm", {"type": "integer", "description": "Hours, at most 240"}),
        (11, "at 11 am", OF_24),
        (11, "at 11", OF_24),
        (11, "at 11:00", OF_24),
        (11, "from 11 am to 11 pm", OF_24),
        (11, "at 10 pm", OF_24),
        (12, "at 12 pm", OF_24),
        (23, "at 11 pm", OF_24),
        (0, "at 12 pm", OF_24),
        (-1, "at 11 pm", OF_24),
        (11, "at 11 pm", {**OF_24, "enum": [11, 12]}),
        (11, "at 11 pm", {**OF_24, "maximum": 22}),
        (11, "at 11 pm", {**OF_24, "exclusiveMaximum": 23}),
    ],
)
def test_any_other_number_is_no_hour_to_count_on(value: int, said: str, schema: JsonObject) -> None:
    assert mended(value, said=said, name="hour", schema=schema) == value


# Percentages


@pytest.mark.parametrize("said", ["at 4% a year", "4 percent, please", "only 4 %"])
def test_a_percentage_is_a_share_of_one(said: str) -> None:
    assert mended(4, said=said, schema=NUMBER) == pytest.approx(0.04)


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("percent", NUMBER),
        ("rate", {"type": "number", "description": "Rate in percent"}),
        ("rate", {"type": "number", "description": "Rate (%)"}),
        ("rate", {"type": "integer"}),
        ("rate", {}),
    ],
)
def test_a_tool_that_asks_for_percent_or_whole_numbers_gets_them(
    name: str, schema: JsonObject
) -> None:
    assert mended(4, said="at 4%", name=name, schema=schema) == 4


@pytest.mark.parametrize("said", ["4 euros", "", "14%", "4.5%", "4 per cent"])
def test_a_number_that_nobody_said_as_a_percentage_stays(said: str) -> None:
    assert mended(4, said=said, schema=NUMBER) == 4


@pytest.mark.parametrize(
    "more",
    [
        {"minimum": 1},
        {"exclusiveMinimum": 0.04},
        {"multipleOf": 0.5},
        {"enum": [4, 8]},
        {"anyOf": [{"minimum": 1}]},
        {"not": {"maximum": 1}},
        {"allOf": [{"const": 4}]},
    ],
)
def test_a_share_that_the_tool_would_refuse_stays_a_percentage(more: JsonObject) -> None:
    assert mended(4, said="at 4%", schema={**NUMBER, **more}) == 4


def test_truth_is_no_number() -> None:
    truth: JsonValue = True
    assert mended(truth, said="1%", schema=NUMBER) is True


# Lists


def test_a_list_keeps_what_was_said_of_it() -> None:
    listed: list[JsonValue] = ["lamp", "sofa", "bed"]
    assert mended(listed, said="lamps and a bed", schema=TEXTS) == ["lamp", "bed"]


def test_a_list_of_which_nothing_was_said_stays_as_it_is() -> None:
    assert mended(["sofa", "bed"], said="hello", schema=TEXTS) == ["sofa", "bed"]


def test_a_list_keeps_as_many_items_as_the_tool_wants() -> None:
    schema: JsonObject = {**TEXTS, "minItems": 2}
    assert mended(["lamp", "sofa"], said="a lamp", schema=schema) == ["lamp", "sofa"]


def test_a_list_of_other_things_than_texts_stays_as_it_is() -> None:
    assert mended(["lamp", 7], said="a lamp", schema=TEXTS) == ["lamp", 7]
    assert mended([1, 2], said="just 1", schema=TEXTS) == [1, 2]


# Whatever the value


@given(VALUES, SCHEMAS, PROSE, st.sampled_from(["hotel", "lamp", "", "_"]))
@example(4, {"type": "number", "minimum": 1}, "4%", "rate")
@example(["lamp", "sofa"], {"type": "array", "contains": {"const": "sofa"}}, "lamp", "x")
@example(4, {"type": "integer", "description": "24 hours", "maximum": 12}, "4 pm", "x")
def test_a_valid_value_stays_valid(
    value: JsonValue, schema: JsonObject, said: str, name: str
) -> None:
    if is_valid_json(value, schema):
        assert is_valid_json(mended(value, said=said, name=name, schema=schema), schema)


@given(VALUES, SCHEMAS, PROSE)
@example(4, OF_24, "4 pm")
def test_a_value_stays_of_its_kind_and_nothing_is_put_into_it(
    value: JsonValue, schema: JsonObject, said: str
) -> None:
    now = mended(value, said=said, name="lamp", schema=schema)
    match value:
        case str():
            assert isinstance(now, str)
            assert value.startswith(now)
        case list():
            assert isinstance(now, list)
            assert all(item in value for item in now)
        case bool() | None | dict():
            assert now == value
        case int() | float():
            assert isinstance(now, int | float)
            assert now in {value, value + 12} or math.isclose(now, value / 100)


@given(VALUES, SCHEMAS, st.text(alphabet="ab lamp red 4%,-'", max_size=40))
def test_what_was_mended_needs_no_more_mending(
    value: JsonValue, schema: JsonObject, said: str
) -> None:
    # Each rule takes one step: a second noun in the text, or a share that was said as a percentage
    # too, would be another.
    once = mended(value, said=said, name="hotel", schema=schema)
    if not (isinstance(once, str) and once.casefold().endswith("hotel")):
        assert mended(once, said=said, name="hotel", schema=schema) == once


@pytest.mark.parametrize(
    "said", ["1" * 100_000, "1," * 50_000, "1.1 " * 25_000, "4 " * 50_000, "unit1x " * 14_000]
)
def test_a_message_of_any_length_is_read_in_no_time(said: str) -> None:
    units: list[JsonValue] = [f"unit{number}" for number in range(50)]
    started_s = time.monotonic()
    mended(7, said=said, schema=NUMBER)
    mended([f"lamp{number}" for number in range(50)], said=said, schema=TEXTS)
    named_values({"properties": {"unit": {"enum": units}}}, said=Said(said))
    assert time.monotonic() - started_s < 1


# Values that were said and left out


CHOICES: JsonObject = {
    "type": "object",
    "properties": {
        "unit": {"type": "string", "enum": ["celsius", "fahrenheit", ""]},
        "size": {"type": "string", "enum": ["very large", "large"]},
        "count": {"type": "integer", "enum": [1, 2]},
        "length": {"type": "string", "enum": ["in", "cm"]},
        "note": {"type": "string"},
        "any": True,
    },
}


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("How warm is it in Celsius?", {"unit": "celsius"}),
        ("a large one", {"size": "large"}),
        ("celsius or fahrenheit?", {}),
        ("celsiusx", {}),
        ("2 of them", {}),
        ("the weather in Oslo", {}),
        ("170 CM", {"length": "cm"}),
        ("", {}),
        ("Hello!", {}),
    ],
)
def test_an_allowed_text_that_was_said_alone_is_found(said: str, found: JsonObject) -> None:
    assert named_values(CHOICES, said=Said(said)) == found


@pytest.mark.parametrize("schema", [{}, {"properties": []}, {"properties": {"a": {"enum": "x"}}}])
def test_a_tool_without_choices_has_none_to_find(schema: JsonObject) -> None:
    assert named_values(schema, said=Said("x")) == {}


@given(PROSE | st.sampled_from(["very large", "Large (celsius)", "İ"]))
def test_what_is_found_is_always_allowed(said: str) -> None:
    assert is_valid_json(named_values(CHOICES, said=Said(said)), CHOICES)
