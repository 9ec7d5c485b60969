from __future__ import annotations

import json
import re
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from llguidance import LLMatcher, LLTokenizer

from smallhold.agents.stated_dates import StatedDates
from smallhold.agents.stated_forms import stated_pattern, with_stated_forms
from smallhold.engine.grammar import constraint_to_lark
from smallhold.evals.json_schema import is_valid_json
from smallhold.generation import JsonSchemaConstraint
from smallhold.messages import JsonObject, JsonValue

FORMS = {
    "YYYY-MM-DD": "%Y-%m-%d",
    "yyyy/mm/dd": "%Y/%m/%d",
    "MM/DD/YYYY": "%m/%d/%Y",
    "dd.mm.yyyy": "%d.%m.%Y",
    "DD-MM-YYYY": "%d-%m-%Y",
}
DESCRIPTIONS = st.sampled_from([
    "",
    "The day.",
    "The day, YYYY-MM-DD",
    "In the format MM/DD/YYYY or YYYY-MM-DD.",
    "YYYY-MM-DD hh:mm",
    "The city and state, e.g. San Francisco, CO",
    "City, State",
    "The city name",
    "ISO 4217",
    "State abbreviation",
    "Ticker symbol",
    "Like 'track:Song artist:Name'",
])
KEYWORDS: list[JsonObject] = [
    {},
    {"enum": ["2030-01-31", "Oslo"]},
    {"pattern": "^O"},
    {"format": "date"},
    {"minLength": 3},
    {"default": "2030-01-31"},
    {"title": "Day"},
]
ODD: list[JsonValue] = [
    True,
    {},
    {"description": "YYYY-MM-DD"},
    {"type": ["string", "null"]},
]


def described(kind: str, description: str, more: JsonObject) -> JsonValue:
    return {"type": kind, "description": description, **more}


SCHEMAS: st.SearchStrategy[JsonValue] = st.one_of(
    st.builds(
        described,
        st.sampled_from(["string", "integer", "array", "object"]),
        DESCRIPTIONS,
        st.sampled_from(KEYWORDS),
    ),
    st.sampled_from(ODD),
)
VALUES: st.SearchStrategy[JsonValue] = st.sampled_from([
    "2030-01-31", "01/31/2030", "2030-13-01", "tomorrow", "Oslo", "Denver, CO", "Denver, co", "", 7,
    "2030-01-31 15:00", "EUR", "track:Help", None, ["x"],
])  # fmt: skip
NAMES = ("a", "b", "currency")
SAID = st.sampled_from([
    "", "Hello", "On 3 May", "in May", "2030-01-31 at 3 pm", "tomorrow", "\u0663",
])  # fmt: skip


def of(properties: JsonObject, *, said: str = "on 3 May") -> JsonObject:
    schema: JsonObject = {"type": "object", "properties": properties}
    found = with_stated_forms(schema, said=said)["properties"]
    assert isinstance(found, dict)
    return found


def text(description: str, **more: JsonValue) -> JsonObject:
    return {"type": "string", "description": description, **more}


SOME_DAY = "some day in May"
"""Speaks of a day without stating it, so that any may be meant."""


def pattern_of(description: str, *, name: str = "x", said: str = SOME_DAY) -> str | None:
    return stated_pattern(description, name=name, dates=StatedDates(said))


def allows(description: str, value: str, *, name: str = "x") -> bool:
    pattern = pattern_of(description, name=name)
    assert pattern is not None
    return re.search(pattern, value) is not None


# Dates


@given(st.sampled_from(sorted(FORMS)), st.dates())
@example("YYYY-MM-DD", date(1, 1, 1))
def test_a_date_in_the_stated_form_is_allowed(form: str, day: date) -> None:
    written = day.strftime(FORMS[form].replace("%Y", f"{day.year:04}"))
    assert allows(f"The day, {form}.", written)


@pytest.mark.parametrize(
    "value", ["2030-13-01", "2030-00-01", "2030-01-32", "2030-1-31", "31.01.2030", "tomorrow", "",
              "2030-01-31 or so", "on 2030-01-31"],
)  # fmt: skip
def test_what_is_no_date_of_the_stated_form_is_not(value: str) -> None:
    assert not allows("The day, YYYY-MM-DD", value)


