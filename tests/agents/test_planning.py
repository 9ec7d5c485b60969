from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.agents import Example, planning
from smallhold.agents.call_script import call_script, content_free
from smallhold.agents.examples import example_messages
from smallhold.agents.planning import (
    MAX_CALLS_AT_ONCE,
    Intent,
    Plan,
    ScoredPlanner,
    ToolChoice,
    call_text,
    owns_decoder,
)
from smallhold.generation import JsonSchemaConstraint, Prompt
from smallhold.messages import JsonObject, JsonValue, Message, Role, ToolCall, ToolSchema
from smallhold.models.calibration import Calibration, LinearRule
from smallhold.runtimes import Capability, Runtime
from smallhold.runtimes.dialects import JSON_LINES
from smallhold.testing import NATIVE, OWN_DECODER, Call, Calls, Reply, ScriptedRuntime, call

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


def tool(name: str, *, composed: tuple[str, ...] = ()) -> ToolSchema:
    parameters: JsonObject = {
        "type": "object",
        "properties": {
            "city": {"type": "string", "description": "Name of the city."},
            "days": {"type": "integer"},
        },
        "required": ["city"],
    }
    return ToolSchema(
        name=name, description=f"Tell the {name}.", parameters=parameters, composed=composed
    )


INSTRUCTIONS = Message(role=Role.SYSTEM, content="Be brief.")
TOOLS = (tool("weather"), tool("news"))
PROMPT = Prompt(
    messages=(INSTRUCTIONS, Message(role=Role.USER, content="What is the weather in Oslo?")),
    tools=TOOLS,
)
NEVER = LinearRule(weights={}, intercept=-1.0)
ALWAYS = LinearRule(weights={}, intercept=1.0)
ASKING = Calibration(
    fitted_on="invented",
    pick=LinearRule(weights={"score": 1.0}, intercept=0.0),
    call=LinearRule(weights={"over_answer": 1.0}, intercept=0.0),
    further=NEVER,
    suits=ALWAYS,
    ask=LinearRule(weights={"invented": 1.0}, intercept=-0.5),
)
"""Calls whenever the tool is likelier than an answer, and asks for whatever was invented."""


def asking(text: str, *tools: ToolSchema, examples: Sequence[Example] = ()) -> Prompt:
    shown = example_messages(examples)
    said = Message(role=Role.USER, content=text)
    return Prompt(
        messages=(INSTRUCTIONS, *shown, said), tools=tools or TOOLS, fixed_messages=len(shown)
    )


def planner(runtime: Runtime, *, max_tokens: int = 64) -> ScoredPlanner:
    return ScoredPlanner(runtime=runtime, max_tokens=max_tokens)


async def plan_of(
    runtime: Runtime, prompt: Prompt = PROMPT, *, tool_choice: ToolChoice = "auto"
) -> Plan:
    return await planner(runtime).plan(prompt, tool_choice=tool_choice, call_id="1")


def made(plan: Plan) -> list[tuple[str, JsonObject]]:
    return [(planned.call.name, planned.call.arguments) for planned in plan.calls]


def tool_call(name: str, arguments: JsonObject, *, call_id: str = "1") -> ToolCall:
    return ToolCall(id=call_id, name=name, arguments=arguments)


# Deciding


async def test_a_plan_is_the_scored_tool_with_the_decoded_arguments() -> None:
    runtime = ScriptedRuntime([call("weather", city="Oslo")])
    plan = await planner(runtime).plan(PROMPT, tool_choice="auto", call_id="call_7")
    (planned,) = plan.calls
    assert plan.intent is Intent.CALL
    assert planned.call == tool_call("weather", {"city": "Oslo"}, call_id="call_7")
    assert planned.is_complete
    assert planned.margin is not None
    assert planned.margin > 0
    assert planned.margin == plan.margin
    assert plan.usage.passes > 1


async def test_when_no_tool_is_wanted_nothing_is_decoded() -> None:
    runtime = ScriptedRuntime(["It rains."])
    plan = await plan_of(runtime)
    assert (plan.intent, plan.calls, plan.missing) == (Intent.ANSWER, (), ())
    assert plan.margin is not None
    assert plan.margin < 0
    assert plan.usage.passes == 1
    assert runtime.requests == []


