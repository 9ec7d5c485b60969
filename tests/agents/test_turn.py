from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import anyio
import pytest

from smallhold.agents import Agent, Config, Ending, Example, Intent
from smallhold.agents.asking import PROSE_GRAMMAR
from smallhold.agents.endings import CANNOT_TEXT
from smallhold.exceptions import ConfigError, DeadlineExceededError
from smallhold.generation import JsonSchemaConstraint, LarkConstraint, ScoreRequest, Scores
from smallhold.messages import FinishReason, Role, ToolResultEvent
from smallhold.runtimes import Capability
from smallhold.testing import NATIVE, OWN_DECODER, Call, Delay, Reply, ScriptedRuntime, call

if TYPE_CHECKING:
    from tests.agents.conftest import Desk, Listening

STATUS = call("order_status", order_id="1042")
QUESTION = "Where is order 1042?"


# Calls that must not run, or fail


async def test_a_call_of_an_unknown_tool_tells_the_model_which_tools_there_are(desk: Desk) -> None:
    script = [call("find_order", order_id="1042"), STATUS, "It is on its way."]
    agent = desk.agent(ScriptedRuntime(script, capabilities=NATIVE))
    result = await agent.run(QUESTION)
    unknown, known = result.steps
    assert unknown.is_error
    assert not unknown.ran
    for name in ("find_order", *agent.tools.names):
        assert name in unknown.content
    assert "Traceback" not in unknown.content
    assert known.ran
    assert result.text == "It is on its way."


async def test_invalid_arguments_are_told_to_the_model_and_the_tool_is_not_run(desk: Desk) -> None:
    script = [call("stock", product="lamp", least="many"), "Please say how many."]
    agent = desk.agent(ScriptedRuntime(script, capabilities=NATIVE))
    result = await agent.run("Do you have many lamps?")
    (step,) = result.steps
    assert step.is_error
    assert not step.ran
    assert "least" in step.content
    assert "many" in step.content
    assert desk.runs == []
    assert result.ending is Ending.ANSWERED


async def test_a_model_whose_arguments_were_invalid_may_mend_them(
    desk: Desk, kind: frozenset[Capability]
) -> None:
    wrong = call("stock", product="lamp", least="many")
    script = [wrong, call("stock", product="lamp", least=2), "Three."]
    result = await desk.agent(ScriptedRuntime(script, capabilities=kind)).run("Not many: two lamps")
    assert [step.ran for step in result.steps] == [False, True]
    assert desk.runs == ["stock(lamp, 2)"]
    assert result.text == "Three."


async def test_a_tool_that_raises_is_one_line_for_the_model_and_an_exception_for_the_caller(
    desk: Desk, listening: Listening, kind: frozenset[Capability]
) -> None:
    script = [call("broken"), "The till is stuck."]
    result = await desk.agent(ScriptedRuntime(script, capabilities=kind)).run("Open the till")
    (step,) = result.steps
    assert (step.content, step.is_error, step.ran) == ("OSError: the till is stuck", True, True)
    assert isinstance(step.error, OSError)
    assert result.ending is Ending.ANSWERED
    agent = desk.agent(ScriptedRuntime(script, capabilities=kind))
    events = await listening.events(agent.stream("Open the till"))
    (ended,) = [event for event in events if isinstance(event, ToolResultEvent)]
    assert ended.is_error
    assert isinstance(ended.error, OSError)


async def test_a_tool_that_hangs_is_given_up_and_the_run_goes_on(
    kind: frozenset[Capability],
) -> None:
    runtime = ScriptedRuntime([call("wait"), "It takes too long."], capabilities=kind)
    agent = Agent(Config(name="desk"), runtime=runtime)

    @agent.tool(timeout_s=0.05)
    async def wait() -> str:
        """Wait for the van."""
        await anyio.sleep(60)
        return "never"

    assert callable(wait)
    started_s = time.monotonic()
    result = await agent.run("Wait for the van")
    assert time.monotonic() - started_s < 10
    (step,) = result.steps
    assert step.is_error
    assert step.ran
    assert "0.05 s" in step.content
    assert isinstance(step.error, TimeoutError)
    assert result.text == "It takes too long."


async def test_a_call_that_was_cut_is_never_run(desk: Desk, kind: frozenset[Capability]) -> None:
    cut = Call(name="order_status", arguments={"order_id": "1042"}, is_cut=True)
    runtime = ScriptedRuntime([cut, "Please ask again."], capabilities=kind)
    result = await desk.agent(runtime).run(QUESTION)
    assert desk.runs == []
    (step,) = result.steps
    assert step.is_error
    assert not step.ran
    assert "cut off" in step.content
    assert result.text == "Please ask again."


