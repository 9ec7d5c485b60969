"""Behaviour of the search for schemas that no value can satisfy."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.messages import JsonObject
from smallhold.tools.contradictions import contradictions


def found(schema: JsonObject) -> list[str]:
    return [str(one) for one in contradictions(schema)]


@pytest.mark.parametrize(
    ("schema", "problem"),
    [
        ({"type": "integer", "minimum": 5, "maximum": 3}, "`minimum` 5 and `maximum` 3 leave no"),
        ({"type": "integer", "exclusiveMinimum": 3, "exclusiveMaximum": 4}, "no whole number"),
        ({"type": "integer", "minimum": 0.2, "maximum": 0.8}, "no whole number"),
        ({"type": "number", "exclusiveMinimum": 3, "maximum": 3}, "leave no number between"),
        ({"type": "string", "minLength": 5, "maxLength": 2}, "`minLength` 5 is above `maxLength`"),
        ({"type": "array", "minItems": 2, "maxItems": 1}, "`minItems` 2 is above `maxItems` 1"),
        ({"type": "object", "minProperties": 2, "maxProperties": 1}, "`minProperties` 2"),
        ({"type": []}, "`type` allows no type"),
        ({"enum": []}, "`enum` has no member"),
        ({"type": "integer", "enum": ["1", "2"]}, 'no member of `enum` is of its type'),
        ({"type": "integer", "enum": [1, 2], "minimum": 3}, "within its bounds: [1, 2]"),
        ({"type": "string", "enum": ["abc"], "maxLength": 2}, "no member of `enum`"),
        ({"const": 3, "enum": [1, 2]}, "`const` 3 is not in `enum`"),
        ({"const": True, "enum": [1]}, "`const` true is not in `enum`"),
        ({"type": "string", "const": 3}, "`const` 3 is not of its type"),
        ({"anyOf": []}, "`anyOf` has no branch"),
        (
            {"type": "object", "properties": {}, "required": ["a"], "additionalProperties": False},
            '"a" is required, but no such property is allowed',
        ),
        ({"required": ["a", "b"], "maxProperties": 1}, "below the 2 required properties"),
    ],
)  # fmt: skip
def test_a_schema_that_contradicts_itself_is_found_with_the_reason(
    schema: JsonObject, problem: str
) -> None:
    problems = found(schema)
    assert len(problems) == 1
    assert problem in problems[0]


SATISFIABLE: list[JsonObject] = [
    {},
    {"type": "integer", "minimum": 3, "maximum": 3},
    {"type": "number", "exclusiveMinimum": 3, "exclusiveMaximum": 4},
    {"type": ["integer", "string"], "enum": ["1"]},
    {"type": "integer", "enum": [1, "1"]},
    {"type": "integer", "const": 2.0},
    {"enum": [None]},
    {"type": "integer", "minimum": 10**400},
    {"anyOf": [{"enum": []}, {"type": "string"}]},
    {"required": ["a"]},
    {"required": ["a"], "additionalProperties": False, "patternProperties": {"a": {}}},
    {"type": "object", "properties": {"enum": {"type": "string"}, "required": {}}},
]


@pytest.mark.parametrize("schema", SATISFIABLE)
def test_a_schema_that_can_be_satisfied_is_left_alone(schema: JsonObject) -> None:
    assert found(schema) == []


def test_the_place_of_a_contradiction_is_named() -> None:
    never: JsonObject = {"enum": []}
    item: JsonObject = {"type": "object", "properties": {"count": never}}
    order: JsonObject = {"type": "object", "properties": {"items": {"items": item}}}
    assert found({"properties": {"order": order}}) == [
        "`order.items[].count`: `enum` has no member"
    ]
    assert found({"prefixItems": [{}, never]}) == ["`[1]`: `enum` has no member"]
    assert found({"additionalProperties": never}) == ["`.*`: `enum` has no member"]


def test_a_union_is_impossible_only_if_all_its_branches_are() -> None:
    never: JsonObject = {"type": "string", "enum": [1]}
    assert len(found({"anyOf": [never, {"enum": []}]})) == 2


BOUND = st.integers(-3, 3)


@given(low=BOUND, high=BOUND, open_low=st.booleans(), open_high=st.booleans())
def test_integer_bounds_contradict_exactly_when_no_integer_is_between(
    *, low: int, high: int, open_low: bool, open_high: bool
) -> None:
    schema: JsonObject = {
        "type": "integer",
        "exclusiveMinimum" if open_low else "minimum": low,
        "exclusiveMaximum" if open_high else "maximum": high,
    }
    fitting = [
        number
        for number in range(-5, 6)
        if (number > low if open_low else number >= low)
        and (number < high if open_high else number <= high)
    ]
    assert bool(found(schema)) is not bool(fitting)


@given(
    st.dictionaries(
        st.sampled_from(["type", "enum", "anyOf", "items", "properties", "required", "minimum"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=3),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner),
            max_leaves=5,
        ),
    )
)
def test_any_json_can_be_searched(schema: dict[str, Any]) -> None:
    before = json.dumps(schema)
    assert all(problem for problem in found(schema))
    assert json.dumps(schema) == before
