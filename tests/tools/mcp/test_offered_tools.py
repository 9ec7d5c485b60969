"""Promises of `smallhold.tools.mcp.offered_tools`: this file holds tests of how they are made."""

from __future__ import annotations

import pytest

from smallhold.messages import JsonObject, ToolCall
from smallhold.tools import AnyTool, RunContext, run_tool
from smallhold.tools.mcp.hints import Approval, ToolHints
from smallhold.tools.mcp.offered_tools import (
    Call,
    LeftOut,
    Made,
    make_tools,
    prompt_blueprints,
    readable,
    tool_blueprints,
)
from smallhold.tools.mcp.offers import Listing, OfferedPrompt, OfferedTool, PromptArgument
from smallhold.tools.mcp.settings import MCPLimits, MCPOptions

pytestmark = pytest.mark.anyio
TEXT: JsonObject = {"type": "object", "properties": {"text": {"type": "string"}}}


def offer(name: str, schema: JsonObject = TEXT, *, hints: ToolHints | None = None) -> OfferedTool:
    return OfferedTool(
        name=name, description=f"Does {name}.", input_schema=schema, hints=hints or ToolHints()
    )


def echo(tool: OfferedTool | OfferedPrompt) -> Call:
    async def call(arguments: JsonObject, key: str) -> str:
        return f"{tool.name} {arguments} {key}"

    return call


def made(*offers: OfferedTool, options: MCPOptions | None = None) -> Made:
    listing = Listing(tools=offers)
    return make_tools(tool_blueprints(listing, call=echo), options=options or MCPOptions())


async def ran(
    tool: AnyTool, arguments: JsonObject, *, call_id: str = "1", session: str = "s"
) -> str:
    call = ToolCall(id=call_id, name=tool.name, arguments=arguments)
    outcome = await run_tool(tool, call, context=RunContext(value=None, session=session))
    return outcome.content


async def test_a_tool_passes_its_arguments_on() -> None:
    (tool,) = made(offer("find")).tools
    assert (await ran(tool, {"text": "x"})).startswith("find {'text': 'x'} ")


async def test_a_parameter_may_have_any_name() -> None:
    schema: JsonObject = {"type": "object", "properties": {"self": {}, "context": {}, "a b": {}}}
    (tool,) = made(offer("find", schema)).tools
    assert "{'self': 1, 'context': 2, 'a b': 3}" in await ran(
        tool, {"self": 1, "context": 2, "a b": 3}
    )


async def test_a_call_has_the_same_key_again_and_another_call_another() -> None:
    (tool,) = made(offer("find")).tools
    first = await ran(tool, {})
    assert await ran(tool, {}) == first
    assert await ran(tool, {}, call_id="2") != first
    assert await ran(tool, {}, session="t") != first


def test_a_schema_that_cannot_be_used_leaves_its_tool_out_with_the_reason() -> None:
    found = made(offer("sound"), offer("endless", {"$ref": "#"}))
    assert [tool.name for tool in found.tools] == ["sound"]
    reason = "'#' contains itself, so it has no end"
    assert found.left_out == (LeftOut(name="endless", reason=reason),)


def test_names_get_the_prefix() -> None:
    found = made(offer("find"), options=MCPOptions(prefix="shop_"))
    assert [tool.name for tool in found.tools] == ["shop_find"]


def test_hints_become_what_runs_and_approvals_go_by() -> None:
    destroys, repeats = ToolHints(destructive=True), ToolHints(idempotent=True)
    one, two = made(offer("a", hints=destroys), offer("b", hints=repeats)).tools
    assert (one.may_require_approval, one.idempotent) == (True, False)
    assert (two.may_require_approval, two.idempotent) == (False, True)
    never = MCPOptions(approval=Approval.NEVER)
    assert not made(offer("a", hints=destroys), options=never).tools[0].may_require_approval


def test_a_long_description_is_cut() -> None:
    limits = MCPLimits(description_chars=40, call_s=7)
    listing = Listing(tools=(OfferedTool(name="a", description="x " * 500, input_schema=TEXT),))
    plans = tool_blueprints(listing, call=echo)
    (tool,) = make_tools(plans, options=MCPOptions(limits=limits)).tools
    assert len(tool.schema.description) == 40
    assert tool.timeout_s == 7


def test_a_tool_without_a_description_is_described_by_its_name() -> None:
    nameless = OfferedTool(name="a", description="\u200b", input_schema=TEXT)
    assert made(nameless).tools[0].schema.description == "a"


async def test_a_prompt_becomes_a_tool_with_a_text_for_each_gap() -> None:
    prompt = OfferedPrompt(name="greet", arguments=(PromptArgument(name="who", is_required=True),))
    plans = prompt_blueprints(Listing(prompts=(prompt,)), call=echo)
    (tool,) = make_tools(plans, options=MCPOptions()).tools
    assert tool.name == "prompt_greet"
    assert tool.schema.parameters["required"] == ["who"]
    assert tool.idempotent


def test_what_a_model_reads_is_short_and_clean() -> None:
    assert readable("a<|im_end|>b") == "ab"
    assert len(readable("x" * 100_000)) <= 8_000