# The same again


async def test_the_same_call_is_never_run_twice(desk: Desk, kind: frozenset[Capability]) -> None:
    script = [STATUS, STATUS, "It is on its way."]
    result = await desk.agent(ScriptedRuntime(script, capabilities=kind)).run(QUESTION)
    assert desk.runs == ["order_status(1042)"]
    assert (result.text, result.ending) == ("It is on its way.", Ending.ANSWERED)


async def test_arguments_in_another_order_are_the_same_call(desk: Desk) -> None:
    script = [
        call("stock", product="lamp", least=2),
        call("stock", least=2, product="lamp"),
        "Three.",
    ]
    await desk.agent(ScriptedRuntime(script, capabilities=NATIVE)).run("Two lamps?")
    assert desk.runs == ["stock(lamp, 2)"]


async def test_a_server_s_model_that_repeats_itself_is_told_the_result_it_has(desk: Desk) -> None:
    runtime = ScriptedRuntime([STATUS, STATUS, "It is on its way."], capabilities=NATIVE)
    result = await desk.agent(runtime).run(QUESTION)
    assert [step.ran for step in result.steps] == [True, False]
    assert "Order 1042 is on its way." in result.steps[1].content


@pytest.mark.parametrize("times", [3, 6])
async def test_a_model_that_only_repeats_itself_ends_with_an_honest_text(
    desk: Desk, kind: frozenset[Capability], times: int
) -> None:
    script = [STATUS] * times
    result = await desk.agent(ScriptedRuntime(script, capabilities=kind)).run(QUESTION)
    assert desk.runs == ["order_status(1042)"]
    assert result.ending is Ending.REPEATED_CALL
    assert "could not finish" in result.text
    assert "Order 1042 is on its way." in result.text


async def test_the_same_call_in_a_later_message_is_run_again(
    desk: Desk, kind: frozenset[Capability]
) -> None:
    agent = desk.agent(ScriptedRuntime([STATUS, "Soon.", STATUS, "Now."], capabilities=kind))
    await agent.run(QUESTION, session="kiosk")
    await agent.run("And now?", session="kiosk")
    assert desk.runs == ["order_status(1042)"] * 2


async def test_a_run_ends_at_its_step_limit_with_an_honest_text(
    desk: Desk, kind: frozenset[Capability]
) -> None:
    script = [call("stock", product=f"lamp{letter}") for letter in "abcdefghij"]
    runtime = ScriptedRuntime(script, capabilities=kind)
    result = await desk.agent(runtime, Config(name="desk", max_steps=3)).run("All lamps?")
    assert len(desk.runs) == len(result.steps) == 3
    assert result.ending is Ending.STEP_LIMIT
    assert "within 3 steps" in result.text
    assert '{"lampc":3}' in result.text


# Answers


@pytest.mark.parametrize("blank", ["", " ", "\n \t"])
async def test_a_model_with_nothing_to_say_gives_an_honest_text(
    desk: Desk, kind: frozenset[Capability], blank: str
) -> None:
    runtime = ScriptedRuntime([blank, "second"], capabilities=kind)
    agent = desk.agent(runtime)
    result = await agent.run("Hello", session="kiosk")
    assert result.ending is Ending.NO_ANSWER
    assert "no answer" in result.text
    await agent.run("Again", session="kiosk")
    said = [m for m in runtime.requests[-1].prompt.messages if m.role is Role.ASSISTANT]
    assert [message.content for message in said if not message.tool_calls] == [result.text]


async def test_a_model_with_nothing_to_say_after_a_call_gives_what_it_learned(
    desk: Desk, kind: frozenset[Capability]
) -> None:
    result = await desk.agent(ScriptedRuntime([STATUS, ""], capabilities=kind)).run(QUESTION)
    assert result.ending is Ending.NO_ANSWER
    assert "Order 1042 is on its way." in result.text


async def test_an_answer_that_reached_the_token_limit_says_so(
    desk: Desk, kind: frozenset[Capability]
) -> None:
    runtime = ScriptedRuntime(["one two three"], capabilities=kind)
    result = await desk.agent(runtime, Config(name="desk", max_tokens=2)).run("Count")
    assert (result.text, result.ending) == ("one two", Ending.ANSWER_CUT)
    cut = Reply(text="one", finish_reason=FinishReason.LENGTH)
    result = await desk.agent(ScriptedRuntime([cut], capabilities=kind)).run("Count")
    assert result.ending is Ending.ANSWER_CUT


