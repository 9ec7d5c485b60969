"""Schemas and values at random: this file holds the strategies and a reference implementation."""

from __future__ import annotations

from typing import Any, TypeAlias

from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from smallhold.messages import JsonObject, JsonValue

Strategy: TypeAlias = st.SearchStrategy[Any]


def shape(required: dict[str, Strategy], optional: dict[str, Strategy] | None = None) -> Strategy:
    return st.fixed_dictionaries(required, optional=optional or {})


def is_valid(value: JsonValue, schema: JsonObject) -> bool:
    """Ask the reference implementation."""
    validator: Any = Draft202012Validator(schema)
    return bool(validator.is_valid(value))


NAMES: Strategy = st.sampled_from(["a", "b", "c"])
BOUNDS: Strategy = st.integers(-3, 6)
COUNTS: Strategy = st.integers(0, 3)
CLOSED: Strategy = st.sampled_from([False])
TRUTH: Strategy = st.booleans()
VALUES: Strategy = st.recursive(
    st.sampled_from([None, True, False, 0, 1, 2.0, 1.5, -1, 7, "", "a", "abc"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
NUMBERS: Strategy = shape(
    {"type": st.sampled_from(["integer", "number"])},
    {
        "minimum": BOUNDS,
        "maximum": BOUNDS,
        "exclusiveMaximum": BOUNDS,
        "multipleOf": st.integers(1, 3),
    },
)
FOREIGN_LEAVES: Strategy = st.one_of(
    NUMBERS,
    shape({"type": st.just("string")}, {"minLength": COUNTS, "maxLength": COUNTS}),
    st.sampled_from([{"type": "boolean"}, {"type": "null"}, {}, True]),
    shape({"enum": st.lists(st.sampled_from(["a", 1, None, True, 2.0]), max_size=3)}),
    shape({"const": st.sampled_from(["a", 1, False])}),
    shape({"type": st.just(["string", "integer"])}, {"minimum": BOUNDS}),
)


def foreign_branches(inner: Strategy) -> Strategy:
    lists = {
        "items": inner,
        "minItems": COUNTS,
        "maxItems": COUNTS,
        "uniqueItems": TRUTH,
        "prefixItems": st.lists(inner, max_size=2),
    }
    objects = {
        "properties": st.dictionaries(NAMES, inner, max_size=3),
        "required": st.lists(NAMES, max_size=2, unique=True),
        "additionalProperties": st.one_of(TRUTH, inner),
        "minProperties": COUNTS,
    }
    unions = {"minimum": BOUNDS, "type": st.sampled_from(["integer", "string"])}
    return st.one_of(
        shape({"type": st.just("array")}, lists),
        shape({"type": st.just("object")}, objects),
        shape({"anyOf": st.lists(inner, min_size=1, max_size=3)}, unions),
        shape({"allOf": st.lists(inner, min_size=1, max_size=2)}),
        shape({"not": inner}),
    )


FOREIGN: Strategy = st.recursive(FOREIGN_LEAVES, foreign_branches, max_leaves=5)
"""Schemas as servers may write them."""
OUR_LEAVES: Strategy = st.one_of(
    NUMBERS,
    shape({"type": st.sampled_from(["string", "boolean", "null"])}),
    shape({"enum": st.lists(VALUES, max_size=3)}),
    shape({"const": VALUES}),
)


def our_branches(inner: Strategy) -> Strategy:
    lists = {
        "items": inner,
        "minItems": COUNTS,
        "maxItems": COUNTS,
        "prefixItems": st.lists(inner, min_size=1, max_size=2),
    }
    objects = {
        "required": st.lists(NAMES, max_size=2, unique=True),
        "additionalProperties": st.one_of(CLOSED, inner),
    }
    properties = st.dictionaries(NAMES, inner, max_size=3)
    return st.one_of(
        shape({"type": st.just("array")}, lists),
        shape({"type": st.just("object"), "properties": properties}, objects),
        shape({"anyOf": st.lists(inner, min_size=1, max_size=3)}),
    )


OURS: Strategy = st.recursive(OUR_LEAVES, our_branches, max_leaves=6)
"""Schemas of the small vocabulary that ours are written in."""
