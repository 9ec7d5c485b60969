from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.agents import planning
from smallhold.agents.decision import NO_TOOL_NAME
from smallhold.agents.planning import ScoredPlanner, call_text, owns_decoder, parse_arguments
from smallhold.agents.prompts import CONTENT_FREE_TEXT
from smallhold.exceptions import ModelOutputError
from smallhold.generation import JsonSchemaConstraint, Prompt
from smallhold.messages import JsonObject, JsonValue, Message, Role, ToolCall, ToolSchema
from smallhold.runtimes import Capability
from smallhold.testing import NATIVE, OWN_DECODER, Call, Reply, ScriptedRuntime, call

if TYPE_CHECKING:
    from tests.agents.conftest import Listening

JSON: st.SearchStrategy[JsonValue] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
OBJECTS: st.SearchStrategy[JsonObject] = st.dictionaries(st.text(max_size=5), JSON, max_size=4)


def tool(name: str) -> ToolSchema:
    parameters: JsonObject = {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
        "required": ["city"],
    }
    return ToolSchema(name=name, description=f"Tell the {name}.", parameters=parameters)


INSTRUCTIONS = Message(role=Role.SYSTEM, content="Be brief.")
PROMPT = Prompt(
    messages=(INSTRUCTIONS, Message(role=Role.USER, content="What is the weather in Oslo?")),
    tools=(tool("weather"), tool("news")),
)


def tool_call(name: str, arguments: JsonObject, *, call_id: str = "1") -> ToolCall:
    return ToolCall(id=call_id, name=name, arguments=arguments)


# Asking the runtime


async def test_a_plan_is_the_scored_tool_with_the_decoded_arguments() -> None:
    planner = ScoredPlanner(runtime=ScriptedRuntime([call("weather", city="Oslo")]), max_tokens=64)
    plan = await planner.plan(PROMPT, tool_choice="auto", call_id="call_7")
    assert plan.calls
    assert plan.calls[0].call == tool_call("weather", {"city": "Oslo"}, call_id="call_7")
    assert plan.calls[0].is_complete
    assert plan.calls[0].margin is not None
    assert plan.calls[0].margin > 0
    assert plan.usage.passes > 1


async def test_when_no_tool_is_wanted_nothing_is_decoded() -> None:
    runtime = ScriptedRuntime(["It rains."])
    plan = await ScoredPlanner(runtime=runtime, max_tokens=64).plan(
        PROMPT, tool_choice="auto", call_id="1"
    )
    assert not plan.calls
    assert plan.usage.passes == 1
    assert runtime.requests == []


async def test_the_tools_names_and_no_tool_are_scored_where_a_call_would_name_them(
    listening: Listening,
) -> None:
    runtime = listening.to(ScriptedRuntime(["It rains."]))
    await ScoredPlanner(runtime=runtime, max_tokens=64).decide(
        PROMPT, tool_choice="auto", subtracts_bias=True
    )
    (prompt,) = runtime.decisions
    assert prompt.messages == PROMPT.messages
    assert prompt.tools == PROMPT.tools
    assert prompt.continuation == runtime.limits.dialect.before_name


async def test_without_examples_the_model_s_bias_is_measured_on_a_message_without_content(
    listening: Listening,
) -> None:
    runtime = listening.to(ScriptedRuntime(["It rains."]))
    await ScoredPlanner(runtime=runtime, max_tokens=64).decide(
        PROMPT, tool_choice="auto", subtracts_bias=True
    )
    (baseline,) = runtime.baselines
    assert baseline.messages == (INSTRUCTIONS, Message(role=Role.USER, content=CONTENT_FREE_TEXT))
    assert baseline.tools == PROMPT.tools
    assert baseline.continuation == runtime.decisions[0].continuation


async def test_arguments_are_decoded_under_the_tool_s_schema_in_its_opened_call() -> None:
    runtime = ScriptedRuntime([call("news", city="Oslo")])
    await ScoredPlanner(runtime=runtime, max_tokens=33).plan(
        PROMPT, tool_choice="auto", call_id="1"
    )
    (request,) = runtime.requests
    assert isinstance(request.constraint, JsonSchemaConstraint)
    assert request.constraint.closing == runtime.limits.dialect.closing
    properties = request.constraint.schema["properties"]
    assert isinstance(properties, dict)
    assert list(properties) == ["city", "days"]
    assert request.prompt.continuation == runtime.limits.dialect.opening("news")
    assert request.max_tokens == 33
    assert request.sampling.temperature == 0.0


