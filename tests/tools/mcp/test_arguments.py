"""Promises of `smallhold.tools.mcp.arguments`: this file holds tests of a model's arguments."""

from __future__ import annotations

from typing import cast

import pytest

from smallhold.messages import JsonObject
from smallhold.tools import InvalidArguments
from smallhold.tools.mcp.arguments import ForeignArguments

ARGUMENTS = ForeignArguments(
    schema={
        "type": "object",
        "properties": {
            "count": {"type": "integer"},
            "size": {"enum": ["small", "extra large"]},
            "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        },
        "required": ["count"],
        "additionalProperties": False,
    }
)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ({"count": 3}, {"count": 3}),
        ({"count": "3"}, {"count": 3}),
        ({"count": 3, "size": "Extra_Large"}, {"count": 3, "size": "extra large"}),
        ({"count": 3, "size": None}, {"count": 3}),
        ({"count": 3, "note": None}, {"count": 3, "note": None}),
    ],
)
def test_what_leaves_no_doubt_is_mended(written: JsonObject, meant: JsonObject) -> None:
    assert ARGUMENTS.validate(written) == meant


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({}, "argument `count`: is required but was left out"),
        ({"count": None}, "argument `count`: must be a whole number, got null"),
        ({"count": "many"}, 'argument `count`: must be a whole number, got "many"'),
        ({"count": 1, "colour": "red"}, "does not exist (known: count, size, note)"),
        ({"count": 1, "note": "\ud800"}, "lone surrogate"),
    ],
)
def test_all_else_is_refused_in_one_line(written: JsonObject, message: str) -> None:
    refused = ARGUMENTS.validate(written)
    assert isinstance(refused, InvalidArguments)
    assert message in refused.message
    assert "\n" not in refused.message


def test_a_message_is_never_long() -> None:
    strange = cast("JsonObject", {"x" * 5_000: "y" * 5_000} | {f"z{n}": 0 for n in range(50)})
    refused = ARGUMENTS.validate(strange)
    assert isinstance(refused, InvalidArguments)
    assert len(refused.message) <= 600
