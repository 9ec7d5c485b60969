from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.agents.text_calls.loose_values import (
    MAX_DEPTH,
    Read,
    Unfinished,
    Unreadable,
    read_keywords,
    read_value,
)
from smallhold.messages import JsonValue

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), inner)
    ),
    max_leaves=8,
)
CONTAINERS = st.lists(VALUES, max_size=3) | st.dictionaries(st.text("abc "), VALUES, max_size=3)


@given(CONTAINERS, st.booleans(), st.sampled_from(["", " and more", "}", "]"]))
def test_all_json_is_read_as_json_reads_it(value: JsonValue, ascii_only: bool, rest: str) -> None:  # noqa: FBT001 - hypothesis gives it
    text = json.dumps(value, ensure_ascii=ascii_only)
    assert read_value(text + rest) == Read(value=value, end=len(text))


@given(CONTAINERS)
def test_the_beginning_of_json_is_unfinished(value: JsonValue) -> None:
    text = json.dumps(value)
    for end in range(1, len(text)):
        assert isinstance(read_value(text[:end]), Unfinished), text[:end]


@given(
    st.text(st.sampled_from("{}[]\"':,truefalsnN0123.-\\ ab“”"), max_size=40), st.text(max_size=5)
)
def test_what_is_said_of_a_beginning_holds_however_the_text_goes_on(text: str, more: str) -> None:
    before, after = read_value("{" + text), read_value("{" + text + more)
    if not isinstance(before, Unfinished):
        assert after == before


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1,}', {"a": 1}),
        ("[1, 2,]", [1, 2]),
        ("{'a': 'b'}", {"a": "b"}),
        ("{“a”: “b”}", {"a": "b"}),
        ("{„a“: \u2018b\u2019}", {"a": "b"}),
        ("{a: True, b: None, c: False}", {"a": True, "b": None, "c": False}),
        ('{"a": "it\'s"}', {"a": "it's"}),
        ("{'a': 'it's'}", {"a": "it's"}),
        ('{"a": "the "old" lamp"}', {"a": 'the "old" lamp'}),
        ('{"a": "two\nlines"}', {"a": "two\nlines"}),
        ('{"a": +5, "b": .5, "c": 1.}', {"a": 5, "b": 0.5, "c": 1.0}),
        ('\ufeff {"a"\u200b: 1}', {"a": 1}),
        ('{"a": "x", "a": "y"}', {"a": "y"}),
    ],
)
def test_the_slips_of_small_models_are_read(text: str, value: JsonValue) -> None:
    assert read_value(text) == Read(value=value, end=len(text))


@pytest.mark.parametrize(
    "text",
    ["{return 0}", "{a b}", "[1 2]", "{1: 2}", "{a: NaN}", "[1e999]", "{,}", "x", "{a: b}"],
)
def test_what_no_model_means_as_a_value_is_refused(text: str) -> None:
    assert isinstance(read_value(text), Unreadable)


def test_deep_nesting_is_refused_and_not_followed() -> None:
    assert isinstance(read_value("[" * (MAX_DEPTH + 1) + "]"), Unreadable)
    assert isinstance(read_value("[" * 100_000), Unreadable)


def test_an_unfinished_value_says_what_there_is_of_it() -> None:
    cut = read_value('{"name": "stock", "arguments": {"product": "la')
    assert isinstance(cut, Unfinished)
    assert cut.partial == {"name": "stock", "arguments": None}
    assert read_value('{"na') == Unfinished(partial={}, open_name="na")
    assert read_value('{"name": "sto') == Unfinished(partial={"name": "sto"}, open_name="name")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("city='Rome', days=3) and", {"city": "Rome", "days": 3}),
        (")", {}),
        ('"Rome", 3)', {"0": "Rome", "1": 3}),
        ("true, city : 'Rome',)", {"0": True, "city": "Rome"}),
        ("items=[1, {'a': None}])", {"items": [1, {"a": None}]}),
    ],
)
def test_the_arguments_of_a_python_call_are_read(text: str, value: JsonValue) -> None:
    reading = read_keywords(text, 0)
    assert isinstance(reading, Read)
    assert reading.value == value
    assert text[: reading.end].endswith(")")


@pytest.mark.parametrize("text", ["a=1", "a", "a=", "'Ro", "a=[1"])
def test_arguments_without_their_end_are_unfinished(text: str) -> None:
    assert isinstance(read_keywords(text, 0), Unfinished)


@pytest.mark.parametrize("text", ["a=b)", "a b)", "f(x))"])
def test_arguments_that_would_have_to_be_computed_are_refused(text: str) -> None:
    assert isinstance(read_keywords(text, 0), Unreadable)
