"""What killing has done: this file holds the judgement of logs, effects and what callers saw."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from smallhold.agents import Step
from smallhold.agents.runs.stored import DecisionPayload, ResultPayload, read_payload
from smallhold.state.sessions import Entry, EntryKind

Line = tuple[str, ...]


class Point(StrEnum):
    """Where in a run a kill has struck."""

    BETWEEN_RUNS = "between runs"
    DECIDING = "while the model decides or answers"
    STARTED = "call started, no effect yet"
    DONE = "effect done, no result stored"
    RESULT = "result stored, next step not"
    RESUMING = "while an interrupted run is resumed"


def point_of(entries: Sequence[Entry], effects: Iterable[Line]) -> Point:
    """Tell where the latest run of a log stands.

    Args:
        entries: Those of the run that has not ended; none if all have.
        effects: What tools have done, in all runs.
    """
    if not entries:
        return Point.BETWEEN_RUNS
    last = entries[-1]
    match last.kind:
        case EntryKind.CALL_STARTED:
            key = f"{last.run}-{last.payload.get('call')}"
            return Point.DONE if any(line[2] == key for line in effects) else Point.STARTED
        case EntryKind.RESULT:
            return Point.RESULT
        case EntryKind.RESUMED:
            return Point.RESUMING
        case _:
            return Point.DECIDING


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What was lost and what was done twice."""

    lost: tuple[str, ...]
    """Steps that a caller saw, or effects behind a stored result, that are not there."""
    repeated: tuple[str, ...]
    """Effects that happened once more than they may."""
    unfinished: tuple[str, ...]
    """Runs that could not be brought to an end."""


def judged(
    entries: Mapping[str, Sequence[Entry]],
    *,
    effects: Sequence[Line],
    seen: Sequence[Line],
    idempotent: frozenset[str],
) -> Judgement:
    """Judge a chaos run after everything was resumed.

    Args:
        entries: Each run's entries by its id.
        effects: Lines `TOOL ORDER KEY`, one for each time that a tool has done its work.
        seen: Lines `call RUN CALL`, `result RUN CALL` and `done RUN`.
        idempotent: Tools whose effect may be repeated under the same key.
    """
    lost = [*_missing(entries, seen), *_without_effect(entries, effects)]
    unfinished = [run for run, found in entries.items() if found[-1].kind is not EntryKind.ENDED]
    return Judgement(
        lost=tuple(lost),
        repeated=tuple(_repeated(effects, idempotent)),
        unfinished=tuple(unfinished),
    )


def _missing(entries: Mapping[str, Sequence[Entry]], seen: Iterable[Line]) -> Iterable[str]:
    for line in seen:
        what, run, *rest = line
        found = entries.get(run, ())
        match what:
            case "call":
                is_there = rest[0] in _calls(found)
            case "result":
                is_there = rest[0] in _results(found)
            case _:
                is_there = any(entry.kind is EntryKind.ENDED for entry in found)
        if not is_there:
            yield " ".join(line)


def _calls(entries: Iterable[Entry]) -> set[str]:
    return {
        planned.call.id
        for entry in entries
        if entry.kind is EntryKind.DECISION
        for planned in read_payload(entry, DecisionPayload).calls
    }


def _results(entries: Iterable[Entry]) -> dict[str, Step]:
    steps = [
        read_payload(entry, ResultPayload).step.step()
        for entry in entries
        if entry.kind is EntryKind.RESULT
    ]
    return {step.call.id: step for step in steps}


def _without_effect(
    entries: Mapping[str, Sequence[Entry]], effects: Sequence[Line]
) -> Iterable[str]:
    keys = {line[2] for line in effects}
    for run, found in entries.items():
        for call, step in _results(found).items():
            if step.ran and step.refusal is None and f"{run}-{call}" not in keys:
                yield f"effect {run} {call}"


def _repeated(effects: Sequence[Line], idempotent: frozenset[str]) -> Iterable[str]:
    times = Counter((tool, order) for tool, order, _ in effects)
    keys = {(tool, order): set[str]() for tool, order, _ in effects}
    for tool, order, key in effects:
        keys[tool, order].add(key)
    for (tool, order), count in times.items():
        # Under the same key an idempotent tool does no more the second time.
        if count > 1 and not (tool in idempotent and len(keys[tool, order]) == 1):
            yield f"{tool} {order} {count} times"