async def test_a_model_that_would_rather_say_that_it_cannot_help_says_so() -> None:
    plan = await plan_of(ScriptedRuntime([call("cannot_do")]))
    assert (plan.intent, plan.calls) == (Intent.CANNOT, ())


async def test_tools_and_special_calls_are_scored_where_a_call_would_name_them(
    listening: Listening,
) -> None:
    runtime = listening.to(ScriptedRuntime(["It rains."]))
    await plan_of(runtime)
    (prompt,) = runtime.decisions
    assert prompt == call_script(PROMPT)
    assert prompt.continuation == JSON_LINES.before_name


async def test_without_examples_the_model_s_bias_is_measured_on_a_message_without_content(
    listening: Listening,
) -> None:
    runtime = listening.to(ScriptedRuntime(["It rains."]))
    await plan_of(runtime)
    assert runtime.baselines == [call_script(content_free(PROMPT))]


async def test_examples_of_the_agent_s_own_make_up_for_the_bias(listening: Listening) -> None:
    runtime = listening.to(ScriptedRuntime(["It rains."]), calibration=ASKING)
    prompt = asking("Weather, please", examples=[Example(text="Good morning")])
    await plan_of(runtime, prompt)
    assert runtime.baselines == []


async def test_a_required_call_of_the_only_tool_needs_no_decision(listening: Listening) -> None:
    runtime = listening.to(ScriptedRuntime([call("weather", city="Oslo")]))
    only = Prompt(messages=PROMPT.messages, tools=TOOLS[:1])
    decision, usage = await planner(runtime).decide(only, tool_choice="required")
    assert (decision.tool, usage.passes, runtime.decisions) == ("weather", 0, [])


async def test_a_required_call_is_made_even_when_an_answer_is_likelier(
    listening: Listening,
) -> None:
    # The script has no call, so the decoded arguments are the reply's own text.
    runtime = listening.to(ScriptedRuntime([Reply(text='{"city": "Oslo"}}')]))
    plan = await plan_of(runtime, tool_choice="required")
    assert made(plan) == [("weather", {"city": "Oslo"})]
    assert runtime.baselines == [call_script(content_free(PROMPT))]


# Filling


async def test_arguments_are_decoded_under_the_tool_s_schema_in_its_opened_call() -> None:
    runtime = ScriptedRuntime([call("news", city="Oslo")])
    await planner(runtime, max_tokens=33).plan(PROMPT, tool_choice="auto", call_id="1")
    (request,) = runtime.requests
    assert isinstance(request.constraint, JsonSchemaConstraint)
    assert request.constraint.closing == JSON_LINES.closing
    properties = request.constraint.schema["properties"]
    assert isinstance(properties, dict)
    assert list(properties) == ["city", "days"]
    assert request.prompt == call_script(PROMPT, opened="news")
    assert request.max_tokens == 33
    assert request.sampling.temperature == 0.0


async def test_arguments_that_were_cut_are_never_given() -> None:
    cut = Call(name="weather", arguments={"city": "Oslo"}, is_cut=True)
    plan = await plan_of(ScriptedRuntime([cut]))
    (planned,) = plan.calls
    assert not planned.is_complete
    assert planned.call.arguments == {}


async def test_an_optional_argument_that_nobody_mentioned_is_left_out() -> None:
    runtime = ScriptedRuntime([call("weather", city="Oslo", days=7)])
    assert made(await plan_of(runtime)) == [("weather", {"city": "Oslo"})]


# Several calls for one message


async def test_a_message_that_asks_for_several_things_gets_a_call_for_each(
    listening: Listening,
) -> None:
    script = Calls(
        calls=(
            call("weather", city="Oslo"),
            call("weather", city="Rome"),
            call("news", city="Rome"),
        )
    )
    runtime = listening.to(ScriptedRuntime([script]))
    prompt = asking("Weather in Oslo and Rome, and news of Rome")
    plan = await plan_of(runtime, prompt)
    oslo, rome, news = (planned.call for planned in plan.calls)
    assert made(plan) == [
        ("weather", {"city": "Oslo"}),
        ("weather", {"city": "Rome"}),
        ("news", {"city": "Rome"}),
    ]
    assert len({oslo.id, rome.id, news.id}) == 3
    assert runtime.decisions == [
        call_script(prompt),
        *(
            call_script(prompt, made=before)
            for before in ([oslo], [oslo, rome], [oslo, rome, news])
        ),
    ]
    assert [one.continuation for one in runtime.generations] == [
        call_script(prompt, made=before, opened=name).continuation
        for before, name in (([], "weather"), ([oslo], "weather"), ([oslo, rome], "news"))
    ]


