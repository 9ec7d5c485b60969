from __future__ import annotations

import dataclasses
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, Literal

import anyio
import pytest
from sqlalchemy import update

from smallhold.agents import Agent, Config, Ending, Refusal
from smallhold.agents.context import ContextBudget
from smallhold.agents.guardrails import InputCheck, ToolCheck, Verdict, on_call, on_input
from smallhold.exceptions import (
    ConfigError,
    DatabaseFullError,
    DecodeError,
    QuarantinedSessionError,
    RunNotResumableError,
    SessionBusyError,
    UnfinishedRunError,
    UnknownRunError,
)
from smallhold.messages import (
    DoneEvent,
    ErrorEvent,
    Event,
    JsonObject,
    Message,
    Role,
    TokenEvent,
    ToolCallEvent,
    ToolResultEvent,
)
from smallhold.state import State
from smallhold.state.sessions import EntryKind, RunStatus
from smallhold.state.tables import ENTRIES
from smallhold.testing import NATIVE, Calls, Delay, Fault, ScriptedRuntime, call
from smallhold.tools import tool

if TYPE_CHECKING:
    from tests.agents.runs.conftest import CutOff, Shop

SESSION = "till"
CHARGE, NOTE = call("charge", order="17"), call("note", order="17")
ASKED = "Charge order 17 and note it."


async def collected(stream: AsyncGenerator[Event]) -> list[Event]:
    async with aclosing(stream) as events:
        return [event async for event in events]


# What is stored, and when


async def test_every_step_is_stored_before_it_shows(shop: Shop) -> None:
    shown: list[tuple[str, list[str]]] = []
    agent = shop.agent([CHARGE, "Done with 17."])
    async with aclosing(agent.stream("Charge order 17.", session=SESSION)) as events:
        async for event in events:
            kinds = [entry.kind.value for entry in await shop.state.sessions.entries(SESSION)]
            shown.append((type(event).__name__, kinds))
    at = dict(shown)
    assert at["ToolCallEvent"] == ["message", "decision", "call_started"]
    assert at["ToolResultEvent"] == ["message", "decision", "call_started", "result"]
    assert at["DoneEvent"] == ["message", "decision", "call_started", "result", "ended"]


async def test_a_decision_and_its_first_call_are_stored_in_one_transaction(shop: Shop) -> None:
    await shop.agent([CHARGE, "Done."]).run("Charge order 17.", session=SESSION)
    _, decision, started, _, _ = await shop.state.sessions.entries(SESSION)
    assert decision.created_s == started.created_s


async def test_every_event_and_the_result_name_the_run(shop: Shop) -> None:
    events = await collected(shop.agent([CHARGE, "Done."]).stream("Charge order 17."))
    (run,) = {event.run_id for event in events}
    assert (await shop.state.sessions.run(run)).status is RunStatus.ENDED
    result = await shop.agent(["Hi."]).run("Hello")
    assert (await shop.state.sessions.run(result.run_id)).status is RunStatus.ENDED


async def test_a_conversation_goes_on_in_another_process(shop: Shop) -> None:
    await shop.agent([CHARGE, "Done."]).run("Charge order 17.", session=SESSION)
    seen: list[tuple[Message, ...]] = []

    def answer(prompt: object) -> str:
        seen.append(getattr(prompt, "messages"))  # noqa: B009 - either form of prompt
        return "You are welcome."

    agent = Agent(
        Config(name="till"),
        runtime=ScriptedRuntime(answer, capabilities=NATIVE),
        state=shop.state,
    )
    await agent.run("Thanks!", session=SESSION)
    texts = [message.content for message in seen[-1]]
    assert texts[1:] == ["Charge order 17.", "", "Order 17 is charged.", "Done.", "Thanks!"]


async def test_a_call_s_id_is_good_as_an_idempotency_key(shop: Shop) -> None:
    for number in range(2):
        await shop.agent([CHARGE, "Done."]).run("Charge order 17.", session=f"s{number}")
    one, other = shop.keys
    assert one != other