async def test_a_required_call_of_the_only_tool_needs_no_decision(listening: Listening) -> None:
    runtime = listening.to(ScriptedRuntime([call("weather", city="Oslo")]))
    only = Prompt(messages=PROMPT.messages, tools=PROMPT.tools[:1])
    plan = await ScoredPlanner(runtime=runtime, max_tokens=64).plan(
        only, tool_choice="required", call_id="1"
    )
    assert plan.calls
    assert plan.calls[0].call.name == "weather"
    assert runtime.decisions == []


async def test_a_required_call_is_made_even_when_an_answer_is_likelier(
    listening: Listening,
) -> None:
    # The script has no call, so the decoded arguments are the reply's own text.
    runtime = listening.to(ScriptedRuntime([Reply(text='{"city": "Oslo"}}')]))
    plan = await ScoredPlanner(runtime=runtime, max_tokens=64).plan(
        PROMPT, tool_choice="required", call_id="1"
    )
    assert plan.calls
    assert plan.calls[0].call.arguments == {"city": "Oslo"}
    assert len(runtime.decisions) == 1


async def test_arguments_that_were_cut_are_never_given() -> None:
    cut = Call(name="weather", arguments={"city": "Oslo"}, is_cut=True)
    plan = await ScoredPlanner(runtime=ScriptedRuntime([cut]), max_tokens=64).plan(
        PROMPT, tool_choice="auto", call_id="1"
    )
    assert plan.calls
    assert not plan.calls[0].is_complete
    assert plan.calls[0].call.arguments == {}


async def test_an_optional_argument_that_nobody_mentioned_is_left_out() -> None:
    runtime = ScriptedRuntime([call("weather", city="Oslo", days=7)])
    plan = await ScoredPlanner(runtime=runtime, max_tokens=64).plan(
        PROMPT, tool_choice="auto", call_id="1"
    )
    assert plan.calls
    assert plan.calls[0].call.arguments == {"city": "Oslo"}


@pytest.mark.parametrize(
    ("capabilities", "owned"),
    [
        (OWN_DECODER, True),
        (OWN_DECODER | NATIVE, True),
        (NATIVE, False),
        (frozenset[Capability](), False),
        *((OWN_DECODER - {missing}, False) for missing in sorted(OWN_DECODER)),
    ],
)
def test_a_decoder_is_ours_only_with_scores_grammar_and_continuation(
    capabilities: frozenset[Capability], *, owned: bool
) -> None:
    assert owns_decoder(ScriptedRuntime(capabilities=capabilities)) is owned


def test_the_test_double_claims_what_the_planner_asks_for() -> None:
    assert planning.OWN_DECODER == OWN_DECODER
    assert NO_TOOL_NAME not in {tool.name for tool in PROMPT.tools}


# Reading and comparing


@given(OBJECTS)
def test_arguments_are_read_as_they_were_written(arguments: JsonObject) -> None:
    assert parse_arguments(json.dumps(arguments), runtime="r") == arguments


@given(st.text(max_size=40))
def test_any_text_is_an_object_or_an_error_of_the_runtime(text: str) -> None:
    with suppress(ModelOutputError):
        arguments: object = parse_arguments(text, runtime="r")
        assert isinstance(arguments, dict)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "3", '"{}"', "{} {}", "[" * 100_000])
def test_what_is_no_object_is_an_error_that_shows_nothing_of_it(text: str) -> None:
    with pytest.raises(ModelOutputError, match="not a JSON object") as caught:
        parse_arguments(text, runtime="r")
    assert len(str(caught.value)) < 200
    assert caught.value.runtime == "r"


@given(OBJECTS)
def test_the_order_of_arguments_and_the_call_s_id_do_not_matter(arguments: JsonObject) -> None:
    turned = dict(reversed(arguments.items()))
    first = call_text([tool_call("f", arguments, call_id="1")])
    assert first == call_text([tool_call("f", turned, call_id="2")])


@given(st.text(max_size=5), OBJECTS, st.text(max_size=5), OBJECTS)
def test_calls_with_the_same_text_are_the_same_calls(
    name: str, arguments: JsonObject, other_name: str, other: JsonObject
) -> None:
    same = call_text([tool_call(name, arguments)]) == call_text([tool_call(other_name, other)])
    if same:
        assert (name, arguments) == (other_name, other)
    if (name, json.dumps(arguments)) == (other_name, json.dumps(other)):
        assert same


@pytest.mark.parametrize(
    ("one", "two"), [({"a": "1"}, {"a": 1}), ({"a": True}, {"a": 1}), ({"a": None}, {})]
)
def test_values_of_other_types_are_other_calls(one: JsonObject, two: JsonObject) -> None:
    assert call_text([tool_call("f", one)]) != call_text([tool_call("f", two)])


def test_several_calls_are_compared_in_their_order() -> None:
    one, two = tool_call("f", {}), tool_call("g", {})
    assert call_text([one, two]) != call_text([two, one])
