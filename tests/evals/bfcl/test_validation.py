from __future__ import annotations

import sys

import pytest

from smallhold.evals.bfcl.validation import calls_are_valid, json_schema_check
from smallhold.exceptions import ConfigError
from smallhold.messages import JsonObject, ToolCall, ToolSchema

TOOL = ToolSchema(
    name="order_status",
    description="Look up.",
    parameters={
        "type": "object",
        "properties": {"order_id": {"type": "string"}},
        "required": ["order_id"],
    },
)


def call(name: str = "order_status", **arguments: str | int) -> ToolCall:
    values: JsonObject = {**arguments}
    return ToolCall(id="1", name=name, arguments=values)


def is_valid(*calls: ToolCall) -> bool:
    return calls_are_valid(calls, tools=[TOOL], is_valid=json_schema_check())


def test_a_call_that_keeps_to_the_schema_is_valid_even_with_a_wrong_value() -> None:
    assert is_valid(call(order_id="no such order"))


def test_a_call_of_a_tool_that_was_not_offered_is_not_valid() -> None:
    assert not is_valid(call("cancel_order", order_id="1042"))


def test_one_broken_call_makes_the_answer_not_valid() -> None:
    assert not is_valid(call(order_id="1042"), call(order_id=1042))


def test_an_answer_without_calls_is_valid() -> None:
    assert is_valid()


def test_without_the_extra_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    # What Python itself does for a package that is not installed.
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    monkeypatch.delitem(sys.modules, "smallhold.evals.json_schema", raising=False)

    with pytest.raises(ConfigError, match=r"smallhold\[evals\]"):
        json_schema_check()
