from __future__ import annotations

from pathlib import Path

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smallhold.agents import Agent, Config
from smallhold.agents.deadline import Deadline
from smallhold.agents.runs.restoring import restored_record, restored_result
from smallhold.exceptions import DamagedRecordError
from smallhold.messages import JsonObject, Message, Role
from smallhold.runtimes import Capability
from smallhold.state import State
from smallhold.state.sessions import Entry, EntryKind
from smallhold.testing import NATIVE, OWN_DECODER, Calls, ScriptedRuntime, call
from smallhold.testing import Entry as Scripted

TOOLS = ("one", "two", "three")
WISHES = st.lists(st.lists(st.sampled_from(TOOLS), min_size=1, max_size=3, unique=True), max_size=3)
DEADLINE = Deadline(limit_s=60)


class Works:
    """Three tools that note what they do; they fail on demand."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def one(self) -> str:
        """Do one."""
        self.done.append("one")
        return "one done"

    def two(self) -> str:
        """Do two."""
        self.done.append("two")
        msg = "two failed"
        raise OSError(msg)

    def three(self) -> str:
        """Do three."""
        self.done.append("three")
        return "three done"

    def agent(self, script: list[Scripted], kind: frozenset[Capability], state: State) -> Agent:
        return Agent(
            Config(name="x"),
            runtime=ScriptedRuntime(script, capabilities=kind),
            tools=[self.one, self.two, self.three],
            state=state,
        )


def script_of(wishes: list[list[str]]) -> list[Scripted]:
    """Decide for these calls, decision by decision, and then answer."""
    decisions = [Calls(calls=tuple(call(name) for name in names)) for names in wishes]
    return [*decisions, "All done."]


@settings(max_examples=12)
@given(wishes=WISHES, kind=st.sampled_from([OWN_DECODER, NATIVE]), data=st.data())
def test_any_beginning_of_a_log_can_be_resumed_to_the_same_end(
    tmp_path_factory: pytest.TempPathFactory,
    wishes: list[list[str]],
    kind: frozenset[Capability],
    data: st.DataObject,
) -> None:
    anyio.run(resumed_from_everywhere, tmp_path_factory.mktemp("state"), wishes, kind, data)


async def resumed_from_everywhere(
    folder: Path, wishes: list[list[str]], kind: frozenset[Capability], data: st.DataObject
) -> None:
    state = State(folder / "state.db")
    try:
        whole = Works()
        result = await whole.agent(script_of(wishes), kind, state).run("Do it", session="s")
        entries = await state.sessions.entries("s")
        at = data.draw(st.integers(1, len(entries)))
        branch = await state.sessions.branch("s", to="t", at=at)
        if branch.open_run is None:
            assert at == len(entries)
            return
        rest, kept = Works(), entries[:at]
        decided = sum(entry.kind is EntryKind.DECISION for entry in kept)
        script = script_of(wishes)[decided:]
        resumed = await rest.agent([*script, *["All done."] * 4], kind, state).resume(
            branch.open_run
        )
        finished = [entry for entry in kept if entry.kind is EntryKind.RESULT]
        started = [entry for entry in kept if entry.kind is EntryKind.CALL_STARTED]
        before = whole.done[: len(started)]
        assert len(resumed.steps) >= len(finished)
        assert resumed.steps[: len(finished)] == result.steps[: len(finished)]
        assert not set(rest.done) & set(before), "a call that was started was started again"
        assert (await state.sessions.run(branch.open_run)).status == "ended"
        assert resumed == await rest.agent([], kind, state).resume(branch.open_run)
    finally:
        await state.aclose()


def entry(kind: EntryKind, payload: JsonObject, *, seq: int = 1) -> Entry:
    return Entry(seq=seq, run="r", kind=kind, created_s=1, payload=payload)


MESSAGE = entry(EntryKind.MESSAGE, {"v": 1, "message": {"role": "user", "content": "Hi"}})


def test_a_log_of_a_message_alone_is_a_turn_at_its_beginning() -> None:
    before = (Message(role=Role.USER, content="earlier"),)
    record = restored_record([MESSAGE], conversation=before, deadline=DEADLINE)
    assert [message.content for message in record.conversation] == ["earlier", "Hi"]
    assert record.offered is None
    assert (record.planned, record.steps) == ((), [])


@pytest.mark.parametrize(
    "entries",
    [
        [],
        [entry(EntryKind.RESUMED, {"v": 1})],
        [entry(EntryKind.MESSAGE, {"v": 1})],
        [MESSAGE, entry(EntryKind.RESULT, {"v": 1}, seq=2)],
        [
            MESSAGE,
            entry(
                EntryKind.DECISION,
                {
                    "v": 1,
                    "calls": [{"call": {"id": "1", "name": "f", "arguments": {}}}],
                    "conversation": {"keep": 9, "then": []},
                    "progress": {},
                },
                seq=2,
            ),
        ],
    ],
)
def test_a_log_that_is_none_is_said_to_be_damaged(entries: list[Entry]) -> None:
    with pytest.raises(DamagedRecordError):
        restored_record(entries, conversation=(), deadline=DEADLINE)


def test_a_run_that_has_not_ended_has_no_result_yet() -> None:
    assert restored_result([MESSAGE], output=None) is None
