"""Behaviour of the compaction of JSON Schemas."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.exceptions import UnsupportedSchemaError
from smallhold.messages import JsonObject, JsonValue
from smallhold.tools.json_schema import compact_schema

NULL: JsonObject = {"type": "null"}
POINT: JsonObject = {
    "type": "object",
    "title": "Point",
    "description": "A point on\nthe map.\n\nFor maintainers.",
    "properties": {"x": {"type": "integer", "title": "X"}},
    "required": ["x"],
}
COMPACT_POINT: JsonObject = {
    "type": "object",
    "description": "A point on the map.",
    "properties": {"x": {"type": "integer"}},
    "required": ["x"],
    "additionalProperties": False,
}


def compact(schema: JsonObject, **definitions: JsonValue) -> JsonObject:
    return compact_schema(schema, definitions=definitions)


def test_a_title_is_dropped_but_a_property_named_title_is_kept() -> None:
    schema: JsonObject = {
        "type": "object",
        "title": "Book",
        "properties": {"title": {"type": "string", "title": "Title"}},
    }
    assert compact(schema)["properties"] == {"title": {"type": "string"}}


def test_references_are_written_out_with_the_first_paragraph_of_their_description() -> None:
    assert compact({"$ref": "#/$defs/Point"}, Point=POINT) == COMPACT_POINT


def test_words_beside_a_reference_win_over_those_of_its_target() -> None:
    schema: JsonObject = {"$ref": "#/$defs/Point", "description": "Where to deliver."}
    assert compact(schema, Point=POINT) == COMPACT_POINT | {"description": "Where to deliver."}


def test_references_are_written_out_inside_lists_maps_and_unions() -> None:
    reference: JsonObject = {"$ref": "#/$defs/Point"}
    cases: list[tuple[JsonObject, JsonObject]] = [
        ({"type": "array", "items": reference}, {"type": "array", "items": COMPACT_POINT}),
        ({"anyOf": [reference, NULL]}, {"anyOf": [COMPACT_POINT, NULL]}),
        ({"additionalProperties": reference}, {"additionalProperties": COMPACT_POINT}),
        ({"prefixItems": [reference]}, {"prefixItems": [COMPACT_POINT]}),
    ]
    for schema, expected in cases:
        assert compact(schema, Point=POINT) == expected


def test_a_definition_used_twice_is_not_taken_for_a_recursive_one() -> None:
    schema: JsonObject = {"prefixItems": [{"$ref": "#/$defs/Point"}, {"$ref": "#/$defs/Point"}]}
    assert compact(schema, Point=POINT) == {"prefixItems": [COMPACT_POINT, COMPACT_POINT]}


def test_a_definition_that_contains_itself_is_refused_by_name() -> None:
    node: JsonObject = {"type": "array", "items": {"$ref": "#/$defs/Node"}}
    with pytest.raises(UnsupportedSchemaError, match="Node"):
        compact({"$ref": "#/$defs/Node"}, Node=node)


def test_an_optional_value_that_may_be_left_out_needs_no_null() -> None:
    optional: JsonObject = {"anyOf": [{"type": "string"}, NULL], "default": None}
    assert compact(optional | {"description": "d"}) == {"type": "string", "description": "d"}


def test_an_optional_object_that_may_be_left_out_needs_no_null() -> None:
    schema: JsonObject = {"anyOf": [{"$ref": "#/$defs/Point"}, NULL], "default": None}
    assert compact(schema, Point=POINT) == COMPACT_POINT


def test_an_optional_union_loses_only_its_null() -> None:
    kinds: list[JsonValue] = [{"type": "string"}, {"type": "integer"}]
    assert compact({"anyOf": [*kinds, NULL], "default": None}) == {"anyOf": kinds}


def test_null_stays_where_it_is_not_the_default() -> None:
    schema: JsonObject = {"anyOf": [{"type": "string"}, NULL], "default": "x"}
    assert compact(schema) == schema


def test_what_a_grammar_cannot_enforce_is_dropped() -> None:
    schema: JsonObject = {"type": "array", "items": {"type": "string", "format": "path"}}
    assert compact(schema | {"uniqueItems": True}) == {"type": "array", "items": {"type": "string"}}


def test_limits_patterns_and_standard_formats_are_kept() -> None:
    schemas: list[JsonObject] = [
        {"type": "integer", "minimum": 1, "maximum": 9, "default": 3},
        {"type": "string", "pattern": "^a", "minLength": 1},
        {"type": "string", "format": "date-time"},
        {"type": "string", "enum": ["title", "$ref"]},
        {"const": "title"},
    ]
    for schema in schemas:
        assert compact(schema) == schema


def test_a_union_told_apart_by_a_constant_becomes_a_plain_union() -> None:
    schema: JsonObject = {"oneOf": [NULL], "discriminator": {"propertyName": "kind"}}
    assert compact(schema) == {"anyOf": [NULL]}


def test_type_and_description_come_first() -> None:
    schema: JsonObject = {"minimum": 1, "description": "d", "type": "integer"}
    assert list(compact(schema)) == ["type", "description", "minimum"]


LEAVES: list[JsonObject] = [
    {"type": "integer", "title": "N"},
    {"type": "string", "format": "binary"},
    {"anyOf": [{"type": "string"}, NULL], "default": None},
    {"$ref": "#/$defs/Point", "title": "P"},
    {"enum": ["a", "b"]},
]
NAMES = st.sampled_from(["title", "default", "format", "$defs"])


def array_of(item: JsonObject) -> JsonObject:
    return {"type": "array", "items": item, "title": "L"}


def object_of(properties: dict[str, JsonObject]) -> JsonObject:
    return {"type": "object", "properties": {**properties}, "title": "O"}


def union_of(branches: list[JsonObject]) -> JsonObject:
    return {"anyOf": [*branches]}


def containers(inner: st.SearchStrategy[JsonObject]) -> st.SearchStrategy[JsonObject]:
    return st.one_of(
        inner.map(array_of),
        st.dictionaries(NAMES, inner).map(object_of),
        st.lists(inner, min_size=2, max_size=3).map(union_of),
    )


SCHEMAS = st.recursive(st.sampled_from(LEAVES), containers, max_leaves=8)


@given(SCHEMAS)
def test_compacting_leaves_its_input_alone_and_twice_is_the_same_as_once(
    schema: JsonObject,
) -> None:
    before = copy.deepcopy(schema)
    once = compact(schema, Point=POINT)
    assert schema == before
    assert compact(once) == once
    assert "$ref" not in json.dumps(once)
