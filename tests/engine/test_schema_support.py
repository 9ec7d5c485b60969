# jsonschema is only partly typed.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import json
import re

import jsonschema
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from llguidance import LLTokenizer

from smallhold.engine.grammar import Grammar, constraint_to_lark
from smallhold.engine.schema_support import MAX_DEPTH, enforceable, other_than
from smallhold.exceptions import DecodeError, UnsupportedSchemaError
from smallhold.generation import JsonSchemaConstraint
from smallhold.messages import JsonObject, JsonValue

BYTES = LLTokenizer("byte")
"""A vocabulary of single bytes: what a grammar accepts does not depend on the model's."""

names = st.text('ab"\\é/🐲', min_size=0, max_size=3)
numbers = {"type": "integer"}


def accepts(schema: JsonObject, text: str) -> bool:
    constraint = JsonSchemaConstraint(schema=enforceable(schema))
    grammar = Grammar(BYTES, constraint_to_lark(constraint, literal_prefix=""))
    try:
        grammar.accept(list(text.encode()))
    except DecodeError:
        return False
    return grammar.may_end


def spelled(name: str, escaped: list[bool]) -> str:
    """Write a name as JSON, some of its characters as escapes."""
    return "".join(
        json.dumps(character)[1:-1] if not as_escape else code_units(character)
        for character, as_escape in zip(name, escaped, strict=False)
    )


def code_units(character: str) -> str:
    data = character.encode("utf-16-be")
    return "".join(f"\\u{data[at : at + 2].hex()}" for at in range(0, len(data), 2))


def schema(**keywords: object) -> JsonObject:
    return json.loads(json.dumps(keywords))


@given(
    st.lists(names, min_size=1, max_size=3, unique=True),
    st.dictionaries(names, st.sampled_from(['"x"', "1"]), max_size=3),
    st.lists(st.booleans(), min_size=3, max_size=3),
    st.sampled_from([True, {}, {"type": "string"}, False, None]),
)
@example(["a"], {"a": '"x"'}, [True, True, True], None)
@example(["a"], {"a": '"x"'}, [True, True, True], {"type": "string"})
def test_no_spelling_of_a_name_escapes_its_schema(
    declared: list[str],
    written: dict[str, str],
    escaped: list[bool],
    others: JsonValue,
) -> None:
    properties: JsonObject = {name: dict(numbers) for name in declared}
    known: JsonObject = {"type": "object", "properties": properties}
    if others is not None:
        known["additionalProperties"] = others
    text = ", ".join(f'"{spelled(name, escaped)}": {value}' for name, value in written.items())
    if accepts(known, f"{{{text}}}"):
        jsonschema.validate(json.loads(f"{{{text}}}"), known)


@given(
    st.lists(names.filter(bool), min_size=1, max_size=3, unique=True),
    st.dictionaries(names, st.sampled_from(["x", 1]), max_size=3),
    st.sampled_from([True, {}, {"type": "string"}, False, None]),
)
def test_valid_objects_stay_acceptable(
    declared: list[str], instance: dict[str, JsonValue], others: JsonValue
) -> None:
    properties: JsonObject = {name: dict(numbers) for name in declared}
    known: JsonObject = {"type": "object", "properties": properties}
    if others is not None:
        known["additionalProperties"] = others
    order = [*declared, *sorted(set(instance) - set(declared))]
    ordered = {name: instance[name] for name in order if name in instance}
    errors = list(jsonschema.Draft202012Validator(known).iter_errors(ordered))
    assert accepts(known, json.dumps(ordered, ensure_ascii=False)) == (not errors)


@given(st.lists(names, max_size=4), names)
def test_a_pattern_of_other_names_matches_all_but_those(excluded: list[str], name: str) -> None:
    # Python writes a character by its number in another way.
    pattern = re.sub(
        r"\\x\{([0-9a-f]+)\}", lambda match: f"\\U{int(match[1], 16):08x}", other_than(excluded)
    )
    assert (re.search(pattern, name) is not None) == (name not in excluded)


@given(st.lists(names, max_size=3, unique=True), st.sampled_from([True, False, numbers]))
def test_a_schema_that_was_made_enforceable_is_so(declared: list[str], others: JsonValue) -> None:
    known: JsonObject = {
        "properties": {name: {"required": ["a"]} for name in declared},
        "additionalProperties": others,
    }
    once = enforceable(known)
    assert enforceable(once) == once


