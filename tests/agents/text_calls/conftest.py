"""What tests of text calls share: this file holds the tools that are on offer."""

from __future__ import annotations

import pytest

from smallhold.agents.text_calls.calls import Offered
from smallhold.messages import JsonObject, ToolSchema


def schema(name: str, *parameters: str) -> ToolSchema:
    properties: JsonObject = {parameter: {"type": "string"} for parameter in parameters}
    return ToolSchema(
        name=name, description=name, parameters={"type": "object", "properties": properties}
    )


TOOLS = (schema("order_status", "order_id"), schema("stock", "product", "least"), schema("now"))


@pytest.fixture
def offered() -> Offered:
    return Offered(schemas=TOOLS)