def test_each_of_several_stated_forms_is_allowed() -> None:
    description = "YYYY-MM-DD, or MM/DD/YYYY"
    assert allows(description, "2030-01-31")
    assert allows(description, "01/31/2030")
    assert not allows(description, "31/01/2030")


@pytest.mark.parametrize(
    "description",
    ["The day.", "YYYY-MM-DD, hh:mm:ss", "From hh:mm", "YYYY-MM/DD", "YYYY-MM", "", "MYYYY-MM-DD"],
)
def test_a_form_that_is_not_wholly_known_is_not_asked_for(description: str) -> None:
    assert pattern_of(description) is None


def test_a_day_with_its_time_is_asked_for_where_a_time_was_said() -> None:
    assert pattern_of("YYYY-MM-DD hh:mm") is None
    pattern = pattern_of("YYYY-MM-DD hh:mm", said="2030-01-31, at 3 pm")
    assert pattern is not None
    assert re.search(pattern, "2030-01-31 15:00")
    assert not re.search(pattern, "2030-01-31 03:00")


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("on 3 May", True),
        ("some day in MAY", True),
        ("the 31st", True),
        ("tomorrow", False),
        ("whenever it suits you", False),
        ("", False),
    ],
)
def test_a_date_in_digits_is_asked_for_only_where_one_was_said(said: str, *, asked: bool) -> None:
    day = of({"day": text("YYYY-MM-DD")}, said=said)["day"]
    assert isinstance(day, dict)
    assert ("pattern" in day) is asked


def test_a_stated_day_is_the_only_one_that_is_asked_for() -> None:
    day = of({"day": text("YYYY-MM-DD")}, said="on 3 May 2030, for a week")["day"]
    assert isinstance(day, dict)
    pattern = day["pattern"]
    assert isinstance(pattern, str)
    assert re.search(pattern, "2030-05-03")
    assert not re.search(pattern, "2030-05-10")


def test_with_fewer_days_stated_than_the_tool_has_dates_the_others_are_reckoned() -> None:
    days = of(
        {"first": text("YYYY-MM-DD"), "last": text("YYYY-MM-DD"), "note": text("Any text")},
        said="on 3 May 2030, for a week",
    )
    for name in ("first", "last"):
        day = days[name]
        assert isinstance(day, dict)
        pattern = day["pattern"]
        assert isinstance(pattern, str)
        assert re.search(pattern, "2030-05-03")
        assert re.search(pattern, "2030-05-10")


# Places


@pytest.mark.parametrize(
    "description",
    [
        "City, State",
        "Location in the form 'city, state'",
        "In the format of 'City, Country', such as 'Seoul, South Korea'",
        "City, state or country, e.g. Denver, CO or Seoul, Korea",
    ],
)
def test_a_place_with_its_state_is_asked_for_where_the_tool_names_that_form(
    description: str,
) -> None:
    assert allows(description, "Denver, CO")
    assert allows(description, "Denver, Colorado")
    assert not allows(description, "Denver")
    assert not allows(description, ", CO")
    assert not allows(description, "Denver, Denver, CO")


@pytest.mark.parametrize(
    "description",
    [
        "The city and state, e.g. San Francisco, CA",
        "Place, e.g. Denver, CO",
        "Where, such as 'Denver, CO'",
        "Where it is, for example, New York, NY",
        "Somewhere like Denver, CO",
    ],
)
def test_a_state_is_asked_for_by_its_code_where_the_tool_s_example_has_one(
    description: str,
) -> None:
    assert allows(description, "Denver, CO")
    assert allows(description, "St. Louis, MO")
    assert not allows(description, "Denver, Colorado")
    assert not allows(description, "Denver, co")
    assert not allows(description, "Denver")


@pytest.mark.parametrize(
    ("description", "states"),
    [
        ("Address in the form 'Street, City, State'", ["CO", "Colorado"]),
        ("The address, e.g. 12 Main Street, Denver, CO, or just City, State", ["CO"]),
    ],
)
def test_an_address_may_stand_before_the_city(description: str, states: list[str]) -> None:
    for state in states:
        assert allows(description, f"Denver, {state}")
        assert allows(description, f"12 Main Street, Denver, {state}")
    assert not allows(description, "12 Main Street")
    assert not allows(description, "Flat 2, 12 Main Street, Denver, CO")


