"""Runs that wait for a person: this file holds promises about approvals across processes."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.state.set_clock import SetClock

from smallhold.agents import Agent, Config, Ending, Refusal
from smallhold.agents.guardrails import OutputCheck, Stage, ToolCheck, Verdict, on_call, on_output
from smallhold.exceptions import ConfigError, UnfinishedRunError
from smallhold.messages import DoneEvent, TokenEvent, ToolCallEvent, text_of
from smallhold.state import State
from smallhold.state.sessions import EntryKind, RunStatus
from smallhold.testing import Calls, ScriptedRuntime, call
from smallhold.tools import tool, tool_from_function

if TYPE_CHECKING:
    from tests.agents.runs.conftest import CutOff, Shop

SESSION = "till"
REFUND = call("refund", order="17", amount=25)
ASKED = "Refund order 17 with 25 please."


async def test_a_call_that_needs_approval_waits_and_is_not_run(shop: Shop) -> None:
    result = await shop.agent([REFUND]).run(ASKED, session=SESSION)
    assert result.ending is Ending.AWAITING_APPROVAL
    (approval,) = result.approvals
    assert (approval.tool, approval.arguments, approval.status, approval.session) == (
        "refund",
        {"order": "17", "amount": 25},
        "pending",
        SESSION,
    )
    assert "refund" in result.text
    assert shop.runs == []
    assert (await shop.state.sessions.run(result.run_id)).status is RunStatus.WAITING
    assert [entry.kind for entry in await shop.entries(result.run_id)] == ["message", "decision"]


async def test_a_session_that_waits_takes_no_other_message(shop: Shop) -> None:
    await shop.agent([REFUND]).run(ASKED, session=SESSION)
    with pytest.raises(UnfinishedRunError, match="waits for an approval"):
        await shop.agent(["Hi."]).run("Hello", session=SESSION)


async def test_an_approved_call_is_run_in_whatever_process_goes_on(shop: Shop) -> None:
    waiting = await shop.agent([REFUND]).run(ASKED, session=SESSION)
    await shop.state.approvals.approve(waiting.approvals[0].id, by="Ada")
    result = await shop.agent(["Paid."]).resume(waiting.run_id)
    assert shop.runs == ["refund(17, 25)"]
    assert (result.text, result.ending, result.approvals) == ("Paid.", Ending.ANSWERED, ())


async def test_an_undecided_run_waits_on_and_asks_nobody_twice(shop: Shop) -> None:
    waiting = await shop.agent([REFUND]).run(ASKED, session=SESSION)
    again = await shop.agent().resume(waiting.run_id)
    assert again.approvals == waiting.approvals
    assert len(await shop.state.approvals.pending()) == 1


async def test_a_person_may_change_the_arguments_and_the_model_sees_what_ran(shop: Shop) -> None:
    waiting = await shop.agent([REFUND]).run(ASKED, session=SESSION)
    await shop.state.approvals.edit(waiting.approvals[0].id, {"order": "17", "amount": 5}, by="Ada")
    result = await shop.agent(["Paid 5."]).resume(waiting.run_id)
    assert shop.runs == ["refund(17, 5)"]
    assert result.steps[0].call.arguments == {"order": "17", "amount": 5}
    conversation = await shop.state.sessions.conversation(SESSION)
    calls = [one.arguments for message in conversation for one in message.tool_calls]
    assert calls == [{"order": "17", "amount": 5}]


async def test_changed_arguments_are_checked_like_a_model_s(shop: Shop) -> None:
    waiting = await shop.agent([REFUND]).run(ASKED, session=SESSION)
    await shop.state.approvals.edit(waiting.approvals[0].id, {"amount": 5}, by="Ada")
    result = await shop.agent(["I could not."]).resume(waiting.run_id)
    assert shop.runs == []
    assert result.steps[0].refusal is Refusal.DENIED
    assert "order" in result.steps[0].content


async def test_a_denied_call_is_not_run_and_the_model_reads_why(shop: Shop) -> None:
    waiting = await shop.agent([REFUND]).run(ASKED, session=SESSION)
    await shop.state.approvals.deny(waiting.approvals[0].id, by="Ada", comment="too much")
    result = await shop.agent(["They will not pay."]).resume(waiting.run_id)
    (step,) = result.steps
    assert (shop.runs, step.ran, step.refusal) == ([], False, Refusal.DENIED)
    assert "too much" in step.content
    assert result.text == "They will not pay."


async def test_a_call_that_nobody_approved_in_time_is_not_run(tmp_path: Path) -> None:
    clock, paid = SetClock(), list[str]()

    @tool(requires_approval=True, approval_timeout_s=60)
    def pay() -> str:
        """Pay."""
        paid.append("paid")
        return "paid"

    state = State(tmp_path / "state.db", clock=clock)
    agent = Agent(
        Config(name="x"), runtime=ScriptedRuntime([call("pay"), "No."]), tools=[pay], state=state
    )
    waiting = await agent.run("Pay", session=SESSION)
    assert waiting.approvals[0].expires_s == clock.now_s + 60
    clock.now_s += 61
    result = await agent.resume(waiting.run_id)
    assert (paid, result.steps[0].refusal) == ([], Refusal.DENIED)
    assert "in time" in result.steps[0].content
    await state.aclose()


async def test_an_approved_call_that_was_interrupted_is_not_run_again(
    shop: Shop, cut_off: CutOff
) -> None:
    waiting = await shop.agent([REFUND]).run(ASKED, session=SESSION)
    await shop.state.approvals.approve(waiting.approvals[0].id, by="Ada")
    log = await shop.state.sessions.claim(waiting.run_id, lease_s=60)
    await log.append((EntryKind.CALL_STARTED, {"v": 1, "call": waiting.approvals[0].call_id}))
    log.leave()
    del cut_off
    result = await shop.agent(["Unknown."]).resume(waiting.run_id)
    assert (shop.runs, result.steps[0].refusal) == ([], Refusal.INTERRUPTED)


async def test_the_calls_of_one_decision_are_asked_about_at_once(shop: Shop) -> None:
    both = Calls(calls=(REFUND, call("refund", order="18"), call("note", order="17")))
    waiting = await shop.agent([both]).run("Refund order 17 with 25 and order 18, note 17.")
    assert len(waiting.approvals) == 2
    first, second = waiting.approvals
    await shop.state.approvals.approve(first.id, by="Ada")
    await shop.state.approvals.deny(second.id, by="Ada")
    result = await shop.agent(["Done."]).resume(waiting.run_id)
    assert shop.runs == ["refund(17, 25)", "note(17)"]
    assert [step.refusal for step in result.steps] == [None, Refusal.DENIED, None]


async def test_calls_before_the_one_that_waits_are_run_once(shop: Shop) -> None:
    both = Calls(calls=(call("charge", order="17"), REFUND))
    waiting = await shop.agent([both]).run("Charge order 17, then refund 25 of it.")
    assert shop.runs == ["charge(17)"]
    await shop.state.approvals.approve(waiting.approvals[0].id, by="Ada")
    await shop.agent(["Done."]).resume(waiting.run_id)
    assert shop.runs == ["charge(17)", "refund(17, 25)"]


async def test_a_stream_that_waits_says_so_and_shows_no_call(shop: Shop) -> None:
    async with aclosing(shop.agent([REFUND]).stream(ASKED)) as stream:
        events = [event async for event in stream]
    assert not [event for event in events if isinstance(event, ToolCallEvent)]
    assert isinstance(events[0], TokenEvent)
    done = events[-1]
    assert isinstance(done, DoneEvent)
    assert text_of(events) == done.text
    assert any("needs approval" in note for note in done.notes)


async def test_an_abandoned_run_frees_its_session(shop: Shop) -> None:
    waiting = await shop.agent([REFUND]).run(ASKED, session=SESSION)
    await shop.state.sessions.abandon(waiting.run_id)
    assert (await shop.agent(["Hi."]).run("Hello", session=SESSION)).text == "Hi."


# Which calls need approval


@pytest.mark.parametrize(("amount", "waits"), [(5, False), (50, True)])
async def test_a_rule_on_the_arguments_says_which_calls_need_approval(
    state: State,
    amount: int,
    waits: bool,  # noqa: FBT001 - a parameter of pytest
) -> None:
    paid: list[int] = []

    def is_large(arguments: Mapping[str, object]) -> bool:
        found = arguments["amount"]
        assert isinstance(found, int)
        return found > 10

    def pay(amount: int) -> str:
        """Pay an amount."""
        paid.append(amount)
        return "paid"

    agent = Agent(
        Config(name="x"),
        runtime=ScriptedRuntime([call("pay", amount=amount), "Done."]),
        tools=[tool_from_function(pay, requires_approval=is_large)],
        state=state,
    )
    result = await agent.run(f"Pay {amount}")
    assert (result.ending is Ending.AWAITING_APPROVAL, paid) == (waits, [] if waits else [amount])


async def test_a_rule_that_fails_needs_approval(state: State) -> None:
    def broken(arguments: Mapping[str, object]) -> bool:
        return bool(arguments["no such argument"])

    def pay() -> str:
        """Pay."""
        return "paid"

    agent = Agent(
        Config(name="x"),
        runtime=ScriptedRuntime([call("pay")]),
        tools=[tool_from_function(pay, requires_approval=broken)],
        state=state,
    )
    assert (await agent.run("Pay")).ending is Ending.AWAITING_APPROVAL


@on_call
def two_eyes(check: ToolCheck) -> Verdict:
    needs = check.call.name == "charge"
    return Verdict.needs_approval("charges are looked at") if needs else Verdict.ok()


async def test_a_guardrail_may_ask_for_approval_and_says_why(shop: Shop) -> None:
    config = Config(name="till", guardrails=(two_eyes,))
    script = [call("charge", order="17"), "Done."]
    waiting = await shop.agent(script, config).run("Charge order 17.", session=SESSION)
    assert waiting.approvals[0].why == "charges are looked at"
    await shop.state.approvals.approve(waiting.approvals[0].id, by="Ada")
    result = await shop.agent(["Done."], config).resume(waiting.run_id)
    assert shop.runs == ["charge(17)"]
    assert [flag.reason for flag in result.flags] == ["charges are looked at"]


async def test_a_guardrail_that_blocks_is_stronger_than_one_that_asks(shop: Shop) -> None:
    @on_call
    def never(check: ToolCheck) -> Verdict:
        return Verdict.block(f"no {check.call.name}")

    config = Config(name="till", guardrails=(two_eyes, never))
    result = await shop.agent([call("charge", order="17"), "No."], config).run("Charge order 17.")
    assert result.steps[0].refusal is Refusal.POLICY


async def test_without_a_state_a_guardrail_s_wish_for_approval_refuses_the_call() -> None:
    def charge() -> str:
        """Charge."""
        pytest.fail("it was run")

    agent = Agent(
        Config(name="x", guardrails=(two_eyes,)),
        runtime=ScriptedRuntime([call("charge"), "No."]),
        tools=[charge],
    )
    result = await agent.run("Charge it")
    assert result.steps[0].refusal is Refusal.POLICY
    assert "approval" in result.steps[0].content


async def test_only_a_call_can_be_asked_about(state: State) -> None:
    @on_output
    def wrong(check: OutputCheck) -> Verdict:
        return Verdict.needs_approval(check.text)

    agent = Agent(
        Config(name="x", guardrails=(wrong,)), runtime=ScriptedRuntime(["Hi."]), state=state
    )
    result = await agent.run("Hello")
    assert result.ending is Ending.BLOCKED
    assert result.flags[0].stage is Stage.OUTPUT


def test_without_a_state_a_tool_that_requires_approval_is_refused() -> None:
    def pay() -> str:
        """Pay."""
        return "paid"

    asking = tool_from_function(pay, requires_approval=True)
    with pytest.raises(ConfigError, match="pass `state=`"):
        Agent(Config(name="x"), runtime=ScriptedRuntime([]), tools=[asking])


async def test_without_a_state_such_a_tool_is_refused_also_when_it_is_added_later() -> None:
    agent = Agent(Config(name="x"), runtime=ScriptedRuntime(["Hi."]))

    @agent.tool(requires_approval=True)
    def pay() -> str:
        """Pay."""
        return "paid"

    assert pay
    with pytest.raises(ConfigError, match="'pay' requires approvals"):
        await agent.run("Hello")
