"""Promises of `smallhold.tools.retrieval.retrievable`: this file holds tests of tools' texts."""

from __future__ import annotations

from smallhold.messages import JsonObject, JsonValue, ToolSchema
from smallhold.tools import tool_from_function
from smallhold.tools.retrieval import DescribedTool, RetrievableTool
from smallhold.tools.retrieval.retrievable import fields_of, meanings_of


def described(parameters: JsonObject, *, description: str = "Find an order.") -> DescribedTool:
    schema = ToolSchema(name="findOrder", description=description, parameters=parameters)
    return DescribedTool(schema=schema, examples=("where is it?",))


def test_a_tool_is_told_by_name_description_parameters_and_examples() -> None:
    parameters: JsonObject = {
        "type": "object",
        "properties": {
            "order_id": {"type": "string", "description": "Number on the receipt"},
            "days": {"type": "integer"},
        },
    }
    assert fields_of(described(parameters)) == (
        "find order",
        "Find an order.",
        "order id days",
        "Number on the receipt ",
        "where is it?",
    )


def test_its_meaning_is_that_of_the_description_and_of_each_example() -> None:
    assert meanings_of(described({})) == ("find order: Find an order.", "where is it?")


def test_a_tool_without_a_description_means_its_name() -> None:
    assert meanings_of(described({}, description=" "))[0] == "find order"


def test_odd_schemas_have_no_parameters_to_tell() -> None:
    odd: list[JsonValue] = [[], None, 3, {"a": True}, {"a": {"description": 7}}]
    for properties in odd:
        assert fields_of(described({"properties": properties}))[3] == ""


def test_a_tool_made_from_a_function_can_be_found() -> None:
    def order_status(order_id: str) -> str:
        """Look up an order.

        Args:
            order_id: The number printed on the receipt.
        """
        return order_id

    tool: RetrievableTool = tool_from_function(order_status)
    assert fields_of(tool)[:3] == ("order status", "Look up an order.", "order id")