@pytest.mark.parametrize(
    "description",
    [
        "Name of the city",
        "Where to go",
        "The state of things",
        "Colour, e.g. red, or blue",
        "Country, e.g. US, UK",
        "League, e.g. Premier League, La Liga",
        "City and country",
        "The city, state, or zip code",
        "City, state or zip code",
    ],
)
def test_a_place_is_otherwise_written_as_the_user_wrote_it(description: str) -> None:
    assert pattern_of(description) is None


# Codes


@pytest.mark.parametrize(
    ("description", "allowed", "refused"),
    [
        ("ISO 4217 code", "EUR", "euro"),
        ("The 3-letter currency", "USD", "US"),
        ("Country as ISO-3166 alpha-2", "DE", "Germany"),
        ("Country as ISO 3166-1 alpha-3", "DEU", "DE"),
        ("Two-letter state abbreviation", "CO", "Colorado"),
    ],
)
def test_a_code_is_asked_for_where_the_tool_names_its_kind(
    description: str, allowed: str, refused: str
) -> None:
    assert allows(description, allowed)
    assert not allows(description, refused)
    assert not allows(description, allowed.lower())


@pytest.mark.parametrize("name", ["currency", "base_currency", "Target_Currency"])
def test_an_argument_that_is_named_after_a_currency_wants_its_code(name: str) -> None:
    for description in ("", "What to convert to"):
        assert allows(description, "EUR", name=name)
        assert not allows(description, "euro", name=name)
    found = of({name: {"type": "string"}})[name]
    assert found == {"type": "string", "pattern": "^[A-Z]{3}$"}


@pytest.mark.parametrize("name", ["currency_name", "cryptocurrency", "currency_symbol", "code"])
def test_other_arguments_do_not(name: str) -> None:
    assert pattern_of("", name=name) is None
    assert of({name: {"type": "string"}}) == {name: {"type": "string"}}


@pytest.mark.parametrize("description", ["Ticker of the company", "Stock symbol", "A share symbol"])
def test_a_ticker_symbol_is_asked_for_where_the_tool_names_one(description: str) -> None:
    for symbol in ("AAPL", "F", "BRK.B", "BF-B"):
        assert allows(description, symbol)
    for name in ("Apple", "apple", "ALPHABET", "AAPL stock", ""):
        assert not allows(description, name)


# Labels


LABELLED = "What to look for, like 'track:Song Name artist:Artist Name'"


def test_values_are_labelled_where_the_tool_s_example_labels_them() -> None:
    assert pattern_of(LABELLED) == "^track:[^:]+( artist:[^:]+)?$"
    assert allows(LABELLED, "track:Hey Jude artist:The Beatles")
    assert allows(LABELLED, "track:Hey Jude")
    assert not allows(LABELLED, "Hey Jude")
    assert not allows(LABELLED, "artist:The Beatles")
    assert not allows(LABELLED, "track: artist:The Beatles:")


@pytest.mark.parametrize(
    "description",
    [
        "For example 'track:Song Name'",
        "Like track:Song Name artist:Artist Name",
        "Such as 'https://example.org http://Example.org'",
        "'one: Two three: Four'",
    ],
)
def test_a_text_without_labelled_examples_needs_no_labels(description: str) -> None:
    assert pattern_of(description) is None


# In a schema


def test_only_free_texts_get_a_form() -> None:
    properties: JsonObject = {
        "listed": text("YYYY-MM-DD", enum=["2030-01-31"]),
        "formed": text("YYYY-MM-DD", pattern="^2"),
        "dated": text("YYYY-MM-DD", format="date"),
        "counted": {"type": "integer", "description": "YYYY-MM-DD"},
        "either": {"type": ["string", "null"], "description": "YYYY-MM-DD"},
        "silent": {"type": "string"},
        "odd": {"type": "string", "description": 7},
        "any": True,
    }
    assert of(properties) == properties
    free = of({"day": text("YYYY-MM-DD", default="2030-01-31", title="Day")})
    assert isinstance(free["day"], dict)
    assert "pattern" in free["day"]


