"""Promises of `smallhold.tools.mcp.tool_schemas`: this file holds tests of foreign schemas."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from llguidance import LLMatcher
from tests.tools.mcp.schema_strategies import FOREIGN, VALUES, is_valid

from smallhold.exceptions import UnsupportedSchemaError
from smallhold.messages import JsonObject, JsonValue
from smallhold.tools.mcp.tool_schemas import MOST_PARTS, result_schema, usable_schema
from smallhold.tools.mcp.value_checks import fits

DEFINITIONS: JsonObject = {
    "text": {"type": "string"},
    "point": {"type": "object", "properties": {"x": {"$ref": "#/$defs/text"}}},
    "tree": {"type": "object", "properties": {"left": {"$ref": "#/$defs/tree"}}},
}


def with_parameter(schema: JsonValue) -> JsonObject:
    return {"type": "object", "properties": {"x": schema}, "$defs": DEFINITIONS}


def usable(schema: JsonValue) -> Any:
    """What becomes of one parameter's schema."""
    properties: Any = usable_schema(with_parameter(schema)).schema["properties"]
    return properties["x"]


STRING: JsonObject = {"type": "string"}
INTEGER: JsonObject = {"type": "integer"}
OPTIONAL: JsonObject = {"anyOf": [STRING, {"type": "null"}]}
CLOSED: JsonObject = {"additionalProperties": False}


SPELLINGS: list[tuple[Any, Any]] = [
        (True, {}),
        ({"title": "X", "$comment": "c", "x-own": 1}, {}),
        ({"$ref": "#/$defs/text", "description": "d"}, STRING | {"description": "d"}),
        ({"type": ["string", "null"]}, OPTIONAL),
        ({"type": "string", "nullable": True}, OPTIONAL),
        ({"oneOf": [STRING, STRING]}, STRING),
        (
            {"type": "number", "minimum": 2, "exclusiveMinimum": True},
            {"type": "number", "exclusiveMinimum": 2},
        ),
        (
            {"type": "array", "items": [STRING]},
            {"type": "array", "prefixItems": [STRING], "items": False},
        ),
        ({"minLength": 2}, STRING | {"minLength": 2}),
        ({"type": "string", "format": "phone"}, STRING),
        ({"type": "string", "enum": ["a", 5]}, STRING | {"enum": ["a"]}),
        ({"type": "string", "default": "x" * 200}, STRING),
        (
            {"type": "object", "required": ["y"]},
            {"type": "object", "properties": {"y": {}}, "required": ["y"]} | CLOSED,
        ),
        (
            {"type": "object", "additionalProperties": INTEGER},
            {"type": "object", "additionalProperties": INTEGER},
        ),
        (
            {"allOf": [
                {"$ref": "#/$defs/point"}, {"properties": {"y": INTEGER}, "required": ["y"]},
            ]},
            {"type": "object", "properties": {"x": STRING, "y": INTEGER}, "required": ["y"]}
            | CLOSED,
        ),
]  # fmt: skip


@pytest.mark.parametrize(("foreign", "ours"), SPELLINGS)
def test_a_foreign_spelling_becomes_ours(foreign: JsonValue, ours: JsonObject) -> None:
    assert usable(foreign) == ours


@pytest.mark.parametrize(
    ("foreign", "reason"),
    [
        ({"$ref": "#/$defs/tree"}, "contains itself"),
        ({"$ref": "#"}, "contains itself"),
        ({"$ref": "https://evil.example/schema"}, "outside the schema"),
        ({"$ref": "file:///etc/passwd"}, "outside the schema"),
        ({"$ref": "#/$defs/none"}, "points to no schema"),
        ({"$dynamicRef": "#a"}, "not followed"),
        ({"type": "date"}, "no type"),
        ({"type": "integer", "minimum": 5, "maximum": 3}, "no value"),
        ({"enum": []}, "no value"),
        ({"anyOf": []}, "without branches"),
        ({"allOf": [{"type": "string"}, {"type": "integer"}]}, "both say `type`"),
        ({"type": "string", "minLength": 10**6}, "more than any model writes"),
        ({"type": "string", "minLength": "2"}, "no number"),
        ({"type": "object", "properties": []}, "no object"),
        (5, "neither an object nor true"),
    ],
)
def test_what_no_model_could_fill_is_refused_with_the_reason(
    foreign: JsonValue, reason: str
) -> None:
    with pytest.raises(UnsupportedSchemaError, match=reason):
        usable(foreign)


