from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.agents.call_script import call_line, call_script
from smallhold.agents.filling import (
    Filler,
    Filling,
    asked_text,
    parse_arguments,
    spoken_text,
    tool_named,
)
from smallhold.evals.json_schema import is_valid_json
from smallhold.exceptions import ConfigError, ModelOutputError
from smallhold.generation import JsonSchemaConstraint, Prompt
from smallhold.messages import JsonObject, JsonValue, Message, Role, ToolCall, ToolSchema
from smallhold.runtimes.dialects import JSON_LINES
from smallhold.testing import Call, Reply, ScriptedRuntime, call

SHOP = ToolSchema(
    name="order",
    description="Order a product.",
    parameters={
        "type": "object",
        "properties": {
            "product": {"type": "string"},
            "quantity": {"type": "integer"},
            "day": {"type": "string", "description": "Day of delivery, YYYY-MM-DD"},
            "discount": {"type": "number", "description": "Discount as a share"},
            "colours": {"type": "array", "items": {"type": "string"}},
            "size": {"type": "string", "enum": ["small", "large"]},
        },
        "required": ["product"],
    },
)
STOCK = ToolSchema(
    name="stock",
    description="Count a product.",
    parameters={
        "type": "object",
        "properties": {"product": {"type": "string"}, "shop": {"type": "string"}},
        "required": ["product", "shop"],
    },
)
HOURS = ToolSchema(
    name="hours",
    description="Tell when a shop is open.",
    parameters={
        "type": "object",
        "properties": {"shop": {"type": "string"}},
        "required": ["shop"],
    },
)
TOOLS = (SHOP, STOCK, HOURS)


def asking(text: str) -> Prompt:
    return Prompt(messages=(Message(role=Role.USER, content=text),), tools=TOOLS)


def filler(*entries: Call | Reply) -> tuple[Filler, ScriptedRuntime]:
    runtime = ScriptedRuntime(entries)
    return Filler(runtime=runtime, max_tokens=64), runtime


def cut(name: str, **arguments: JsonValue) -> Call:
    return Call(name=name, arguments=dict(arguments), is_cut=True)


def schema_of(runtime: ScriptedRuntime, index: int = -1) -> JsonObject:
    constraint = runtime.requests[index].constraint
    assert isinstance(constraint, JsonSchemaConstraint)
    return constraint.schema


def property_of(schema: JsonObject, name: str) -> JsonObject:
    properties = schema["properties"]
    assert isinstance(properties, dict)
    found = properties[name]
    assert isinstance(found, dict)
    return found


def passes(*fillings: Filling) -> int:
    return sum((one.usage + one.extra_usage).passes for one in fillings)


# One tool


async def test_arguments_are_decoded_where_a_call_of_the_tool_would_hold_them() -> None:
    fill, runtime = filler(call("order", product="lamps"))
    prompt = asking("Two lamps, please")
    filling = await fill.fill(prompt, SHOP)
    assert filling.arguments == {"product": "lamps"}
    assert filling.is_complete
    (request,) = runtime.requests
    assert request.prompt == call_script(prompt, opened="order")
    assert request.max_tokens == 64
    assert request.sampling.temperature == 0.0
    assert isinstance(request.constraint, JsonSchemaConstraint)
    assert request.constraint.closing == JSON_LINES.closing


async def test_calls_that_were_made_stand_before_the_one_that_is_filled() -> None:
    fill, runtime = filler(call("order", product="lamps"))
    made = (
        ToolCall(id="1", name="stock", arguments={"product": "lamps", "shop": "Oslo"}),
        ToolCall(id="2", name="hours", arguments={"shop": "Oslo"}),
    )
    await fill.fill(asking("Are there lamps in Oslo? Order some."), SHOP, made=made)
    lines = runtime.requests[0].prompt.continuation.split("\n")
    assert lines[:2] == [call_line(one.name, one.arguments) for one in made]
    assert lines[2:] == [JSON_LINES.opening("order")]


async def test_the_decoder_is_held_to_the_form_that_a_description_states() -> None:
    fill, runtime = filler(call("order", product="lamps", day="2030-05-03"))
    await fill.fill(asking("Lamps on 3 May 2030"), SHOP)
    assert "pattern" in property_of(schema_of(runtime), "day")
    assert "pattern" not in property_of(SHOP.parameters, "day")


async def test_the_decoder_may_not_invent_arguments() -> None:
    fill, runtime = filler(call("order", product="lamps"))
    await fill.fill(asking("Lamps"), SHOP)
    assert schema_of(runtime)["additionalProperties"] is False


async def test_arguments_cut_at_the_limit_are_empty_and_incomplete() -> None:
    fill, _ = filler(cut("order", product="lamps"))
    filling = await fill.fill(asking("Lamps"), SHOP)
    assert filling.arguments == {}
    assert not filling.is_complete
    assert filling.narrowed is None
    assert filling.usage.completion_tokens > 0