async def test_a_call_that_was_made_for_the_message_already_ends_it() -> None:
    script = Calls(calls=(call("weather", city="Oslo"),) * 3)
    plan = await plan_of(ScriptedRuntime([script]))
    assert made(plan) == [("weather", {"city": "Oslo"})]


@pytest.mark.parametrize(
    "second",
    [
        call("weather", city="Oslo"),
        call("weather", city="oslo"),
        call("weather", city="Rome"),
        call("weather", city="Oslo", days=7),
    ],
)
async def test_calls_end_where_the_next_one_of_a_tool_would_bring_nothing_new_that_was_said(
    second: Call,
) -> None:
    script = Calls(calls=(call("weather", city="Oslo"), second, call("weather", city="Bergen")))
    plan = await plan_of(ScriptedRuntime([script]), asking("How is Oslo, or else Bergen?"))
    assert made(plan) == [("weather", {"city": "Oslo"})]


async def test_another_tool_may_be_called_with_what_a_call_holds_already() -> None:
    script = Calls(calls=(call("weather", city="Oslo"), call("news", city="Oslo")))
    plan = await plan_of(ScriptedRuntime([script]))
    assert made(plan) == [("weather", {"city": "Oslo"}), ("news", {"city": "Oslo"})]


async def test_there_is_an_end_of_calls_for_one_message() -> None:
    cities = [f"Town{number}" for number in range(MAX_CALLS_AT_ONCE + 3)]
    script = Calls(calls=tuple(call("weather", city=city) for city in cities))
    plan = await plan_of(ScriptedRuntime([script]), asking(f"Weather of {', '.join(cities)}"))
    assert [arguments["city"] for _, arguments in made(plan)] == cities[:MAX_CALLS_AT_ONCE]


async def test_after_a_call_that_was_cut_no_other_is_looked_for(listening: Listening) -> None:
    cut = Call(name="weather", arguments={"city": "Oslo"}, is_cut=True)
    runtime = listening.to(ScriptedRuntime([Calls(calls=(cut, call("news", city="Oslo")))]))
    plan = await plan_of(runtime)
    assert [planned.is_complete for planned in plan.calls] == [False]
    assert len(runtime.decisions) == 1


async def test_every_pass_of_every_call_is_in_the_bill() -> None:
    one = await plan_of(ScriptedRuntime([call("weather", city="Oslo")]))
    both = Calls(calls=(call("weather", city="Oslo"), call("news", city="Oslo")))
    two = await plan_of(ScriptedRuntime([both]))
    assert two.usage.passes > one.usage.passes
    assert two.usage.prompt_tokens > one.usage.prompt_tokens


# Calls that are made, asked about or left, once filled


async def test_what_only_the_user_can_know_is_asked_for_by_its_description(
    listening: Listening,
) -> None:
    runtime = listening.to(ScriptedRuntime([call("weather", city="Paris")]), calibration=ASKING)
    plan = await plan_of(runtime, asking("Will it rain?"))
    assert (plan.intent, plan.calls, plan.missing) == (Intent.ASK, (), ("Name of the city",))
    assert plan.usage.passes > 1


async def test_what_the_user_said_is_not_asked_for(listening: Listening) -> None:
    runtime = listening.to(ScriptedRuntime([call("weather", city="Oslo")]), calibration=ASKING)
    plan = await plan_of(runtime)
    assert (plan.intent, made(plan)) == (Intent.CALL, [("weather", {"city": "Oslo"})])


async def test_what_the_model_may_compose_is_not_asked_for(listening: Listening) -> None:
    runtime = listening.to(ScriptedRuntime([call("weather", city="Paris")]), calibration=ASKING)
    composing = tool("weather", composed=("city",))
    plan = await plan_of(runtime, asking("Will it rain?", composing, tool("news")))
    assert plan.intent is Intent.CALL


