"""A run's entries read again: this file holds how a turn's record and its result are restored.

All of it is a function of the entries, so that any beginning of a log says where its run stands.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import cast

from smallhold.agents.deadline import Deadline
from smallhold.agents.output_types import OutputProblem, OutputType
from smallhold.agents.record import TurnRecord
from smallhold.agents.result import Result
from smallhold.agents.runs.stored import (
    DecisionPayload,
    EndedPayload,
    MessagePayload,
    ResultPayload,
    StartedPayload,
    read_payload,
)
from smallhold.exceptions import ConfigError, DamagedRecordError
from smallhold.messages import JsonValue, Message
from smallhold.state.sessions import Entry, EntryKind


def restored_record(
    entries: Sequence[Entry], *, conversation: Sequence[Message], deadline: Deadline
) -> TurnRecord:
    """Make the record of a turn as its entries leave it.

    Args:
        entries: Those of one run, in order; its message comes first.
        conversation: The session's before the run.
        deadline: How long the run may go on.

    Raises:
        DamagedRecordError: an entry is not of its form, or stands where it cannot.
    """
    if not entries or entries[0].kind is not EntryKind.MESSAGE:
        raise DamagedRecordError(record="a run's log", problem="it does not begin with a message")
    message = read_payload(entries[0], MessagePayload).message.message()
    record = TurnRecord(deadline=deadline, conversation=[*conversation, message])
    started: set[str] = set()
    for entry in entries[1:]:
        _follow(record, entry, started)
    record.interrupted = frozenset(started)
    return record


def _follow(record: TurnRecord, entry: Entry, started: set[str]) -> None:
    match entry.kind:
        case EntryKind.DECISION:
            if record.planned:
                record.called()
            decision = read_payload(entry, DecisionPayload)
            try:
                record.conversation[:] = decision.conversation.change().applied(record.conversation)
            except ValueError as error:
                place = f"entry {entry.seq} of the run {entry.run}"
                raise DamagedRecordError(record=place, problem=str(error)) from error
            decision.progress.restore(record)
            record.planned = tuple(one.planned() for one in decision.calls)
        case EntryKind.CALL_STARTED:
            started.add(read_payload(entry, StartedPayload).call)
        case EntryKind.RESULT:
            result = read_payload(entry, ResultPayload)
            record.steps.append(result.step.step())
            result.progress.restore(record)
            started.discard(result.step.call.id)
        case _:
            # Of the others only the last of a finished run says anything about it.
            pass


def restored_result(
    entries: Sequence[Entry], *, output: OutputType[object] | None
) -> Result[object] | None:
    """Give the result of a finished run again; `None` of one that has not ended.

    Args:
        entries: Those of one run, in order.
        output: What the answer is read as; without it, the plain JSON of it is given.

    Raises:
        ConfigError: the answer is not of `output`.
        DamagedRecordError: an entry is not of its form.
    """
    last = entries[-1]
    if last.kind is not EntryKind.ENDED:
        return None
    ended = read_payload(last, EndedPayload)
    steps = tuple(
        read_payload(entry, ResultPayload).step.step()
        for entry in entries
        if entry.kind is EntryKind.RESULT
    )
    return ended.result(steps, run_id=last.run, output=_output(ended.output, output))


def _output(text: str | None, output: OutputType[object] | None) -> object:
    if text is None:
        return None
    if output is None:
        return _plain(text)
    value = output.parse(text)
    if isinstance(value, OutputProblem):
        raise ConfigError(
            field="output_type",
            value=output.name,
            remedy="the run's answer is of another type; pass that, or none",
        )
    return value


def _plain(text: str) -> JsonValue:
    try:
        return cast("JsonValue", json.loads(text))
    except ValueError:
        return text


def refuse_other_output(entries: Sequence[Entry], output: OutputType[object] | None) -> None:
    """Refuse to go on with a run in another form of answer than it was begun with.

    Raises:
        ConfigError: another `output_type` was passed, or none where one is needed.
    """
    wanted = read_payload(entries[0], MessagePayload).output
    given = None if output is None else output.schema
    if wanted == given:
        return
    raise ConfigError(
        field="output_type",
        value=None if output is None else output.name,
        remedy=(
            "the run was begun for an answer in prose; leave it out"
            if wanted is None
            else "the run was begun for an answer of a type; pass the same type again"
        ),
    )