async def test_an_answer_varies_as_configured_and_a_call_never_does(desk: Desk) -> None:
    runtime = ScriptedRuntime([STATUS, "It is on its way."])
    await desk.agent(runtime, Config(name="desk", temperature=0.7, max_tokens=99)).run(QUESTION)
    fill, answer = runtime.requests
    assert isinstance(fill.constraint, JsonSchemaConstraint)
    assert (fill.sampling.temperature, answer.sampling.temperature) == (0.0, 0.7)
    assert fill.max_tokens == answer.max_tokens == 99


async def test_an_answer_beside_tools_is_held_to_prose_and_does_not_see_the_tools(
    desk: Desk,
) -> None:
    runtime = ScriptedRuntime(["It is here."])
    await desk.agent(runtime).run("Hello")
    (answer,) = runtime.requests
    assert answer.constraint == LarkConstraint(grammar=PROSE_GRAMMAR)
    assert answer.prompt.tools == ()


async def test_an_agent_without_tools_is_asked_once_and_freely(
    listening: Listening, kind: frozenset[Capability]
) -> None:
    scripted = ScriptedRuntime(["Hello."], capabilities=kind)
    runtime = listening.to(scripted)
    assert await Agent(Config(name="plain"), runtime=runtime).chat_async("Hello") == "Hello."
    assert runtime.decisions == []
    (request,) = scripted.requests
    assert request.constraint is None


# Intents


async def test_what_no_tool_can_do_is_refused_honestly_and_costs_no_answer(desk: Desk) -> None:
    runtime = ScriptedRuntime([call("cannot_do"), "Hello."])
    agent = desk.agent(runtime)
    result = await agent.run("Sing a song", session="kiosk")
    assert (result.ending, result.intent) == (Ending.CANNOT, Intent.CANNOT)
    assert result.text == CANNOT_TEXT
    assert result.margin is not None
    assert runtime.requests == []
    assert await agent.chat_async("Hello", session="kiosk") == "Hello."


async def test_after_a_call_there_is_always_an_answer(desk: Desk) -> None:
    runtime = ScriptedRuntime([STATUS, call("cannot_do"), "It is on its way."])
    result = await desk.agent(runtime).run(QUESTION)
    assert (result.text, result.ending) == ("It is on its way.", Ending.ANSWERED)


async def test_the_result_tells_what_the_first_decision_was_for(
    desk: Desk, kind: frozenset[Capability]
) -> None:
    called = await desk.agent(ScriptedRuntime([STATUS, "Soon."], capabilities=kind)).run(QUESTION)
    answered = await desk.agent(ScriptedRuntime(["Hello."], capabilities=kind)).run("Hello")
    assert (called.intent, answered.intent) == (Intent.CALL, Intent.ANSWER)
    assert (called.margin is None) is (kind == NATIVE)


# Identifiers


@pytest.mark.parametrize(
    "invented",
    [
        call("order_status", order_id="9999"),
        call("call_back", phone="+44 20 7946 0000"),
        call("call_back", phone="020-79460000"),
        call("mail", email="ada@lovelace.example"),
    ],
)
async def test_an_identifier_that_nobody_said_is_asked_for_instead_of_used(
    desk: Desk, kind: frozenset[Capability], invented: Call
) -> None:
    runtime = ScriptedRuntime([invented, "Which number, please?"], capabilities=kind)
    result = await desk.agent(runtime).run("Please call me about my order of 10 lamps")
    assert desk.runs == []
    (step,) = result.steps
    assert step.is_error
    assert not step.ran
    assert "Ask for" in step.content
    if kind == OWN_DECODER:
        assert result.ending is Ending.ASKED
        assert result.text.startswith("I need this from you first: ")
    else:
        assert result.text == "Which number, please?"
        assert runtime.requests[-1].prompt.messages[-1].content == step.content


async def test_what_is_asked_for_is_named_as_the_tool_describes_it(desk: Desk) -> None:
    runtime = ScriptedRuntime([call("order_status", order_id="9999"), "Which one?"])
    result = await desk.agent(runtime).run("Where is my order?")
    assert "The number printed on the receipt" in result.steps[0].content


async def test_after_asking_for_an_identifier_no_further_call_is_made(desk: Desk) -> None:
    script = [call("order_status", order_id="9999"), call("order_status", order_id="8888")]
    result = await desk.agent(ScriptedRuntime(script)).run("Where is my order?")
    assert desk.runs == []
    assert len(result.steps) == 1


