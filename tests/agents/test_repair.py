from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.agents import Ending
from smallhold.agents.planning import PlannedCall
from smallhold.agents.repair import UNREADABLE_CALL, Fault, calls_of_speech, sound_tool, told_apart
from smallhold.agents.result import Refusal
from smallhold.agents.speaking import Speech
from smallhold.agents.text_calls import BrokenCall, TextCall
from smallhold.messages import FinishReason, JsonObject, Message, Role, ToolCall, Usage
from smallhold.runtimes import Capability
from smallhold.testing import NATIVE, Call, Calls, ScriptedRuntime, call
from smallhold.tools import MESSAGE_LIMIT_CHARS, ToolSet

if TYPE_CHECKING:
    from tests.agents.conftest import Desk


def stock(product: str, least: int = 1) -> str:
    """Count a product."""
    return f"{least} {product}"


TOOLS = ToolSet([stock])


def planned(
    name: str = "stock",
    arguments: JsonObject | None = None,
    *,
    raw: str | None = None,
    is_complete: bool = True,
) -> PlannedCall:
    call = ToolCall(id="1", name=name, arguments=arguments or {}, raw_arguments=raw)
    return PlannedCall(call=call, margin=None, is_complete=is_complete)


def fault(call: PlannedCall) -> Fault:
    found = sound_tool(call, TOOLS.find(call.call.name))
    assert isinstance(found, Fault)
    assert len(found.message) <= MESSAGE_LIMIT_CHARS
    assert "\n" not in found.message
    return found


def speech(
    *calls: ToolCall, text: tuple[TextCall | BrokenCall, ...] = (), is_cut: bool = False
) -> Speech:
    return Speech(
        text="",
        native_calls=calls,
        text_calls=text,
        finish_reason=FinishReason.LENGTH if is_cut else FinishReason.STOP,
        usage=Usage(),
    )


def test_a_sound_call_has_its_tool() -> None:
    assert sound_tool(planned(arguments={"product": "lamp"}), TOOLS.find("stock")) is TOOLS.find(
        "stock"
    )


def test_arguments_that_are_no_json_are_shown_with_the_names_that_are_right() -> None:
    found = fault(planned(raw='{product: lamp, "least'))
    assert found.refusal is Refusal.UNREADABLE
    for part in ("stock", "{product: lamp", '"product"', '"least"'):
        assert part in found.message


def test_a_call_that_was_cut_is_never_sound() -> None:
    found = fault(planned(arguments={"product": "lamp"}, is_complete=False))
    assert found.refusal is Refusal.UNREADABLE
    assert "cut off" in found.message


def test_an_unknown_tool_is_answered_with_the_known_ones() -> None:
    found = fault(planned("sing"))
    assert found.refusal is Refusal.UNKNOWN_TOOL
    assert "sing" in found.message
    assert "stock" in found.message


def test_a_call_whose_tool_cannot_be_told_is_shown_as_it_was_written() -> None:
    found = fault(planned(UNREADABLE_CALL, raw="<tool_call>sing a song"))
    assert found.refusal is Refusal.UNREADABLE
    assert "sing a song" in found.message
    assert "Tools: stock" in found.message


def test_a_wrong_type_is_named_with_its_field_and_what_was_written() -> None:
    found = fault(planned(arguments={"product": "lamp", "least": "many"}))
    assert found.refusal is Refusal.INVALID_ARGUMENTS
    for part in ("least", "whole number", "many"):
        assert part in found.message


@given(st.text(max_size=3_000))
def test_whatever_was_written_the_model_is_told_one_short_line(raw: str) -> None:
    fault(planned(raw=raw))
    fault(planned(UNREADABLE_CALL, raw=raw))


def test_slips_that_leave_no_doubt_are_mended_before_anybody_is_told() -> None:
    call = ToolCall(id="1", name="Stock", arguments={}, raw_arguments="{'product': 'lamp',}")
    (mended,) = calls_of_speech(speech(call), TOOLS)
    assert mended.call == ToolCall(id="1", name="stock", arguments={"product": "lamp"})


def test_the_same_call_twice_in_one_reply_is_one_call() -> None:
    one = ToolCall(id="1", name="stock", arguments={"product": "lamp"})
    other = ToolCall(id="2", name="stock", arguments={"product": "bulb"})
    again = ToolCall(id="3", name="stock", arguments={"product": "lamp"})
    calls = calls_of_speech(speech(one, other, again), TOOLS)
    assert [planned.call for planned in calls] == [one, other]


def test_only_the_last_call_of_a_reply_was_cut() -> None:
    one, two = (ToolCall(id=n, name="stock", arguments={"product": n}) for n in "12")
    calls = calls_of_speech(speech(one, two, is_cut=True), TOOLS)
    assert [planned.is_complete for planned in calls] == [True, False]


