from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.runtimes import DIALECTS, CallDialect

dialects = st.sampled_from([*DIALECTS.values()])
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)


def json_of(call: str) -> str:
    return call[call.index("{") : call.rindex("}") + 1]


@given(dialects, names, st.dictionaries(names, st.integers() | names, max_size=3))
def test_a_call_reads_as_the_json_of_its_name_and_arguments(
    dialect: CallDialect, name: str, arguments: dict[str, object]
) -> None:
    call = dialect.opening(name) + json.dumps(arguments) + dialect.after
    parsed = json.loads(json_of(call))
    assert parsed["name"] == name
    assert arguments in parsed.values()


@given(dialects, names)
def test_a_scored_name_is_how_the_call_goes_on(dialect: CallDialect, name: str) -> None:
    opening = dialect.opening(name)
    assert opening.startswith(dialect.before_name + dialect.scored_name(name))


@given(dialects, names, names)
def test_no_scored_name_begins_another(dialect: CallDialect, a: str, b: str) -> None:
    if a != b:
        assert not dialect.scored_name(a).startswith(dialect.scored_name(b))


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)
def test_what_closes_the_arguments_begins_the_rest_of_the_call(dialect: CallDialect) -> None:
    assert dialect.closing == "}"
    assert dialect.after.startswith(dialect.closing)


def test_a_dialect_is_found_by_its_key() -> None:
    assert all(key == dialect.key for key, dialect in DIALECTS.items())
    assert {"hermes", "llama3", "phi4"} <= set(DIALECTS)


def test_the_hermes_call_is_the_one_of_the_qwen_template() -> None:
    hermes = DIALECTS["hermes"]
    assert hermes.opening("f") + "{}" + hermes.after == (
        '<tool_call>\n{"name": "f", "arguments": {}}\n</tool_call>'
    )