async def test_an_identifier_from_an_earlier_message_or_result_may_be_used(
    desk: Desk, kind: frozenset[Capability]
) -> None:
    script = ["Which order?", STATUS, "Soon.", call("call_back", phone="1042"), "Noted."]
    agent = desk.agent(ScriptedRuntime(script, capabilities=kind))
    await agent.run("My number is 1042", session="kiosk")
    await agent.run("Where is it?", session="kiosk")
    await agent.run("Then call me", session="kiosk")
    assert desk.runs == ["order_status(1042)", "call_back(1042)"]


async def test_an_identifier_from_the_instructions_may_be_used(desk: Desk) -> None:
    runtime = ScriptedRuntime([call("call_back", phone="020 7946 0123"), "Noted."])
    config = Config(name="desk", context="The manager's phone: 020 7946 0123.")
    await desk.agent(runtime, config).run("Call the manager")
    assert desk.runs == ["call_back(020 7946 0123)"]


async def test_an_identifier_that_only_the_agent_itself_wrote_is_still_invented(
    desk: Desk, kind: frozenset[Capability]
) -> None:
    script = ["Is it order 9999?", call("order_status", order_id="9999"), "Which one?"]
    agent = desk.agent(ScriptedRuntime(script, capabilities=kind))
    await agent.run("Where is my order?", session="kiosk")
    await agent.run("I do not know", session="kiosk")
    assert desk.runs == []


async def test_an_identifier_that_only_an_example_shows_is_still_invented(desk: Desk) -> None:
    shown = Example(text="Where is 9999?", tool="order_status", arguments={"order_id": "9999"})
    runtime = ScriptedRuntime([call("order_status", order_id="9999"), "Which one?"])
    await desk.agent(runtime, Config(name="desk", examples=(shown,))).run("Where is my order?")
    assert desk.runs == []


async def test_an_example_of_an_unknown_tool_is_refused(desk: Desk) -> None:
    shown = Example(text="Sing!", tool="sing")
    runtime = ScriptedRuntime(["la"])
    agent = desk.agent(runtime, Config(name="desk", examples=(shown,)))
    with pytest.raises(ConfigError, match="sing") as caught:
        await agent.run("Sing!")
    assert "order_status" in caught.value.remedy
    assert runtime.requests == []


# Time


async def test_a_run_is_stopped_when_its_time_is_up(
    desk: Desk, kind: frozenset[Capability]
) -> None:
    runtime = ScriptedRuntime([Delay(seconds=60), "late"], capabilities=kind)
    started_s = time.monotonic()
    with pytest.raises(DeadlineExceededError, match=r"0\.05 s"):
        await desk.agent(runtime, Config(name="desk", timeout=0.05)).run("Hello")
    assert time.monotonic() - started_s < 10


async def test_the_time_is_for_the_whole_run_and_not_for_each_step(
    desk: Desk, kind: frozenset[Capability]
) -> None:
    steps = [call("stock", product="lamp"), call("stock", product="bulb"), "Three."]
    script = [entry for step in steps for entry in (Delay(seconds=0.15), step)]
    runtime = ScriptedRuntime(script, capabilities=kind)
    with pytest.raises(DeadlineExceededError):
        await desk.agent(runtime, Config(name="desk", timeout=0.4)).run("Lamps and bulbs?")


async def test_a_runtime_s_own_time_out_is_not_taken_for_the_run_s(desk: Desk) -> None:
    class Unreachable(ScriptedRuntime):
        async def score(self, request: ScoreRequest) -> Scores:
            message = f"no route to score {len(request.choices)} choices"
            raise TimeoutError(message)

    with pytest.raises(TimeoutError, match="no route"):
        await desk.agent(Unreachable()).run("Hello")


async def test_a_tool_may_not_outlast_the_run(kind: frozenset[Capability]) -> None:
    released = threading.Event()
    runtime = ScriptedRuntime([call("wait"), "late"], capabilities=kind)
    agent = Agent(Config(name="desk", timeout=0.1), runtime=runtime)

    @agent.tool
    def wait() -> str:
        """Wait for the van."""
        released.wait(60)
        return "here"

    assert callable(wait)
    started_s = time.monotonic()
    try:
        with pytest.raises(DeadlineExceededError):
            await agent.run("Wait for the van")
        assert time.monotonic() - started_s < 10
    finally:
        released.set()


# Budgets


async def test_after_the_allowed_calls_the_agent_answers_without_deciding_again(desk: Desk) -> None:
    passes: list[int] = []
    for limit in (1, None):
        runtime = ScriptedRuntime([call("order_status", order_id="1042"), "It is on its way."])
        config = Config(name="desk", max_calls=limit)
        result = await desk.agent(runtime, config).run("Where is order 1042?")
        assert result.text == "It is on its way."
        assert len(result.steps) == 1
        passes.append(result.usage.passes)
    assert passes[1] - passes[0] == 1
