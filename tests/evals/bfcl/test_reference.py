"""Our scorer against the one that comes with the data: same verdict and reason on every answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any, Protocol, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.evals.bfcl.dataset import BFCLRow, categories, parse_row
from smallhold.evals.bfcl.scoring import score_row
from smallhold.messages import JsonObject, JsonValue, ToolCall

RawRow = dict[str, Any]
Calls = list[tuple[str, JsonObject]]
Mutation = Callable[[Calls], Iterator[Calls]]


class Reference(Protocol):
    """The module `score_bfcl.py` of the evaluation data."""

    def score(self, row: RawRow, calls: list[dict[str, Any]]) -> tuple[bool, str]: ...
    def gold(self, row: RawRow) -> list[dict[str, Any]]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    raw: RawRow
    row: BFCLRow
    gold: Calls


@pytest.fixture(scope="session")
def reference(eval_data: Path) -> Reference:
    path = eval_data / "bfcl" / "score_bfcl.py"
    spec = spec_from_file_location("score_bfcl", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return cast("Reference", module)


@pytest.fixture(scope="session")
def subjects(eval_data: Path, reference: Reference) -> list[Subject]:
    folder = eval_data / "bfcl"
    lines = [
        line
        for category in categories(folder)
        for line in (folder / f"{category}.jsonl").read_bytes().splitlines()
    ]
    return [subject(line, reference) for line in lines]


def subject(line: bytes, reference: Reference) -> Subject:
    raw: RawRow = json.loads(line)
    gold = [(call["name"], call["arguments"]) for call in reference.gold(raw)]
    return Subject(raw=raw, row=parse_row(line), gold=gold)


def ours(subject: Subject, calls: Calls) -> tuple[bool, str]:
    verdict = score_row(
        subject.row,
        [ToolCall(id=str(i), name=name, arguments=args) for i, (name, args) in enumerate(calls)],
    )
    return verdict.correct, verdict.reason


def theirs(reference: Reference, subject: Subject, calls: Calls) -> tuple[bool, str] | None:
    """The reference's verdict, or `None` where a value that it does not foresee stops it."""
    try:
        return reference.score(
            subject.raw, [{"name": name, "arguments": args} for name, args in calls]
        )
    except (AttributeError, TypeError):
        return None


def replaced(calls: Calls, index: int, key: str, value: JsonValue) -> Calls:
    name, arguments = calls[index]
    return [*calls[:index], (name, {**arguments, key: value}), *calls[index + 1 :]]


def arguments_of(calls: Calls) -> Iterator[tuple[int, str, JsonValue]]:
    for index, (_, arguments) in enumerate(calls):
        for key, value in arguments.items():
            yield index, key, value


def drop_an_argument(calls: Calls) -> Iterator[Calls]:
    for index, dropped, _ in arguments_of(calls):
        name, arguments = calls[index]
        kept = {key: value for key, value in arguments.items() if key != dropped}
        yield [*calls[:index], (name, kept), *calls[index + 1 :]]


def change_a_value(calls: Calls) -> Iterator[Calls]:
    for index, key, value in arguments_of(calls):
        for changed in changed_values(value):
            yield replaced(calls, index, key, changed)


def changed_values(value: JsonValue) -> Iterator[JsonValue]:
    match value:
        case bool():
            yield not value
        case int() | float():
            yield value + 1
            yield -value
        case str():
            yield value + "x"
            yield f" {value.upper()}."
            yield value[1:]
        case list():
            yield value[::-1]
            yield value[1:]
            yield [*value, *value]
            yield [*value[:-1], None]
        case dict():
            yield {**value, "extra": 1}
            yield dict(list(value.items())[1:])
            yield dict.fromkeys(value, "x")
        case None:
            yield "x"


def change_a_type(calls: Calls) -> Iterator[Calls]:
    others: list[JsonValue] = [None, True, 1, 1.5, "", "1", [], ["x"], [1], {}, {"a": 1}]
    for index, key, value in arguments_of(calls):
        retyped: list[JsonValue] = [str(value), [value], {"value": value}]
        if isinstance(value, int):
            retyped.append(float(value))
        for other in [*others, *retyped]:
            yield replaced(calls, index, key, other)


def add_an_argument(calls: Calls) -> Iterator[Calls]:
    for index in range(len(calls)):
        yield replaced(calls, index, "not_a_parameter", "x")


def call_another_tool(calls: Calls) -> Iterator[Calls]:
    for index, (name, arguments) in enumerate(calls):
        yield [*calls[:index], (name + "_x", arguments), *calls[index + 1 :]]


def change_the_count(calls: Calls) -> Iterator[Calls]:
    yield [*calls, *calls[:1]]
    yield calls[1:]
    yield [*calls, ("invented", {})]


def repeat_a_call_in_place_of_another(calls: Calls) -> Iterator[Calls]:
    yield calls[:1] * len(calls)


def change_the_order(calls: Calls) -> Iterator[Calls]:
    yield calls[::-1]
    yield [(name, dict(reversed(arguments.items()))) for name, arguments in calls]


MUTATIONS: list[Mutation] = [
    drop_an_argument,
    change_a_value,
    change_a_type,
    add_an_argument,
    call_another_tool,
    change_the_count,
    repeat_a_call_in_place_of_another,
    change_the_order,
]


def test_gold_answers_get_the_same_verdict(subjects: list[Subject], reference: Reference) -> None:
    for subject in subjects:
        assert ours(subject, subject.gold) == theirs(reference, subject, subject.gold)
    # The labels contradict themselves on a few rows.
    right = sum(ours(subject, subject.gold)[0] for subject in subjects)
    assert 0.99 * len(subjects) < right <= len(subjects)


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_changed_answer_gets_the_same_verdict(
    mutation: Mutation, subjects: list[Subject], reference: Reference
) -> None:
    compared = stopped = 0
    for subject in subjects:
        for calls in mutation(subject.gold):
            expected = theirs(reference, subject, calls)
            if expected is None:
                stopped += 1
                assert not ours(subject, calls)[0]
            else:
                compared += 1
                assert ours(subject, calls) == expected, (subject.row.id, calls)
    assert compared > 1000
    assert stopped <= compared // 100


@given(data=st.data())
def test_an_answer_changed_in_several_ways_gets_the_same_verdict(
    data: st.DataObject, subjects: list[Subject], reference: Reference
) -> None:
    subject = data.draw(st.sampled_from([s for s in subjects if s.gold]))
    calls = subject.gold
    for mutation in data.draw(st.lists(st.sampled_from(MUTATIONS), min_size=2, max_size=4)):
        changed = list(mutation(calls))
        if changed:
            calls = data.draw(st.sampled_from(changed))

    expected = theirs(reference, subject, calls)

    assert expected is None or ours(subject, calls) == expected