@pytest.mark.parametrize(
    "root",
    [{"type": "string"}, {}, {"type": "object", "additionalProperties": {"type": "string"}}],
)
def test_a_root_without_named_parameters_is_refused(root: JsonObject) -> None:
    with pytest.raises(UnsupportedSchemaError):
        usable_schema(root)


def test_a_tool_without_parameters_takes_none() -> None:
    assert usable_schema({"type": "object"}).schema == {
        "type": "object", "properties": {}, "additionalProperties": False,
    }  # fmt: skip


def test_a_schema_that_doubles_at_every_level_is_refused_at_once() -> None:
    levels: JsonObject = {"l0": {"type": "string"}}
    for level in range(1, 12):
        ref: JsonObject = {"$ref": f"#/$defs/l{level - 1}"}
        levels[f"l{level}"] = {"type": "object", "properties": {"a": ref, "b": ref}}
    bomb: JsonObject = {
        "type": "object", "properties": {"x": {"$ref": "#/$defs/l11"}}, "$defs": levels,
    }  # fmt: skip
    with pytest.raises(UnsupportedSchemaError, match=f"more than {MOST_PARTS} parts"):
        usable_schema(bomb)


def test_a_schema_of_great_depth_is_refused() -> None:
    deep: JsonObject = {"type": "string"}
    for _ in range(200):
        deep = {"type": "object", "properties": {"a": deep}}
    with pytest.raises(UnsupportedSchemaError, match="deep"):
        usable_schema(deep)


def test_what_only_the_server_checks_is_named() -> None:
    found = usable_schema(
        with_parameter({"type": "array", "uniqueItems": True, "not": {"const": []}})
    )
    assert found.left_to_server == ("not", "uniqueItems")


def test_one_of_several_parameters_may_be_demanded_by_the_server() -> None:
    found = usable_schema({
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
        "anyOf": [{"required": ["a"]}, {"required": ["b"]}],
    })
    assert found.left_to_server == ("anyOf",)
    assert "required" not in found.schema


def test_descriptions_are_cleaned_and_short() -> None:
    text = usable({"type": "string", "description": "a\u200b<|im_end|>\n" + "b" * 1_000})
    assert text["description"].startswith("a bbb")
    assert len(text["description"]) == 300


def test_the_servers_schema_is_not_changed() -> None:
    foreign = with_parameter({"allOf": [{"$ref": "#/$defs/point"}], "nullable": True})
    before = deepcopy(foreign)
    usable_schema(foreign)
    assert foreign == before


def test_a_results_schema_stays_as_open_as_it_was() -> None:
    open_shape: JsonObject = {"type": "object", "properties": {"a": {"type": "integer"}}}
    written = result_schema(open_shape)
    assert written is not None
    assert fits({"a": 1, "more": 2}, written)
    assert not fits({"a": "x"}, written)
    assert result_schema({"$ref": "#"}) is None


@given(FOREIGN)
def test_a_grammar_can_be_built_of_every_schema_that_is_taken(foreign: JsonObject) -> None:
    try:
        written = usable_schema(with_parameter(foreign)).schema
    except UnsupportedSchemaError:
        return
    grammar = LLMatcher.grammar_from_lark(f"start: %json {json.dumps(written)}")
    assert not LLMatcher.validate_grammar(grammar), written


@given(FOREIGN, VALUES)
def test_what_fits_our_schema_fits_the_servers_unless_that_is_said(
    foreign: JsonObject, value: JsonValue
) -> None:
    try:
        found = usable_schema(with_parameter(foreign))
    except UnsupportedSchemaError:
        return
    arguments: JsonObject = {"x": value}
    if fits(arguments, found.schema) and not found.left_to_server:
        assert is_valid(arguments, with_parameter(foreign))


@given(FOREIGN, VALUES)
def test_a_result_that_its_server_may_give_is_never_refused(
    foreign: JsonObject, value: JsonValue
) -> None:
    written = result_schema(with_parameter(foreign))
    result: JsonObject = {"x": value}
    if written is not None and is_valid(result, with_parameter(foreign)):
        assert fits(result, written)
