"""Promises of `smallhold.tools.mcp.value_checks`: this file holds tests of what fits a schema."""

from __future__ import annotations

import pytest
from hypothesis import given
from tests.tools.mcp.schema_strategies import OURS, VALUES, is_valid

from smallhold.messages import JsonObject, JsonValue
from smallhold.tools.mcp.value_checks import Misfit, fits, misfits

ORDER: JsonObject = {
    "type": "object",
    "properties": {
        "count": {"type": "integer", "minimum": 1},
        "size": {"enum": ["s", "m"]},
        "lines": {"type": "array", "items": {"type": "object", "properties": {
            "name": {"type": "string", "maxLength": 5},
        }, "required": ["name"]}},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
    },
    "required": ["count"],
    "additionalProperties": False,
}  # fmt: skip


@pytest.mark.parametrize(
    ("value", "place", "problem"),
    [
        ({}, "count", "is required but was left out"),
        ({"count": "x"}, "count", "must be a whole number"),
        ({"count": 0}, "count", "must be >= 1"),
        ({"count": True}, "count", "must be a whole number"),
        ({"count": 1, "size": "l"}, "size", 'must be one of "s", "m"'),
        (
            {"count": 1, "lines": [{"name": "a"}, {}]},
            "lines[1].name",
            "is required but was left out",
        ),
        (
            {"count": 1, "lines": [{"name": "long one"}]},
            "lines[0].name",
            "must have at most 5 characters",
        ),
        ({"count": 1, "note": 5}, "note", "must be a string or null"),
        ({"count": 1, "more": 5}, "more", "does not exist (known: count, size, lines, note)"),
        ([], "", "must be an object"),
    ],
)  # fmt: skip
def test_a_misfit_is_told_with_its_place(value: JsonValue, place: str, problem: str) -> None:
    assert list(misfits(value, ORDER)) == [Misfit(place=place, problem=problem)]


def test_of_a_union_the_branch_that_was_meant_is_told() -> None:
    schema: JsonObject = {"anyOf": [
        {"type": "null"}, {"type": "object", "properties": {"a": {"type": "integer"}}},
    ]}  # fmt: skip
    assert list(misfits({"a": "x"}, schema)) == [
        Misfit(place="a", problem="must be a whole number")
    ]


def test_numbers_are_compared_as_json_does() -> None:
    assert fits(1.0, {"const": 1})
    assert not fits([True], {"const": [1]})
    assert not fits([0], {"enum": [[False]]})
    assert fits({"a": [1]}, {"const": {"a": [1.0]}})
    assert fits(0.3, {"type": "number", "multipleOf": 0.1})
    assert not fits(0.35, {"type": "number", "multipleOf": 0.1})
    assert not fits(10**400, {"type": "integer", "maximum": 5})


def test_a_pattern_is_never_run() -> None:
    evil: JsonObject = {"type": "string", "pattern": "^(a+)+$"}
    assert fits("a" * 40 + "!", evil)


@given(VALUES, OURS)
def test_it_agrees_with_the_reference_implementation(value: JsonValue, schema: JsonObject) -> None:
    assert fits(value, schema) == is_valid(value, schema)
