"""Behaviour of the limits of what a model may write."""

from __future__ import annotations

from smallhold.messages import JsonValue
from smallhold.tools.json_limits import (
    JSON_LIMIT_CHARS,
    JSON_LIMIT_DEPTH,
    is_too_deep,
    json_problem,
)


def nested(depth: int) -> JsonValue:
    value: JsonValue = 1
    for level in range(depth):
        value = [value] if level % 2 else {"a": value}
    return value


def test_a_value_of_ordinary_size_has_no_problem() -> None:
    assert json_problem({"a": [1, "é", None]}) is None
    assert json_problem("x" * (JSON_LIMIT_CHARS - 2)) is None


def test_nesting_is_allowed_up_to_its_limit() -> None:
    assert not is_too_deep(nested(JSON_LIMIT_DEPTH))
    assert is_too_deep(nested(JSON_LIMIT_DEPTH + 1))
    assert is_too_deep(nested(100_000))


def test_each_problem_is_told_apart() -> None:
    assert "nested" in str(json_problem(nested(80)))
    assert "half of a character" in str(json_problem("\ud800"))
    assert "number that is too long" in str(json_problem(10**5000))
    assert "is too long (200,001" in str(json_problem("x" * (JSON_LIMIT_CHARS - 1)))
