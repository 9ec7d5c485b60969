from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.agents import Ending, Intent, Refusal, Result, Step
from smallhold.agents.context import DropKind, Dropped
from smallhold.agents.deadline import Deadline
from smallhold.agents.guardrails import Flag, Outcome, Stage
from smallhold.agents.planning import PlannedCall
from smallhold.agents.record import TurnRecord
from smallhold.agents.runs.stored import (
    EndedPayload,
    StoredPlanned,
    StoredProgress,
    StoredStep,
    check_entry,
    message_payload,
)
from smallhold.messages import JsonObject, JsonValue, Message, Role, Timing, ToolCall, Usage
from smallhold.state.sessions import Change, Entry, EntryKind, written

TEXTS = st.text(max_size=6)
COUNTS = st.integers(0, 10**9)
NATS = st.none() | st.floats(-1e3, 1e3)
CALLS = st.builds(
    ToolCall, id=TEXTS, name=TEXTS, arguments=st.dictionaries(TEXTS, COUNTS, max_size=2)
)
STEPS = st.builds(
    Step,
    call=CALLS,
    content=TEXTS,
    is_error=st.booleans(),
    ran=st.booleans(),
    margin=NATS,
    refusal=st.none() | st.sampled_from(Refusal),
    decision=COUNTS,
)
USAGES = st.builds(
    Usage,
    prompt_tokens=COUNTS,
    cached_tokens=COUNTS,
    completion_tokens=COUNTS,
    forced_tokens=COUNTS,
    passes=COUNTS,
    drafted_tokens=COUNTS,
    accepted_tokens=COUNTS,
)
FLAGS = st.lists(
    st.builds(
        Flag,
        guardrail=TEXTS,
        stage=st.sampled_from(Stage),
        outcome=st.sampled_from(Outcome),
        reason=TEXTS,
    ),
    max_size=2,
)
DROPPED = st.lists(
    st.builds(
        Dropped,
        kind=st.sampled_from(DropKind),
        what=TEXTS,
        tokens=COUNTS,
        messages=COUNTS,
        reason=TEXTS,
    ),
    max_size=2,
)
MESSAGES = st.builds(Message, role=st.sampled_from(Role), content=TEXTS)


def travelled(value: JsonObject) -> JsonValue:
    return json.loads(json.dumps(value))


@given(STEPS)
def test_a_step_is_read_as_it_was_written(step: Step) -> None:
    assert StoredStep.model_validate(travelled(written(StoredStep.of(step)))).step() == step


@given(st.builds(PlannedCall, call=CALLS, margin=NATS, is_complete=st.booleans()))
def test_a_planned_call_is_read_as_it_was_written(planned: PlannedCall) -> None:
    stored = StoredPlanned.model_validate(travelled(written(StoredPlanned.of(planned))))
    assert stored.planned() == planned


@given(
    st.builds(
        Result,
        text=TEXTS,
        ending=st.sampled_from(Ending),
        steps=st.lists(STEPS, max_size=2).map(tuple),
        usage=USAGES,
        timing=st.builds(Timing, total_s=st.floats(0, 1e6)),
        intent=st.none() | st.sampled_from(Intent),
        margin=NATS,
        dropped=DROPPED.map(tuple),
        flags=FLAGS.map(tuple),
        degraded=st.booleans(),
        escalated=st.booleans(),
    )
)
def test_a_result_is_read_as_it_was_written(result: Result[object]) -> None:
    stored = EndedPayload.of(result, change=Change(keep=0, then=()), output=None)
    read = EndedPayload.model_validate(travelled(written(stored)))
    assert read.result(result.steps, run_id="r", output=None) == result


@given(USAGES, FLAGS, DROPPED, st.lists(MESSAGES, max_size=2), st.lists(TEXTS, max_size=2), NATS)
def test_a_turn_s_progress_is_read_as_it_was_written(
    usage: Usage,
    flags: list[Flag],
    dropped: list[Dropped],
    corrections: list[Message],
    texts: list[str],
    margin: float | None,
) -> None:
    record = TurnRecord(
        deadline=Deadline(limit_s=1),
        conversation=[],
        usage=usage,
        flags=flags,
        dropped=dropped,
        corrections=corrections,
        offered=tuple(texts),
        missing=tuple(texts),
        margin=margin,
        intent=Intent.CALL,
        text="said",
        spoken="d",
        is_settled=True,
        is_repeating=True,
        decisions=3,
        first_token_s=0.5,
    )
    read = TurnRecord(deadline=record.deadline, conversation=[])
    StoredProgress.model_validate(travelled(written(StoredProgress.of(record)))).restore(read)
    read.earlier_s = 0.0
    assert read == record


def entry(kind: EntryKind, payload: JsonObject) -> Entry:
    return Entry(seq=1, run="r", kind=kind, created_s=1, payload=payload)


def test_what_is_usual_takes_no_room() -> None:
    step = Step(
        call=ToolCall(id="1", name="f", arguments={}), content="", is_error=False, ran=True,
        margin=None,
    )  # fmt: skip
    assert set(written(StoredStep.of(step))) == {"call", "content", "error", "ran"}


@pytest.mark.parametrize(
    ("kind", "payload", "place"),
    [
        (EntryKind.MESSAGE, {"v": 1}, "payload.message"),
        (EntryKind.MESSAGE, {"v": 2, "message": {"role": "user", "content": ""}}, "payload.v"),
        (EntryKind.DECISION, {"v": 1, "calls": []}, "payload.calls"),
        (EntryKind.CALL_STARTED, {"v": 1, "call": 3}, "payload.call"),
        (EntryKind.RESULT, {"v": 1}, "payload.step"),
        (EntryKind.ENDED, {"v": 1, "conversation": {"keep": 0, "then": []}}, "payload.text"),
    ],
)
def test_a_foreign_entry_of_another_form_is_refused_with_its_place(
    kind: EntryKind, payload: JsonObject, place: str
) -> None:
    with pytest.raises(ValueError, match=place):
        check_entry(entry(kind, payload))


@pytest.mark.parametrize("kind", [EntryKind.FAILED, EntryKind.RESUMED, EntryKind.EDITED])
def test_entries_that_no_turn_reads_may_hold_anything(kind: EntryKind) -> None:
    check_entry(entry(kind, {"v": 1, "anything": 1}))


def test_a_message_s_entry_is_sound() -> None:
    payload = message_payload(Message(role=Role.USER, content="Hi"), output=None)
    check_entry(entry(EntryKind.MESSAGE, payload))
    assert payload == {"v": 1, "message": {"role": "user", "content": "Hi"}}
