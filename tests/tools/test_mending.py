"""Behaviour of the mending of slips that leave no doubt."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.messages import JsonObject, JsonValue
from smallhold.tools.mending import mended

INTEGER: JsonObject = {"type": "integer"}
NUMBER: JsonObject = {"type": "number"}
BOOLEAN: JsonObject = {"type": "boolean"}
STRING: JsonObject = {"type": "string"}
DATE: JsonObject = {"type": "string", "format": "date"}
NULL: JsonObject = {"type": "null"}
SIZES: JsonObject = {"type": "string", "enum": ["small", "extra large"]}
STRINGS: JsonObject = {"type": "array", "items": STRING}
POINT: JsonObject = {
    "type": "object",
    "properties": {"x": INTEGER, "tags": STRINGS},
    "required": ["x"],
    "additionalProperties": False,
}


def full_width(text: str) -> str:
    """Spell ASCII as East Asian keyboards do, which looks the same and is not."""
    return "".join(chr(ord(letter) + 0xFEE0) for letter in text)


@pytest.mark.parametrize(
    ("schema", "written", "expected"),
    [
        (INTEGER, "3", 3),
        (INTEGER, " -3.0 ", -3),
        (INTEGER, 3.0, 3),
        (INTEGER, full_width("3"), 3),
        (INTEGER, "1\u200b0\u00a0", 10),
        (INTEGER, "\u22125", -5),
        (NUMBER, "2.5", 2.5),
        (NUMBER, "1e3", 1000.0),
        (NUMBER, full_width("7.5"), 7.5),
        (NUMBER, "4", 4),
        (BOOLEAN, "True", True),
        (BOOLEAN, "no", False),
        (BOOLEAN, 1, True),
        (STRING, 1042, "1042"),
        (STRING, 1.5, "1.5"),
        (SIZES, "Small", "small"),
        (SIZES, "extra_large", "extra large"),
        (SIZES, "Extra\u00a0 Large", "extra large"),
        (SIZES, full_width("small") + "\u200d", "small"),
        ({"enum": ["1", "2"]}, 2, "2"),
        ({"enum": [1, 2]}, "2", 2),
        ({"const": "go"}, "GO", "go"),
        (DATE, "3 May 2024", "2024-05-03"),
        (DATE, 20240503, "2024-05-03"),
        (DATE, full_width("2024") + "/5/3", "2024-05-03"),
        ({"type": "string", "format": "date-time"}, "2024/5/3 14:30", "2024-05-03T14:30:00"),
        (STRINGS, "milk", ["milk"]),
        (STRINGS, '["milk", "eggs"]', ["milk", "eggs"]),
        (STRINGS, [1, "b"], ["1", "b"]),
        ({"type": "array", "items": INTEGER}, "7", [7]),
        ({"type": "array", "items": POINT}, {"x": "1"}, [{"x": 1}]),
        ({"type": "array", "prefixItems": [INTEGER, STRING]}, ["1", 2], [1, "2"]),
        (POINT, {"x": "1", "tags": "a"}, {"x": 1, "tags": ["a"]}),
        (POINT, '{"x": 1}', {"x": 1}),
        ({"type": "object", "additionalProperties": INTEGER}, {"a": "1"}, {"a": 1}),
        ({"anyOf": [INTEGER, NULL]}, "3", 3),
        ({"anyOf": [DATE, NULL]}, "2024/5/3", "2024-05-03"),
        ({"anyOf": [POINT, NULL]}, {"x": "1"}, {"x": 1}),
        ({"type": ["integer", "null"]}, "3", 3),
    ],
)
def test_a_slip_that_leaves_no_doubt_is_mended(
    schema: JsonObject, written: JsonValue, expected: JsonValue
) -> None:
    assert json.dumps(mended(written, schema)) == json.dumps(expected)


@pytest.mark.parametrize(
    ("schema", "written"),
    [
        (INTEGER, "1,000"),
        (INTEGER, "1.5"),
        (INTEGER, "3²"),
        (INTEGER, "three"),
        (INTEGER, "9" * 400),
        (INTEGER, 1e300),
        (INTEGER, True),
        (INTEGER, None),
        (NUMBER, "1e999"),
        (NUMBER, "nan"),
        (NUMBER, True),
        (BOOLEAN, "perhaps"),
        (BOOLEAN, 2),
        (STRING, True),
        (STRING, full_width("full")),
        (SIZES, "large"),
        (SIZES, None),
        ({"enum": ["a", "A"]}, "\u0430"),
        ({"enum": ["a b", "a-b"]}, "A_B"),
        ({"enum": ["-", "+"]}, " "),
        (DATE, "03/05/2024"),
        (DATE, 1714694400),
        ({"type": "string", "format": "date-time"}, "2024-05-03"),
        ({"type": "string", "format": "duration"}, 3600),
        (STRINGS, "milk, eggs"),
        (STRINGS, None),
        (STRINGS, "[not json"),
        ({"type": "array", "items": INTEGER}, "many"),
        ({"type": "array", "prefixItems": [INTEGER]}, 1),
        (POINT, "x=1"),
        (POINT, {"x": 1, "y": "2"}),
        ({"anyOf": [INTEGER, STRING]}, "3"),
        ({"anyOf": [INTEGER, {"type": "array", "items": INTEGER}]}, "3"),
        ({}, "3"),
    ],
)
def test_what_could_be_meant_otherwise_is_left_alone(schema: JsonObject, written: Any) -> None:
    assert json.dumps(mended(written, schema)) == json.dumps(written)


def test_objects_of_a_union_are_told_apart_by_their_constants() -> None:
    cat: JsonObject = {"type": "object", "properties": {"is": {"const": "cat"}, "n": INTEGER}}
    dog: JsonObject = {"type": "object", "properties": {"is": {"const": "dog"}, "n": STRING}}
    schema: JsonObject = {"anyOf": [cat, dog]}
    assert mended({"is": "cat", "n": "1"}, schema) == {"is": "cat", "n": 1}
    assert mended({"is": "dog", "n": "1"}, schema) == {"is": "dog", "n": "1"}


def test_text_that_is_nested_without_end_is_left_as_text() -> None:
    deep = "[" * 500 + "]" * 500
    assert mended(deep, STRINGS) == deep
    assert mended("[" * 100_000, {"type": "array", "items": INTEGER}) == "[" * 100_000


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xyz"), inner),
    max_leaves=6,
)
SCHEMAS = st.sampled_from([
    INTEGER, NUMBER, BOOLEAN, STRING, DATE, SIZES, STRINGS, POINT,
    {"anyOf": [INTEGER, NULL]}, {"anyOf": [POINT, STRINGS]}, {"enum": [1, "1", True]},
])  # fmt: skip


@given(JSON, SCHEMAS)
def test_mending_twice_is_the_same_as_once_and_never_fails(
    written: JsonValue, schema: JsonObject
) -> None:
    before = json.dumps(written)
    once = mended(written, schema)
    assert json.dumps(mended(once, schema)) == json.dumps(once)
    assert json.dumps(written) == before


@given(st.integers(), st.text(), st.lists(st.text()))
def test_what_fits_its_schema_stays_as_it_is(number: int, text: str, texts: list[str]) -> None:
    fitting: list[tuple[Any, JsonObject]] = [
        (number, INTEGER), (number, NUMBER), (text, STRING), (texts, STRINGS), (True, BOOLEAN),
    ]  # fmt: skip
    for value, schema in fitting:
        assert json.dumps(mended(value, schema)) == json.dumps(value)