@pytest.mark.parametrize(
    "known",
    [
        {"type": "string"},
        {"const": {"properties": {"a": 1}}},
        {"enum": [{"required": ["a"]}]},
        {"type": "object"},
        {"properties": {"a": {}}, "additionalProperties": False},
        {"patternProperties": {"^a": {}}, "additionalProperties": False},
        {"minProperties": 2, "required": ["a", "b"], "additionalProperties": False},
        {"$defs": {"a": {"type": "string"}}, "$ref": "#/$defs/a"},
        {"$defs": {"a/b": {"type": "string"}}, "$ref": "#/$defs/a~1b"},
        {"$defs": {"a%": {"type": "string"}}, "$ref": "#/$defs/a%25"},
        {"$defs": {"a": True}, "$ref": "#/$defs/a"},
        {"$defs": {"a": {"$id": "b", "$ref": "#/$defs/c", "$defs": {"c": {}}}}},
        {"$ref": "#"},
    ],
    ids=json.dumps,
)
def test_what_is_enforced_wholly_stays_as_it_is(known: JsonObject) -> None:
    assert enforceable(known) == known


@pytest.mark.parametrize(
    "known",
    [
        {"uniqueItems": False},
        {"not": False},
        {"unevaluatedProperties": True},
        {"propertyNames": True},
        {"if": {"type": "string"}},
        {"then": {"type": "string"}, "else": False},
        {"minContains": 2},
    ],
    ids=json.dumps,
)
def test_keywords_that_say_nothing_are_left_out(known: JsonObject) -> None:
    assert enforceable({"type": "array", **known}) == {"type": "array"}


@pytest.mark.parametrize(
    "known",
    [
        {"uniqueItems": True},
        {"not": True},
        {"not": {}},
        {"unevaluatedProperties": False},
        {"propertyNames": False},
        {"if": True, "then": False},
        {"contains": True, "minContains": 2},
    ],
    ids=json.dumps,
)
def test_keywords_that_say_something_stay(known: JsonObject) -> None:
    assert enforceable(known) == known


def test_a_whole_count_may_be_written_with_a_fraction() -> None:
    counts = enforceable({"maxLength": 2.0, "minItems": 1.5})
    assert (counts["maxLength"], type(counts["maxLength"])) == (2, int)
    assert counts["minItems"] == 1.5


@pytest.mark.parametrize("key", ["items", "additionalProperties", "not", "contains"])
def test_schemas_inside_schemas_are_made_enforceable(key: str) -> None:
    inner = schema(required=["a"])
    assert enforceable({key: inner})[key] == enforceable(inner) != inner


def test_schemas_in_lists_and_by_name_are_made_enforceable() -> None:
    inner = schema(required=["a"])
    whole = enforceable(schema(anyOf=[inner, True], **{"$defs": {"properties": inner}}))
    assert whole["anyOf"] == [enforceable(inner), True]
    assert whole["$defs"] == {"properties": enforceable(inner)}


@pytest.mark.parametrize(
    ("known", "words"),
    [
        ({"patternProperties": {"^a": numbers}}, "`patternProperties` at /patternProperties"),
        ({"items": {"minProperties": 2}}, "`minProperties` at /items/minProperties"),
        ({"minProperties": 2, "required": ["a"]}, "`minProperties`"),
        ({"properties": {"a\nb": numbers}}, "control characters"),
        ({"$ref": "#/additionalProperties", "additionalProperties": False}, "`$ref` at /$ref"),
        (
            {
                "properties": {"a": {"$ref": "#/additionalProperties"}},
                "additionalProperties": {"type": "integer"},
            },
            "`$ref` at /properties/a/$ref",
        ),
        ({"$ref": "#/elsewhere", "elsewhere": {"required": ["a"]}}, "no place"),
        ({"$defs": {"a/b": {"minProperties": 3}}}, "/$defs/a~1b/minProperties"),
    ],
    ids=json.dumps,
)
def test_what_would_be_enforced_in_part_is_refused_by_name(known: JsonObject, words: str) -> None:
    with pytest.raises(UnsupportedSchemaError) as caught:
        enforceable(known)
    assert words in str(caught.value)


def test_a_schema_nested_beyond_reason_is_refused() -> None:
    known: JsonObject = {}
    for _ in range(2 * MAX_DEPTH + 2):
        known = {"items": known}
    with pytest.raises(UnsupportedSchemaError, match="deep"):
        enforceable(known)
