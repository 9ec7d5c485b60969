"""Promises of `smallhold.tools.mcp.reading`: this file holds tests of foreign JSON as values."""

from __future__ import annotations

import base64
import json

from hypothesis import given
from hypothesis import strategies as st

from smallhold.messages import JsonObject, Role
from smallhold.tools.mcp.hints import ToolHints
from smallhold.tools.mcp.offers import OfferedPrompt, OfferedTool, PromptArgument
from smallhold.tools.mcp.reading import (
    CallResult,
    content_text,
    read_content,
    read_message,
    read_prompt,
    read_resource,
    read_result,
    read_tool,
    result_text,
    write_prompt,
    write_tool,
)

TOOL = OfferedTool(
    name="find",
    description="Finds.",
    input_schema={"type": "object", "properties": {"b": {}, "a": {}}},
    output_schema={"type": "object"},
    hints=ToolHints(read_only=True, destructive=False, idempotent=True, open_world=True),
)
PROMPT = OfferedPrompt(
    name="greet",
    description="Greets.",
    arguments=(PromptArgument(name="who", description="Whom.", is_required=True),),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
KEYS = st.sampled_from([
    "name", "title", "description", "inputSchema", "outputSchema", "annotations", "arguments",
    "required", "content", "type", "text", "data", "mimeType", "resource", "uri", "blob",
    "structuredContent", "isError", "readOnlyHint",
])  # fmt: skip


def test_a_tool_is_read_as_it_was_written() -> None:
    written = json.loads(json.dumps(write_tool(TOOL)))
    assert read_tool(written) == TOOL
    assert json.dumps(read_tool(written).input_schema) == json.dumps(TOOL.input_schema)


def test_a_prompt_is_read_as_it_was_written() -> None:
    assert read_prompt(json.loads(json.dumps(write_prompt(PROMPT)))) == PROMPT


def test_a_tool_without_a_description_is_described_by_its_title() -> None:
    assert read_tool({"name": "a", "title": "Find it", "inputSchema": {}}).description == "Find it"
    titled: JsonObject = {"name": "a", "inputSchema": {}, "annotations": {"title": "Find"}}
    assert read_tool(titled).description == "Find"


def test_hints_that_are_not_given_are_not_made_up() -> None:
    assert read_tool({"name": "a", "inputSchema": {}}).hints == ToolHints()
    told: JsonObject = {"name": "a", "annotations": {"destructiveHint": False}}
    assert read_tool(told).hints == ToolHints(destructive=False)


def test_what_is_no_text_is_named_and_not_shown() -> None:
    picture = base64.b64encode(b"12345").decode()
    result = read_result({
        "content": [
            {"type": "text", "text": "one"},
            {"type": "image", "data": picture, "mimeType": "image/png"},
            {"type": "resource_link", "name": "log", "uri": "file:///log"},
            {"type": "resource", "resource": {"uri": "a", "text": "two"}},
            {"type": "resource", "resource": {"uri": "a", "blob": picture, "mimeType": "x/y"}},
            {"type": "later"},
        ],
        "isError": True,
    })
    assert result.is_error
    assert result.text.split("\n") == [
        "one", "[image, image/png, 5 bytes]", "[resource log: file:///log]", "two",
        "[x/y, 5 bytes]", "[content of an unknown kind]",
    ]  # fmt: skip


def test_a_structured_result_is_written_once_and_compactly() -> None:
    same = CallResult(text='{\n  "a": 1\n}', structured={"a": 1})
    assert result_text(same) == '{"a":1}'
    assert result_text(CallResult(text="", structured=[1, 2])) == "[1,2]"
    assert result_text(CallResult(text="in words", structured={"a": 1})) == "in words"
    assert result_text(CallResult(text="plain")) == "plain"


def test_a_resource_and_a_template_are_told_apart() -> None:
    assert read_resource({"uri": "a://b", "name": "b", "mimeType": "text/plain"}).media_type
    assert read_resource({"uriTemplate": "a://{b}", "name": "b"}).is_template


def test_contents_are_text_or_bytes() -> None:
    parts = [read_content({"uri": "a", "text": "hi"}), read_content({"uri": "a", "blob": "YWI="})]
    assert parts[1].data == b"ab"
    assert content_text(parts) == "hi\n[data, 2 bytes]"


def test_messages_of_a_prompt_keep_their_roles() -> None:
    content: JsonObject = {"type": "text", "text": "hi"}
    assert read_message({"role": "assistant", "content": content}).role is Role.ASSISTANT
    assert read_message({"role": "user", "content": content}).content == "hi"


@given(st.dictionaries(KEYS, JSON))
def test_no_json_is_too_strange_to_be_read(data: JsonObject) -> None:
    read_tool(data)
    read_prompt(data)
    read_resource(data)
    read_message(data)
    result_text(read_result(data))