@pytest.mark.parametrize("schema", [{}, {"type": "object"}, {"properties": ["a"]}])
def test_a_tool_without_parameters_stays_as_it_is(schema: JsonObject) -> None:
    assert with_stated_forms(schema, said="on 3 May") == schema


@given(st.dictionaries(st.sampled_from(NAMES), SCHEMAS), SAID)
def test_nothing_but_patterns_is_added_and_the_tool_itself_is_left_alone(
    properties: JsonObject, said: str
) -> None:
    schema: JsonObject = {"type": "object", "properties": properties, "required": ["a"]}
    before = json.dumps(schema)
    formed = with_stated_forms(schema, said=said)
    assert json.dumps(schema) == before
    assert {**formed, "properties": properties} == schema
    found = formed["properties"]
    assert isinstance(found, dict)
    for name, inner in found.items():
        if isinstance(inner, dict):
            kept = {key: value for key, value in inner.items() if key != "pattern"}
            own = properties[name]
            assert isinstance(own, dict)
            assert own in [inner, kept]
        else:
            assert inner is properties[name]


@given(st.dictionaries(st.sampled_from(NAMES), SCHEMAS), SAID, st.data())
def test_whatever_has_the_stated_form_is_valid_for_the_tool(
    properties: JsonObject, said: str, data: st.DataObject
) -> None:
    schema: JsonObject = {"type": "object", "properties": properties}
    values = data.draw(st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, VALUES)))
    if is_valid_json({**values}, with_stated_forms(schema, said=said)):
        assert is_valid_json({**values}, schema)


@given(st.lists(DESCRIPTIONS | st.text(max_size=20), max_size=3).map(" ".join))
def test_any_description_gives_a_working_pattern_or_none(description: str) -> None:
    patterns = [pattern_of(description, said=said) for said in ("on 3 May at 3 pm", SOME_DAY, "")]
    assert all(pattern is None or re.compile(pattern) for pattern in patterns)


# Kept by the decoder


def decodes(schema: JsonObject, written: str) -> bool:
    """Whether a decoder that may write single bytes can write this text and stop."""
    tokenizer = LLTokenizer("byte")
    lark = constraint_to_lark(JsonSchemaConstraint(schema=schema), literal_prefix="")
    matcher = LLMatcher(tokenizer, lark)
    assert not matcher.is_error(), matcher.get_error()
    return matcher.consume_tokens(tokenizer.tokenize_str(written)) and matcher.is_accepting()


@pytest.mark.parametrize("said", [SOME_DAY, "on January 31st"])
@pytest.mark.parametrize("form", sorted(FORMS))
def test_the_decoder_keeps_to_the_stated_form_of_a_date(form: str, said: str) -> None:
    schema = of({"day": text(form)}, said=said)["day"]
    assert isinstance(schema, dict)
    assert decodes(schema, json.dumps(date(2030, 1, 31).strftime(FORMS[form])))
    assert not decodes(schema, '"3 May"')
    assert not decodes(schema, '""')


def test_the_decoder_keeps_to_the_day_and_time_that_were_said() -> None:
    said = "on 31 January 2030 at 3 in the afternoon"
    schema = of({"at": text("YYYY-MM-DDTHH:MM:SS")}, said=said)["at"]
    assert isinstance(schema, dict)
    assert decodes(schema, '"2030-01-31T15:00:00"')
    assert not decodes(schema, '"2030-01-31T03:00:00"')
    assert not decodes(schema, '"2030-01-30T15:00:00"')


@pytest.mark.parametrize(
    ("description", "written"),
    [
        (LABELLED, "track:Hey Jude artist:The Beatles"),
        ("Ticker", "BRK.B"),
        ("Address, City, State", "12 Main Street, Denver, CO"),
    ],
)
def test_the_decoder_keeps_to_other_stated_forms(description: str, written: str) -> None:
    schema = of({"x": text(description)})["x"]
    assert isinstance(schema, dict)
    assert decodes(schema, json.dumps(written))
    assert not decodes(schema, '"denver"')


def test_the_decoder_keeps_to_the_stated_form_of_a_place() -> None:
    schema = of({"place": text("City, State")})["place"]
    assert isinstance(schema, dict)
    assert decodes(schema, '"Denver, CO"')
    assert decodes(schema, '"Århus, Denmark"')
    assert not decodes(schema, '"Denver"')