async def test_what_was_said_is_mended_and_what_was_not_is_left_out() -> None:
    decoded = call(
        "order",
        product="the lamp product",
        quantity=7,
        discount=5,
        colours=["red", "blue"],
    )
    fill, _ = filler(decoded)
    filling = await fill.fill(asking("The lamp product in red and large, with 5% off"), SHOP)
    assert filling.arguments == {
        "product": "the lamp",
        "discount": 0.05,
        "colours": ["red"],
        "size": "large",
    }
    assert filling.unmentioned == 1
    assert filling.invented == ()


async def test_required_values_that_nobody_mentioned_are_named() -> None:
    fill, _ = filler(call("stock", product="lamps", shop="Bergen"))
    filling = await fill.fill(asking("Are there lamps?"), STOCK)
    assert filling.invented == ("shop",)
    assert filling.unmentioned == 1
    assert filling.narrowed is not None


# Choosing anew


async def test_where_all_was_mentioned_nothing_is_chosen_anew() -> None:
    fill, runtime = filler(call("order", product="lamps"))
    filling = await fill.fill(asking("Lamps"), SHOP)
    assert await fill.copied(asking("Lamps"), filling) == filling
    assert len(runtime.requests) == 1


async def test_a_value_that_nobody_mentioned_is_chosen_among_what_was_said() -> None:
    prompt = asking("Are there lamps down in Oslo?")
    first, _ = filler(call("stock", product="lamps", shop="Bergen"))
    invented = await first.fill(prompt, STOCK)
    again, runtime = filler(call("stock", product="lamps", shop="Oslo"))
    chosen = await again.copied(prompt, invented)
    assert chosen.arguments == {"product": "lamps", "shop": "Oslo"}
    assert chosen.invented == ("shop",)
    assert chosen.usage == invented.usage
    assert chosen.extra_usage.passes > 0
    assert schema_of(runtime) == invented.narrowed
    options = property_of(schema_of(runtime), "shop")["enum"]
    assert isinstance(options, list)
    assert "Oslo" in options
    assert "Bergen" not in options
    assert property_of(schema_of(runtime), "product") == {"const": "lamps"}


async def test_a_choice_cut_at_the_limit_leaves_the_arguments_as_they_were() -> None:
    prompt = asking("Are there lamps?")
    first, _ = filler(call("stock", product="lamps", shop="Bergen"))
    invented = await first.fill(prompt, STOCK)
    again, _ = filler(cut("stock", product="lamps", shop="lamps"))
    chosen = await again.copied(prompt, invented)
    assert chosen.arguments == {"product": "lamps", "shop": "Bergen"}
    assert chosen.is_complete
    assert chosen.extra_usage.passes > 0


# Several tools


async def test_a_tool_that_needs_nothing_unmentioned_is_taken_without_a_look_at_the_next() -> None:
    fill, runtime = filler(call("order", product="lamps"))
    filling = await fill.best(asking("Lamps"), ("order", "stock"))
    assert filling.tool == SHOP
    assert len(runtime.requests) == 1
    assert filling.usage.passes == passes(filling)


async def test_the_rival_that_needs_nothing_unmentioned_is_meant() -> None:
    prompt = asking("When is Oslo open?")
    entries = (call("stock", product="lamps", shop="Oslo"), call("hours", shop="Oslo"))
    fill, runtime = filler(*entries)
    filling = await fill.best(prompt, ("stock", "hours", "order"))
    assert filling.tool == HOURS
    assert filling.arguments == {"shop": "Oslo"}
    assert len(runtime.requests) == 2
    each = [
        await filler(entry)[0].fill(prompt, tool)
        for entry, tool in zip(entries, (STOCK, HOURS), strict=True)
    ]
    assert filling.usage.passes == passes(*each)


async def test_of_tools_that_need_as_much_the_likeliest_is_filled_from_what_was_said() -> None:
    entries = (
        call("stock", product="lamps", shop="Bergen"),
        call("hours", shop="Bergen"),
        call("stock", product="lamps", shop="Oslo"),
    )
    fill, runtime = filler(*entries)
    filling = await fill.best(asking("Lamps in Oslo"), ("stock", "hours"))
    assert filling.tool == STOCK
    assert filling.arguments == {"product": "lamps", "shop": "Oslo"}
    assert len(runtime.requests) == 3
    assert filling.extra_usage.passes > 0
    assert filling.usage.passes > filling.extra_usage.passes


async def test_a_rival_that_was_cut_is_never_preferred_to_whole_arguments() -> None:
    entries = (
        call("stock", product="lamps", shop="Bergen"),
        cut("hours", shop="Oslo"),
        call("stock", product="lamps", shop="Oslo"),
    )
    fill, _ = filler(*entries)
    filling = await fill.best(asking("Lamps in Oslo"), ("stock", "hours"))
    assert filling.tool == STOCK
    assert filling.is_complete
    assert filling.arguments == {"product": "lamps", "shop": "Oslo"}


async def test_the_likeliest_tool_s_arguments_stay_cut_where_they_were_cut() -> None:
    fill, runtime = filler(cut("stock", product="lamps", shop="Oslo"))
    filling = await fill.best(asking("Lamps in Oslo"), ("stock", "hours"))
    assert filling.tool == STOCK
    assert not filling.is_complete
    assert filling.arguments == {}
    assert len(runtime.requests) == 1