def test_calls_that_came_as_text_are_calls() -> None:
    found = (
        TextCall(name="stock", arguments={"product": "lamp"}),
        BrokenCall(written="<tool_call>{", is_cut=True),
    )
    whole, cut = calls_of_speech(speech(text=found), TOOLS)
    assert (whole.call.name, whole.is_complete) == ("stock", True)
    assert (cut.call.name, cut.is_complete) == (UNREADABLE_CALL, False)


def test_every_call_gets_an_id_of_its_own() -> None:
    used = Message(
        role=Role.ASSISTANT,
        content="",
        tool_calls=(ToolCall(id="call_1", name="stock", arguments={}),),
    )
    calls = [
        PlannedCall(
            call=ToolCall(id=call_id, name="stock", arguments={}), margin=None, is_complete=True
        )
        for call_id in ("", "call_1", "x", "x", "")
    ]
    ids = [one.call.id for one in told_apart(calls, [used])]
    assert len({*ids, "call_1"}) == 6
    assert ids[2] == "x"


# An agent


async def test_arguments_that_are_no_json_are_mended_by_the_model(desk: Desk) -> None:
    broken = Call(name="order_status", arguments={}, raw_arguments="order 1042")
    script = [broken, call("order_status", order_id="1042"), "On its way."]
    runtime = ScriptedRuntime(script, capabilities=NATIVE)
    result = await desk.agent(runtime).run("Where is order 1042?")
    assert desk.runs == ["order_status(1042)"]
    assert result.text == "On its way."
    told = runtime.requests[1].prompt.messages[-1]
    assert "order 1042" in told.content
    assert "order_id" in told.content


async def test_arguments_that_are_almost_json_need_no_second_try(desk: Desk) -> None:
    almost = Call(name="order_status", arguments={}, raw_arguments="{'order_id': '1042',}")
    runtime = ScriptedRuntime([almost, "On its way."], capabilities=NATIVE)
    result = await desk.agent(runtime).run("Where is order 1042?")
    assert desk.runs == ["order_status(1042)"]
    assert len(result.steps) == 1


@pytest.mark.parametrize("written", ["OrderStatus", "order-status", "order_statuss"])
async def test_a_slip_in_a_tool_s_name_is_mended(desk: Desk, written: str) -> None:
    runtime = ScriptedRuntime([call(written, order_id="1042"), "Soon."], capabilities=NATIVE)
    result = await desk.agent(runtime).run("Where is order 1042?")
    assert desk.runs == ["order_status(1042)"]
    assert result.steps[0].call.name == "order_status"


async def test_a_model_is_told_twice_and_then_the_run_ends_honestly(desk: Desk) -> None:
    script = [
        call("find_order", order_id="1042"),
        Call(name="order_status", arguments={}, raw_arguments="[1042"),
        call("stock", product="lamp", least="many"),
        "never asked for",
    ]
    runtime = ScriptedRuntime(script, capabilities=NATIVE)
    result = await desk.agent(runtime).run("Where is order 1042?")
    assert result.ending is Ending.INVALID_CALLS
    assert [step.refusal for step in result.steps] == [
        Refusal.UNKNOWN_TOOL,
        Refusal.UNREADABLE,
        Refusal.INVALID_ARGUMENTS,
    ]
    assert "least" in result.text
    assert desk.runs == []
    assert len(runtime.requests) == 3


async def test_a_model_that_mends_its_second_wrong_call_goes_on(desk: Desk) -> None:
    wrong = [call("stock", product="lamp", least=text) for text in ("many", "most")]
    script = [*wrong, call("stock", product="lamp"), "Three."]
    result = await desk.agent(ScriptedRuntime(script, capabilities=NATIVE)).run("Lamps?")
    assert (result.text, result.ending) == ("Three.", Ending.ANSWERED)
    assert desk.runs == ["stock(lamp, 1)"]


async def test_a_broken_call_in_text_is_told_and_mended(desk: Desk) -> None:
    script = [
        "<tool_call>look up order 1042</tool_call>",
        '<tool_call>{"name": "order_status", "arguments": {"order_id": "1042"}}</tool_call>',
        "On its way.",
    ]
    runtime = ScriptedRuntime(script, capabilities=NATIVE)
    result = await desk.agent(runtime).run("Where is order 1042?")
    assert (result.text, desk.runs) == ("On its way.", ["order_status(1042)"])


async def test_several_calls_of_one_reply_run_in_order(
    desk: Desk, kind: frozenset[Capability]
) -> None:
    both = Calls(calls=(call("order_status", order_id="1042"), call("stock", product="lamp")))
    runtime = ScriptedRuntime([both, "On its way, and three."], capabilities=kind)
    result = await desk.agent(runtime).run("Where is order 1042, and are there lamps?")
    assert desk.runs == ["order_status(1042)", "stock(lamp, 1)"]
    assert [step.decision for step in result.steps] == [0, 0]
    assert result.text == "On its way, and three."
