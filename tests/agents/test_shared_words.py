from __future__ import annotations

import math
import string
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.agents.shared_words import mentioned_at, shared_words
from smallhold.messages import JsonObject, JsonValue, ToolSchema

SHARES = ("name_shared", "message_shared", "message_covered")
COUNTS = ("shared", "described", "parameters")
ASCII = st.text(alphabet=string.ascii_lowercase + " _.,5", max_size=40)
WORDS = st.lists(
    st.sampled_from(["book", "table", "hotel", "weather", "the", "of", "please", "lamps"]),
    max_size=6,
).map(" ".join)
PARAMETERS: st.SearchStrategy[JsonObject] = st.dictionaries(
    st.sampled_from(["city", "days", "type"]),
    st.recursive(
        st.none() | st.booleans() | st.integers() | WORDS,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["enum", "hotel", "properties"]), inner, max_size=3)
        ),
        max_leaves=6,
    ),
    max_size=3,
)


def tool(
    name: str = "book_table",
    description: str = "Reserve seats.",
    parameters: JsonObject | None = None,
) -> ToolSchema:
    return ToolSchema(name=name, description=description, parameters=parameters or {})


TOOLS = st.builds(tool, WORDS.map(lambda words: words.replace(" ", "_")), WORDS, PARAMETERS)


# Which words are the same


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("Book a table", "book_table"),
        ("BOOK two TABLES", "book_table"),
        ("book a table", "bookTable"),
        ("book a table", "BookTable"),
        ("book a table", "restaurant.book-table"),
        ("a conversion", "convert"),
        ("two bookings", "booking"),
    ],
)
def test_words_are_found_in_any_case_ending_and_spelling_of_a_name(said: str, name: str) -> None:
    assert shared_words(said, tool(name))["name_shared"] >= 2 / 3


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("Where is my order?", "book_table"),
        ("bookcases and tabloids", "book_table"),
        ("get the what for", "get_the_what_for"),
        ("it is on", "it_is_on"),
        ("", "book_table"),
        ("book a table", ""),
        ("?!", "__"),
    ],
)
def test_other_words_and_words_that_say_nothing_are_not_shared(said: str, name: str) -> None:
    shared = shared_words(said, tool(name, description=""))
    assert shared["name_shared"] == shared["message_shared"] == shared["shared"] == 0.0


def test_words_of_any_script_count() -> None:
    assert shared_words("погода в Осло", tool("погода"))["name_shared"] == 1.0


# What is counted


def test_the_description_counts_for_the_message_but_not_for_the_name() -> None:
    shared = shared_words("seats tonight", tool("book_table", "Reserve seats."))
    assert shared["name_shared"] == 0.0
    assert shared["message_shared"] == pytest.approx(1 / 2)
    assert shared["shared"] == pytest.approx(math.log(2))
    assert shared["described"] == pytest.approx(math.log(3))


@pytest.mark.parametrize(
    "parameters",
    [
        {"properties": {"tonight": {}}},
        {"properties": {"time": {"description": "Such as tonight"}}},
        {"properties": {"time": {"enum": ["noon", "tonight"]}}},
        {"properties": {"times": {"items": {"anyOf": [{"const": "tonight"}]}}}},
    ],
)
def test_names_and_texts_of_parameters_cover_a_message_at_any_depth(parameters: JsonObject) -> None:
    bare, known = (
        shared_words("seats tonight", tool(parameters=schema)) for schema in (None, parameters)
    )
    assert bare["message_covered"] == pytest.approx(1 / 2)
    assert known["message_covered"] == 1.0
    assert known["message_shared"] == bare["message_shared"]
    assert known["parameters"] > bare["parameters"] == 0.0


def test_a_word_that_is_said_twice_counts_once() -> None:
    assert shared_words("book book table", tool()) == shared_words("book table", tool())


# Whatever is said


@given(st.text(max_size=60) | WORDS, TOOLS)
def test_shares_are_between_none_and_all_and_counts_are_finite(
    said: str, offered: ToolSchema
) -> None:
    shared = shared_words(said, offered)
    assert set(shared) == {*SHARES, *COUNTS}
    assert all(0.0 <= shared[name] <= 1.0 for name in SHARES)
    assert all(0.0 <= shared[name] < math.inf for name in COUNTS)
    assert shared["message_shared"] <= shared["message_covered"]


@given(ASCII, ASCII, ASCII)
def test_capitals_alone_change_nothing(said: str, name: str, description: str) -> None:
    lower = shared_words(said, tool(name, description))
    assert shared_words(said.upper(), tool(name, description)) == lower
    assert shared_words(said, tool(name.upper(), description.upper())) == lower


@given(WORDS, WORDS, TOOLS)
def test_saying_more_never_shares_less_of_a_name(said: str, more: str, offered: ToolSchema) -> None:
    before, after = shared_words(said, offered), shared_words(f"{said} {more}", offered)
    assert after["name_shared"] >= before["name_shared"]
    assert after["shared"] >= before["shared"]


@given(TOOLS)
def test_a_message_that_repeats_a_description_is_wholly_about_the_tool(
    offered: ToolSchema,
) -> None:
    shared = shared_words(f"{offered.name} {offered.description}", offered)
    has_words = shared["shared"] > 0.0
    assert shared["message_shared"] == float(has_words)
    assert shared["message_covered"] == float(has_words)


def test_long_messages_and_schemas_are_read_in_no_time() -> None:
    nested: JsonValue = "seats"
    for _ in range(100):
        nested = {"properties": [nested, "table " * 100]}
    offered = tool(parameters={"properties": nested})
    started_s = time.monotonic()
    for text in ("x" * 100_000, "aA" * 50_000, "a " * 50_000, "_" * 100_000, "book " * 20_000):
        shared_words(text, offered)
    assert time.monotonic() - started_s < 1


def test_a_tool_is_the_earlier_mentioned_the_nearer_to_nought() -> None:
    hotel = tool("book_hotel", "Find a room.")
    weather = tool("weather_report", "How warm it is.")
    text = "Some hotel in Oslo, and the weather there"
    assert 0.0 < mentioned_at(text, hotel) < mentioned_at(text, weather) < 1.0
    assert mentioned_at("Hotel", tool("hotel", "")) == 0.0


@given(ASCII)
def test_a_tool_that_a_text_does_not_speak_of_is_at_its_end(text: str) -> None:
    assert mentioned_at(text, tool("qqqqq", "Zzzzz.")) == 1.0