@pytest.mark.parametrize(
    ("tool_choice", "examples", "is_calibrated"),
    [
        ("required", (), True),
        ("auto", (Example(text="Good morning"),), True),
        ("auto", (), False),
    ],
)
async def test_nothing_is_asked_for_where_a_call_is_required_or_nothing_was_learnt_for_the_prompt(
    listening: Listening,
    tool_choice: ToolChoice,
    examples: tuple[Example, ...],
    *,
    is_calibrated: bool,
) -> None:
    runtime = listening.to(
        ScriptedRuntime([call("weather", city="Paris")]),
        calibration=ASKING if is_calibrated else None,
    )
    prompt = asking("Will it rain?", examples=examples)
    assert (await plan_of(runtime, prompt, tool_choice=tool_choice)).intent is Intent.CALL


async def test_nothing_is_asked_for_where_nothing_is_missing(listening: Listening) -> None:
    always = replace(ASKING, ask=ALWAYS)
    runtime = listening.to(ScriptedRuntime([call("weather", city="Oslo")]), calibration=always)
    plan = await plan_of(runtime)
    assert (plan.intent, plan.missing) == (Intent.CALL, ())


async def test_a_call_is_made_with_what_nobody_said_where_asking_is_not_worth_it(
    listening: Listening,
) -> None:
    seldom = replace(ASKING, ask=LinearRule(weights={"invented": 1.0}, intercept=-1.5))
    runtime = listening.to(ScriptedRuntime([call("weather", city="Paris")]), calibration=seldom)
    plan = await plan_of(runtime, asking("Will it rain?"))
    assert (plan.intent, made(plan)) == (Intent.CALL, [("weather", {"city": "Paris"})])


@pytest.mark.parametrize("city", ["Oslo", "Paris"])
async def test_a_filled_call_that_does_not_suit_is_neither_made_nor_asked_about(
    listening: Listening, city: str
) -> None:
    other = replace(ASKING, suits=LinearRule(weights={"said": 1.0}, intercept=-2.5))
    runtime = listening.to(ScriptedRuntime([call("weather", city=city)]), calibration=other)
    plan = await plan_of(runtime)
    assert plan.intent in {Intent.ANSWER, Intent.CANNOT}
    assert (plan.calls, plan.missing) == ((), ())
    assert plan.margin == {"Oslo": -1.5, "Paris": -2.5}[city]
    assert plan.usage.passes > 1


async def test_the_margin_of_a_filled_call_says_how_well_it_suits(listening: Listening) -> None:
    sure = replace(ASKING, suits=LinearRule(weights={"said": 1.0}, intercept=0.25))
    made_of = listening.to(ScriptedRuntime([call("weather", city="Oslo")]), calibration=sure)
    plan = await plan_of(made_of)
    assert (plan.margin, [planned.margin for planned in plan.calls]) == (1.25, [1.25])
    asked_of = listening.to(ScriptedRuntime([call("weather", city="Paris")]), calibration=sure)
    plan = await plan_of(asked_of, asking("Will it rain?"))
    assert (plan.intent, plan.margin) == (Intent.ASK, 0.25)


async def test_a_call_that_is_required_is_made_even_where_it_does_not_suit(
    listening: Listening,
) -> None:
    never = replace(ASKING, suits=NEVER)
    runtime = listening.to(ScriptedRuntime([call("weather", city="Oslo")]), calibration=never)
    plan = await plan_of(runtime, tool_choice="required")
    assert (plan.intent, made(plan)) == (Intent.CALL, [("weather", {"city": "Oslo"})])


async def test_arguments_that_were_cut_are_no_reason_to_ask_or_to_give_up(
    listening: Listening,
) -> None:
    strict = replace(ASKING, suits=NEVER, ask=ALWAYS)
    cut = Call(name="weather", arguments={"city": "Paris"}, is_cut=True)
    plan = await plan_of(listening.to(ScriptedRuntime([cut]), calibration=strict))
    assert plan.intent is Intent.CALL
    assert not plan.calls[0].is_complete


async def test_a_calibration_decides_on_the_call_and_on_further_ones(
    listening: Listening,
) -> None:
    both = Calls(calls=(call("weather", city="Oslo"), call("news", city="Oslo")))
    never = replace(ASKING, call=NEVER)
    wanted = listening.to(ScriptedRuntime([both]), calibration=ASKING)
    refused = listening.to(ScriptedRuntime([both]), calibration=never)
    assert made(await plan_of(wanted)) == [("weather", {"city": "Oslo"})]
    assert (await plan_of(refused)).calls == ()


# What it needs


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


# Comparing


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