# Resuming


async def test_a_finished_run_gives_its_result_again(shop: Shop) -> None:
    result = await shop.agent([CHARGE, "Done."]).run("Charge order 17.", session=SESSION)
    again = await shop.agent().resume(result.run_id)
    assert again == result
    assert again.run_id == result.run_id
    assert shop.runs == ["charge(17)"]


async def test_a_run_goes_on_after_its_message_alone_was_stored(shop: Shop) -> None:
    payload: JsonObject = {"v": 1, "message": {"role": "user", "content": "Charge order 17."}}
    log = await shop.state.sessions.accept(SESSION, payload, lease_s=60)
    log.leave()
    result = await shop.agent([CHARGE, "Done."]).resume(log.run)
    assert (result.text, shop.runs) == ("Done.", ["charge(17)"])
    assert [m.content for m in await shop.state.sessions.conversation(SESSION)][-1] == "Done."


async def test_a_call_that_was_started_is_not_started_again_and_the_model_reads_that(
    shop: Shop, cut_off: CutOff
) -> None:
    run, _ = await cut_off.at(
        shop.agent([CHARGE, "Done."]), "Charge order 17.", lambda e: isinstance(e, ToolCallEvent)
    )
    shop.runs.clear()
    result = await shop.agent(["I do not know whether it was charged."]).resume(run)
    (step,) = result.steps
    assert shop.runs == []
    assert (step.refusal, step.ran, step.is_error) == (Refusal.INTERRUPTED, True, True)
    assert "may have been done or not" in step.content
    assert result.ending is Ending.ANSWERED


async def test_an_idempotent_tool_is_run_again_under_the_same_key(
    shop: Shop, cut_off: CutOff
) -> None:
    run, _ = await cut_off.at(
        shop.agent([NOTE, "Done."]), "Note order 17.", lambda e: isinstance(e, ToolCallEvent)
    )
    first = await shop.agent(["Done."]).resume(run)
    assert (shop.runs, first.steps[0].refusal) == (["note(17)"], None)
    assert shop.keys == [f"{run}-{first.steps[0].call.id}"]


async def test_a_model_that_wants_an_interrupted_call_again_does_not_get_it(
    shop: Shop, cut_off: CutOff
) -> None:
    run, _ = await cut_off.at(
        shop.agent([CHARGE]), "Charge order 17.", lambda e: isinstance(e, ToolCallEvent)
    )
    shop.runs.clear()
    await shop.agent([CHARGE, CHARGE, "Sorry."]).resume(run)
    assert shop.runs == []


async def test_a_stored_result_is_not_fetched_again(shop: Shop, cut_off: CutOff) -> None:
    run, _ = await cut_off.at(
        shop.agent([CHARGE, "Done."]), "Charge order 17.", lambda e: isinstance(e, ToolResultEvent)
    )
    result = await shop.agent(["Done with it."]).resume(run)
    assert shop.runs == ["charge(17)"]
    assert [step.content for step in result.steps] == ["Order 17 is charged."]
    assert result.text == "Done with it."


async def test_the_calls_that_are_left_of_a_decision_are_made_and_no_other(
    shop: Shop, cut_off: CutOff
) -> None:
    both = Calls(calls=(CHARGE, NOTE))
    run, _ = await cut_off.at(shop.agent([both]), ASKED, lambda e: isinstance(e, ToolResultEvent))
    result = await shop.agent(["Both done."]).resume(run)
    assert shop.runs == ["charge(17)", "note(17)"]
    assert [step.decision for step in result.steps] == [0, 0]
    assert result.text == "Both done."


async def test_a_resumed_run_asks_the_model_with_the_same_words(shop: Shop) -> None:
    straight = ScriptedRuntime([CHARGE, "Done."], capabilities=shop.kind)
    resumed = ScriptedRuntime(["Done."], capabilities=shop.kind)
    await shop.agent(runtime=straight).run("Charge order 17.", session=SESSION)
    after_the_result = await shop.state.sessions.branch(SESSION, to="again", at=4)
    await shop.agent(runtime=resumed).resume(str(after_the_result.open_run))
    assert resumed.requests[-1].prompt == straight.requests[-1].prompt


