"""Promises of `smallhold.tools.mcp.json_kinds`: this file holds tests of what values are called."""

from __future__ import annotations

from smallhold.messages import JsonValue
from smallhold.tools.mcp.json_kinds import kinds_of


def test_true_is_no_number_and_three_point_zero_is_whole() -> None:
    assert [kinds_of(value) for value in (True, False)] == [("boolean",)] * 2
    assert "integer" in kinds_of(3.0)
    assert "integer" not in kinds_of(3.5)
    assert kinds_of(3) == ("integer", "number")
    others: list[JsonValue] = [None, "a", [], {}]
    assert [kinds_of(value) for value in others] == [
        ("null",), ("string",), ("array",), ("object",),
    ]  # fmt: skip