async def test_calls_that_were_made_are_before_every_tool_that_is_tried() -> None:
    entries = (
        call("stock", product="lamps", shop="Bergen"),
        call("hours", shop="Bergen"),
        call("stock", product="lamps", shop="Oslo"),
    )
    fill, runtime = filler(*entries)
    made = (ToolCall(id="1", name="order", arguments={"product": "lamps"}),)
    await fill.best(asking("Lamps in Oslo"), ("stock", "hours"), made=made)
    before = call_line("order", {"product": "lamps"})
    assert [one.prompt.continuation.partition("\n")[0] for one in runtime.requests] == [before] * 3


async def test_without_a_tool_there_is_nothing_to_fill() -> None:
    fill, runtime = filler()
    with pytest.raises(ConfigError, match="at least one tool"):
        await fill.best(asking("Lamps"), ())
    assert runtime.requests == []


def test_a_tool_is_found_by_its_name() -> None:
    assert tool_named(TOOLS, "stock") is STOCK


ARGUMENTS = st.fixed_dictionaries(
    {"product": st.sampled_from(["lamp", "the lamp product", "sofa", ""])},
    optional={
        "quantity": st.integers(0, 9),
        "day": st.sampled_from(["2030-05-03", "2030-12-31"]),
        "discount": st.sampled_from([5, 0.05, 12.5]),
        "colours": st.lists(st.sampled_from(["red", "blue"]), max_size=3),
        "size": st.sampled_from(["small", "large"]),
    },
)
MESSAGES = st.lists(
    st.sampled_from(["lamp", "product", "5%", "red", "large", "3", "May", "on", "12.5 percent"]),
    max_size=6,
).map(" ".join)


@given(ARGUMENTS, MESSAGES)
async def test_whatever_is_filled_is_valid_for_the_tool(
    arguments: JsonObject, message: str
) -> None:
    fill, _ = filler(call("order", **arguments))
    filling = await fill.fill(asking(message), SHOP)
    assert is_valid_json(filling.arguments, SHOP.parameters)
    assert set(filling.invented) <= {"product"}
    assert len(filling.invented) <= filling.unmentioned <= len(arguments)


# What was decoded


JSON: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=5), JSON, max_size=4))
def test_any_json_object_is_read_as_it_was_written(arguments: JsonObject) -> None:
    assert parse_arguments(json.dumps(arguments), runtime="x") == arguments


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"x"', "7", "{}}", "[" * 100_000])
def test_what_is_no_json_object_is_an_error_that_names_the_runtime(text: str) -> None:
    with pytest.raises(ModelOutputError, match="not a JSON object") as caught:
        parse_arguments(text, runtime="embedded:tiny")
    assert caught.value.runtime == "embedded:tiny"


async def test_arguments_that_are_no_object_are_never_given() -> None:
    fill, _ = filler(Reply(text="[7]}"))
    with pytest.raises(ModelOutputError):
        await fill.fill(asking("Lamps"), SHOP)


# What was said


def test_users_and_tools_speak_and_the_agent_and_its_instructions_do_not() -> None:
    messages = (
        Message(role=Role.SYSTEM, content="Be brief."),
        Message(role=Role.USER, content="An example"),
        Message(role=Role.ASSISTANT, content="Its answer"),
        Message(role=Role.USER, content="Lamps?"),
        Message(role=Role.ASSISTANT, content="One moment."),
        Message(role=Role.TOOL, content="Three in Oslo"),
    )
    assert spoken_text(messages, skip=0) == "An example\nLamps?\nThree in Oslo"
    assert spoken_text(messages, skip=2) == "Lamps?\nThree in Oslo"
    assert spoken_text(messages, skip=99) == ""
    assert spoken_text((), skip=0) == ""


async def test_what_an_example_says_is_not_what_the_user_said() -> None:
    prompt = Prompt(
        messages=(
            Message(role=Role.USER, content="Lamps in Bergen"),
            Message(role=Role.ASSISTANT, content="Three."),
            Message(role=Role.USER, content="Lamps in Oslo"),
        ),
        tools=TOOLS,
        fixed_messages=2,
    )
    decoded = call("stock", product="lamps", shop="Bergen")
    assert (await filler(decoded)[0].fill(prompt, STOCK)).invented == ("shop",)
    heard = Prompt(messages=prompt.messages, tools=TOOLS)
    assert (await filler(decoded)[0].fill(heard, STOCK)).invented == ()


def test_what_is_asked_is_the_user_s_last_message_whatever_came_after_it() -> None:
    messages = (
        Message(role=Role.SYSTEM, content="Be brief."),
        Message(role=Role.USER, content="Hello"),
        Message(role=Role.ASSISTANT, content="Hello."),
        Message(role=Role.USER, content="Lamps?"),
        Message(role=Role.TOOL, content="Three in Oslo", tool_call_id="1"),
    )
    assert asked_text(messages) == "Lamps?"
    assert asked_text(messages[:1]) == ""