async def test_usage_and_time_of_both_processes_are_counted(shop: Shop, cut_off: CutOff) -> None:
    run, _ = await cut_off.at(
        shop.agent([CHARGE]), "Charge order 17.", lambda e: isinstance(e, ToolResultEvent)
    )
    entry = (await shop.entries(run))[-1]
    progress = entry.payload["progress"]
    assert isinstance(progress, dict)
    result = await shop.agent(["Done."]).resume(run)
    usage = progress["usage"]
    assert isinstance(usage, dict)
    assert isinstance(usage["prompt"], int)
    assert result.usage.prompt_tokens > usage["prompt"]
    passed_s = progress["passed_s"]
    assert isinstance(passed_s, float)
    assert result.timing.total_s > passed_s


async def test_a_run_is_resumed_from_synchronous_code(shop: Shop, tmp_path: object) -> None:
    del tmp_path
    result = await shop.agent(["Hi."]).run("Hello")
    agent = shop.agent()
    again = await anyio.to_thread.run_sync(lambda: agent.resume_sync(result.run_id))
    assert again == result
    await anyio.to_thread.run_sync(lambda: close_in_the_other_loop(shop.state))


def close_in_the_other_loop(state: State) -> None:
    from smallhold.agents import blocking  # noqa: PLC0415 - only here

    blocking.call(state.aclose)


# What cannot be done


async def test_a_session_with_an_interrupted_run_takes_no_message_before_it_is_dealt_with(
    shop: Shop, cut_off: CutOff
) -> None:
    run, _ = await cut_off.at(
        shop.agent([CHARGE]), "Charge order 17.", lambda e: isinstance(e, ToolCallEvent)
    )
    name = (await shop.state.sessions.run(run)).session
    with pytest.raises(UnfinishedRunError, match=run):
        await shop.agent(["Hi."]).run("Hello", session=name)
    await shop.state.sessions.abandon(run)
    assert (await shop.agent(["Hi."]).run("Hello", session=name)).text == "Hi."
    with pytest.raises(RunNotResumableError):
        await shop.agent().resume(run)


async def test_a_session_that_is_answering_refuses_another_message_in_any_agent(
    shop: Shop,
) -> None:
    slow = shop.agent([Delay(seconds=5), "Late."])
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: slow.run("Hello", session=SESSION))
        with anyio.fail_after(5):
            while not await shop.state.sessions.unfinished():  # noqa: ASYNC110 - it tells nobody
                await anyio.sleep(0.01)
        with pytest.raises(SessionBusyError):
            await shop.agent(["Hi."]).run("Hello", session=SESSION)
        tasks.cancel_scope.cancel()


async def test_without_a_state_nothing_can_be_resumed() -> None:
    agent = Agent(Config(name="x"), runtime=ScriptedRuntime(["Hi."]))
    result = await agent.run("Hello")
    with pytest.raises(ConfigError, match="state="):
        await agent.resume(result.run_id)


async def test_a_run_with_a_damaged_entry_sets_its_session_apart(
    shop: Shop, cut_off: CutOff
) -> None:
    run, _ = await cut_off.at(
        shop.agent([CHARGE]), "Charge order 17.", lambda e: isinstance(e, ToolResultEvent)
    )
    async with shop.state.rows.writing() as rows:
        where = (ENTRIES.c.run == run) & (ENTRIES.c.kind == "decision")
        await rows.execute(update(ENTRIES).where(where).values(payload=b"\x00damaged"))
    with pytest.raises(QuarantinedSessionError, match="smallhold state check"):
        await shop.agent().resume(run)
    assert (await shop.agent(["Hi."]).run("Hello", session="other")).text == "Hi."


