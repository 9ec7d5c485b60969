from __future__ import annotations

from copy import deepcopy

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smallhold.agents.argument_schema import MAX_DECODED_INTEGER, bounded_schema
from smallhold.evals.json_schema import is_valid_json
from smallhold.messages import JsonObject, JsonValue

NAMES: tuple[str, ...] = ("a", "b", "type")
EDGE = MAX_DECODED_INTEGER


def json_values() -> st.SearchStrategy[JsonValue]:
    integers = st.sampled_from([0, 1, -3, EDGE, EDGE + 1, -EDGE, -EDGE - 1, 10**30])
    leaves: st.SearchStrategy[JsonValue] = st.one_of(
        integers, st.booleans(), st.none(), st.sampled_from(["", "x"]), st.just(1.5)
    )
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, max_size=2), st.dictionaries(st.sampled_from(NAMES), inner, max_size=3)
        ),
        max_leaves=5,
    )


@st.composite
def integer_schemas(draw: st.DrawFn) -> JsonObject:
    schema: JsonObject = {"type": "integer"}
    bounds = st.sampled_from([-EDGE - 5, 0, 5, EDGE + 5])
    for key in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
        if draw(st.integers(0, 3)) == 0:
            schema[key] = draw(bounds)
    return schema


def leaf_schemas() -> st.SearchStrategy[JsonObject]:
    plain: list[JsonObject] = [
        {},
        {"type": "string"},
        {"type": "boolean"},
        {"type": "number"},
        {"type": ["integer", "null"]},
        {"type": "integer", "enum": [1, 10**30]},
        {"const": 10**30, "type": "integer"},
    ]
    return st.one_of(st.sampled_from(plain), integer_schemas())


@st.composite
def object_schemas(draw: st.DrawFn, inner: st.SearchStrategy[JsonObject]) -> JsonObject:
    properties = draw(st.dictionaries(st.sampled_from(NAMES), inner, max_size=2))
    schema: JsonObject = {"type": "object", "properties": {**properties}}
    if draw(st.booleans()):
        schema["required"] = [*draw(st.sets(st.sampled_from(NAMES), max_size=2))]
    if draw(st.booleans()):
        schema["additionalProperties"] = draw(st.one_of(st.booleans(), inner))
    return schema


def with_one(part: tuple[str, JsonObject]) -> JsonObject:
    keyword, schema = part
    return {keyword: schema}


def with_many(parts: tuple[str, list[JsonObject]]) -> JsonObject:
    keyword, branches = parts
    return {keyword: [*branches]}


def schemas() -> st.SearchStrategy[JsonObject]:
    def nested(inner: st.SearchStrategy[JsonObject]) -> st.SearchStrategy[JsonObject]:
        branches = st.lists(inner, min_size=1, max_size=2)
        return st.one_of(
            object_schemas(inner),
            st.tuples(st.sampled_from(["items", "not"]), inner).map(with_one),
            st.tuples(st.sampled_from(["prefixItems", "anyOf", "oneOf"]), branches).map(with_many),
        )

    return st.recursive(leaf_schemas(), nested, max_leaves=5)


BRANCHES: JsonObject = {
    "oneOf": [
        {"type": "object", "properties": {"a": {}}},
        {"type": "object", "properties": {"b": {}}, "additionalProperties": False},
    ]
}


@given(schemas(), json_values())
@example(BRANCHES, {"b": 1})
@example({"not": {"type": "integer"}}, 10**30)
def test_what_is_valid_after_narrowing_was_valid_before(
    schema: JsonObject, value: JsonValue
) -> None:
    if is_valid_json(value, bounded_schema(schema)):
        assert is_valid_json(value, schema)


@given(schemas())
def test_narrowing_twice_is_narrowing_once_and_changes_no_original(schema: JsonObject) -> None:
    before = deepcopy(schema)
    narrowed = bounded_schema(schema)
    assert bounded_schema(narrowed) == narrowed
    assert schema == before


def test_an_invented_field_is_refused_at_every_depth() -> None:
    inner: JsonObject = {"type": "object", "properties": {"a": {"type": "string"}}}
    schema: JsonObject = {
        "type": "object",
        "properties": {"list": {"type": "array", "items": {"anyOf": [inner]}}},
    }
    narrowed = bounded_schema(schema)
    assert is_valid_json({"list": [{"a": "x"}]}, narrowed)
    assert is_valid_json({"list": [{"b": "x"}]}, schema)
    assert not is_valid_json({"list": [{"b": "x"}]}, narrowed)
    assert not is_valid_json({"other": 1}, narrowed)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object"},
        {"type": "object", "properties": {}, "additionalProperties": {"type": "string"}},
        {"type": "object", "properties": {}, "required": ["x"]},
    ],
)
def test_an_object_with_fields_of_its_own_choice_stays_open(schema: JsonObject) -> None:
    assert is_valid_json({"x": "any"}, bounded_schema(schema))


@pytest.mark.parametrize(
    ("schema", "inside", "outside"),
    [
        ({"type": "integer"}, EDGE, EDGE + 1),
        ({"type": "integer"}, -EDGE, -EDGE - 1),
        ({"type": "integer", "minimum": 3}, 3, EDGE + 1),
        ({"type": "integer", "exclusiveMaximum": 3}, -EDGE, -EDGE - 1),
    ],
)
def test_an_integer_cannot_go_on_for_ever(schema: JsonObject, inside: int, outside: int) -> None:
    narrowed = bounded_schema(schema)
    assert is_valid_json(inside, narrowed)
    assert is_valid_json(outside, schema)
    assert not is_valid_json(outside, narrowed)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "integer", "enum": [10**30]},
        {"type": "integer", "const": 10**30},
        {"type": "integer", "maximum": 10**30, "minimum": 10**30},
        {"type": "integer", "minimum": 10**30},
        {"type": "integer", "exclusiveMinimum": 10**29},
    ],
)
def test_a_large_integer_that_the_tool_asks_for_is_kept(schema: JsonObject) -> None:
    assert is_valid_json(10**30, bounded_schema(schema))


def test_a_property_may_bear_the_name_of_a_keyword() -> None:
    schema: JsonObject = {
        "type": "object",
        "properties": {"items": {"type": "integer"}, "properties": {"type": "string"}},
    }
    narrowed = bounded_schema(schema)
    assert is_valid_json({"items": 3, "properties": "x"}, narrowed)
    assert not is_valid_json({"items": EDGE + 1}, narrowed)
