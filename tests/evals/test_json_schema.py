from __future__ import annotations

import pytest

from smallhold.evals.json_schema import is_valid_json
from smallhold.messages import JsonObject, JsonValue

ORDER: JsonObject = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "pattern": "^[0-9]+$"},
        "size": {"type": "string", "enum": ["small", "large"]},
        "count": {"type": "integer", "minimum": 1},
        "extras": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["id"],
}


@pytest.mark.parametrize(
    "value",
    [
        {"id": "7"},
        {"id": "7", "size": "small", "count": 2, "extras": ["milk"]},
        {"id": "7", "unknown": None},
    ],
)
def test_a_value_that_keeps_to_the_schema_is_valid(value: JsonObject) -> None:
    assert is_valid_json(value, ORDER)


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"id": 7},
        {"id": "x"},
        {"id": "7", "size": "huge"},
        {"id": "7", "count": 0},
        {"id": "7", "count": True},
        {"id": "7", "extras": ["milk", 1]},
        None,
        [],
    ],
)
def test_a_value_that_breaks_the_schema_is_not_valid(value: JsonValue) -> None:
    assert not is_valid_json(value, ORDER)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "tuple"},
        {"properties": []},
        {"pattern": "("},
        {"$ref": "#/$defs/absent"},
        {"$ref": "#"},
    ],
)
def test_nothing_is_valid_under_an_unsound_schema(schema: JsonObject) -> None:
    assert not is_valid_json("x", schema)


def test_a_reference_to_another_place_is_not_followed() -> None:
    # On a machine with a network this would open a connection, were there no registry.
    assert not is_valid_json("x", {"$ref": "http://127.0.0.1:9/schema.json"})


def test_a_reference_within_the_schema_is_followed() -> None:
    schema: JsonObject = {"$defs": {"size": {"enum": ["s", "l"]}}, "$ref": "#/$defs/size"}

    assert is_valid_json("s", schema)
    assert not is_valid_json("m", schema)