async def test_an_unknown_run_is_said_to_be_unknown(shop: Shop) -> None:
    with pytest.raises(UnknownRunError, match="nothing"):
        await shop.agent().resume("nothing")


# Failures


async def test_a_failed_run_leaves_its_session_free_and_can_be_resumed(shop: Shop) -> None:
    fault = Fault(error=DecodeError(problem="out of luck"))
    events = await collected(
        shop.agent([CHARGE, fault]).stream("Charge order 17.", session=SESSION)
    )
    assert isinstance(events[-1], ErrorEvent)
    run = events[-1].run_id
    assert (await shop.state.sessions.run(run)).status is RunStatus.FAILED
    result = await shop.agent(["Done."]).resume(run)
    assert (result.text, shop.runs) == ("Done.", ["charge(17)"])


async def test_a_run_that_is_cancelled_is_stored_as_failed_and_can_be_resumed(shop: Shop) -> None:
    agent = shop.agent([CHARGE, Delay(seconds=30), "Late."])
    with anyio.move_on_after(0.5):
        await agent.run("Charge order 17.", session=SESSION)
    (run,) = await shop.state.sessions.runs(SESSION)
    assert run.status is RunStatus.FAILED
    assert (await shop.agent(["Done."]).resume(run.id)).text == "Done."
    assert shop.runs == ["charge(17)"]


async def test_a_stream_that_is_left_early_leaves_the_session_free(shop: Shop) -> None:
    agent = shop.agent(["One two three."])
    async with aclosing(agent.stream("Hello", session=SESSION)) as events:
        async for event in events:
            assert isinstance(event, TokenEvent)
            break
    assert await shop.state.sessions.conversation(SESSION) == ()
    assert (await shop.agent(["Hi."]).run("Hello", session=SESSION)).text == "Hi."


async def test_a_disk_that_fills_in_the_middle_of_a_step_leaves_the_run_resumable(
    shop: Shop,
) -> None:
    state = shop.state

    @tool
    async def fill() -> str:
        """Fill the disk."""
        async with state.rows.writing() as rows:
            pages = (await rows.connection.exec_driver_sql("PRAGMA page_count")).scalar_one()
            await rows.connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        return "x" * 8_000

    agent = Agent(
        Config(name="till", context_budget=ContextBudget(tool_result=100)),
        runtime=ScriptedRuntime([call("fill"), "Done."], capabilities=shop.kind),
        tools=[fill],
        state=state,
    )
    with pytest.raises(DatabaseFullError, match="runs can be resumed"):
        await agent.run("Fill it.", session=SESSION)
    async with state.rows.writing() as rows:
        await rows.connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    (run,) = await state.sessions.unfinished()
    assert run.is_interrupted
    result = await shop.agent(["Nobody knows."]).resume(run.id)
    assert result.steps[0].refusal is Refusal.INTERRUPTED


# Guardrails, typed answers, long conversations


async def test_a_rejected_message_is_stored_and_not_part_of_the_conversation(shop: Shop) -> None:
    @on_input
    def never(check: InputCheck) -> Verdict:
        return Verdict.block(f"no {len(check.text)}")

    config = Config(name="till", guardrails=(never,))
    result = await shop.agent([], config).run("Hello", session=SESSION)
    assert result.ending is Ending.BLOCKED
    assert await shop.state.sessions.conversation(SESSION) == ()
    assert await shop.agent([], config).resume(result.run_id) == result


async def test_a_replaced_message_stays_replaced_when_the_run_is_resumed(
    shop: Shop, cut_off: CutOff
) -> None:
    @on_input
    def masked(check: InputCheck) -> Verdict:
        return Verdict.replace(check.text.replace("Ada", "[name]"), reason="privacy")

    config = Config(name="till", guardrails=(masked,))
    run, _ = await cut_off.at(
        shop.agent([CHARGE], config),
        "I am Ada, charge order 17.",
        lambda e: isinstance(e, ToolResultEvent),
    )
    result = await shop.agent(["Done."]).resume(run)
    name = (await shop.state.sessions.run(run)).session
    texts = [message.content for message in await shop.state.sessions.conversation(name)]
    assert texts[0] == "I am [name], charge order 17."
    assert [flag.reason for flag in result.flags] == ["privacy"]


