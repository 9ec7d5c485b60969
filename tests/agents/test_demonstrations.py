from __future__ import annotations

from collections.abc import Iterator

import pytest

from smallhold.agents.argument_schema import bounded_schema
from smallhold.agents.copying import revise
from smallhold.agents.demonstrations import SAMPLES, Called, Sample
from smallhold.agents.mentions import Said
from smallhold.agents.special_calls import ASK_NAME, INSTEAD_OF_A_CALL, RESERVED_NAMES
from smallhold.agents.stated_forms import with_stated_forms
from smallhold.evals.json_schema import is_valid_json
from smallhold.messages import JsonObject, ToolSchema

LONGEST_TEXT_CHARS = 120
COMPOSED = {("mail_send", "text")}
"""The one value that a sample writes in its own words."""
TRANSLATED = {("loan_cost", "currency"), ("music_play", "minutes")}
"""Values that nobody said as they are written: "euros" and "half an hour"."""


def turns_of(sample: Sample) -> Iterator[tuple[str, tuple[Called, ...]]]:
    """What had been said when calls were made, and the calls."""
    said = sample.text
    yield said, sample.calls
    for result, calls in sample.later:
        said = f"{said}\n{result}"
        yield said, calls


def real_calls() -> Iterator[tuple[str, ToolSchema, JsonObject]]:
    for sample in SAMPLES:
        functions = {function.name: function for function in sample.functions}
        for said, calls in turns_of(sample):
            for name, arguments in calls:
                if name not in INSTEAD_OF_A_CALL:
                    yield said, functions[name], arguments


CALLS = list(real_calls())
NAMES = [f"{schema.name}-{number}" for number, (_, schema, _) in enumerate(CALLS)]


@pytest.mark.parametrize(("said", "schema", "arguments"), CALLS, ids=NAMES)
def test_a_sample_calls_one_of_its_own_functions_as_its_schema_allows(
    said: str, schema: ToolSchema, arguments: JsonObject
) -> None:
    formed = with_stated_forms(bounded_schema(schema.parameters), said=said)
    assert is_valid_json(arguments, formed)


@pytest.mark.parametrize(("said", "schema", "arguments"), CALLS, ids=NAMES)
def test_a_sample_s_values_were_said(said: str, schema: ToolSchema, arguments: JsonObject) -> None:
    revision = revise(arguments, schema.parameters, said=Said(said))
    translated = {name for name in arguments if (schema.name, name) in TRANSLATED}
    composed = {name for name in arguments if (schema.name, name) in COMPOSED}
    assert {**arguments, **revision.arguments} == arguments
    assert arguments.keys() - revision.arguments.keys() <= translated
    assert set(revision.invented) <= composed


def test_when_a_sample_does_not_call_it_says_why_in_one_special_call() -> None:
    for sample in SAMPLES:
        for _, calls in turns_of(sample):
            names = [name for name, _ in calls]
            assert calls
            if RESERVED_NAMES.intersection(names):
                assert len(calls) == 1
                assert names[0] in INSTEAD_OF_A_CALL


def test_what_a_sample_asks_for_is_required_and_was_not_said() -> None:
    asked = [sample for sample in SAMPLES if sample.calls[0][0] == ASK_NAME]
    assert asked
    for sample in asked:
        missing = sample.calls[0][1]["missing"]
        assert isinstance(missing, list)
        required = [function.parameters["required"] for function in sample.functions]
        assert any(isinstance(names, list) and set(missing) <= set(names) for names in required)


def test_every_way_of_deciding_is_shown() -> None:
    shown = {name for sample in SAMPLES for _, calls in turns_of(sample) for name, _ in calls}
    assert set(INSTEAD_OF_A_CALL) <= shown
    assert any(len(calls) > 1 for sample in SAMPLES for _, calls in turns_of(sample))
    assert any(sample.later for sample in SAMPLES)


def test_samples_are_short_and_each_is_another_message() -> None:
    texts = [sample.text for sample in SAMPLES]
    assert len(set(texts)) == len(texts)
    assert all(len(text) <= LONGEST_TEXT_CHARS and "\n" not in text for text in texts)


def test_no_function_of_a_sample_has_the_name_of_a_special_call() -> None:
    names = {function.name for sample in SAMPLES for function in sample.functions}
    assert not names & RESERVED_NAMES