async def test_a_flag_of_a_call_is_kept_once(shop: Shop, cut_off: CutOff) -> None:
    @on_call
    def odd(check: ToolCheck) -> Verdict:
        return Verdict.flag(check.call.name)

    config = Config(name="till", guardrails=(odd,))
    run, _ = await cut_off.at(
        shop.agent([NOTE], config), "Note order 17.", lambda e: isinstance(e, ToolCallEvent)
    )
    result = await shop.agent(["Done."], config).resume(run)
    assert [flag.reason for flag in result.flags] == ["note"]


@dataclasses.dataclass(frozen=True)
class Mood:
    word: Literal["good", "bad"]


async def test_a_typed_answer_is_given_again_as_its_type(shop: Shop) -> None:
    result = await shop.agent(['{"word": "good"}']).run("How was it?", output_type=Mood)
    again = await shop.agent().resume(result.run_id, output_type=Mood)
    assert again.output == result.output == Mood(word="good")
    assert (await shop.agent().resume(result.run_id)).output == {"word": "good"}
    with pytest.raises(ConfigError, match="output_type"):
        await shop.agent().resume(result.run_id, output_type=int)


async def test_a_run_for_a_typed_answer_is_resumed_with_the_same_type_only(shop: Shop) -> None:
    fault = Fault(error=DecodeError(problem="out of luck"))
    with pytest.raises(DecodeError):
        await shop.agent([fault]).run("How was it?", session=SESSION, output_type=Mood)
    (run,) = await shop.state.sessions.runs(SESSION)
    for other in (None, int):
        with pytest.raises(ConfigError, match="output_type"):
            await shop.agent(['{"word": "bad"}']).resume(run.id, output_type=other)
    result = await shop.agent(['{"word": "bad"}']).resume(run.id, output_type=Mood)
    assert result.output == Mood(word="bad")


async def test_what_was_left_out_for_lack_of_room_stays_left_out_in_another_process(
    shop: Shop,
) -> None:
    def runtime() -> ScriptedRuntime:
        long = " ".join(f"word{number}" for number in range(900))
        return ScriptedRuntime(lambda _: long, capabilities=shop.kind, context_tokens=6_000)

    def agent(runtime: ScriptedRuntime) -> Agent:
        return Agent(Config(name="x", max_tokens=1_000), runtime=runtime, state=shop.state)

    here, there = runtime(), runtime()
    results = [await agent(here).run(f"Tell me {number}", session=SESSION) for number in range(8)]
    assert any(result.dropped for result in results)
    await shop.state.sessions.branch(SESSION, to="other")
    await agent(here).run("And now?", session=SESSION)
    await agent(there).run("And now?", session="other")
    assert there.requests[-1].prompt == here.requests[-1].prompt


async def test_messages_of_tools_are_stored_once_for_a_step_and_once_for_the_conversation(
    shop: Shop,
) -> None:
    both = [CHARGE, call("note", order="17"), "Done."]
    await shop.agent(both).run(ASKED, session=SESSION)
    entries = await shop.state.sessions.entries(SESSION)
    decisions = [entry.payload for entry in entries if entry.kind is EntryKind.DECISION]
    for payload in decisions:
        change = payload["conversation"]
        assert isinstance(change, dict)
        assert change["then"] == []


async def test_the_last_event_of_a_durable_stream_is_its_end(shop: Shop) -> None:
    events = await collected(shop.agent(["Hi there."]).stream("Hello", session=SESSION))
    assert isinstance(events[-1], DoneEvent)
    assert events[-1].text == "Hi there."
    roles = [message.role for message in await shop.state.sessions.conversation(SESSION)]
    assert roles == [Role.USER, Role.ASSISTANT]
