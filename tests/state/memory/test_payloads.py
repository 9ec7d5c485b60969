from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.state.memory.facts import a_fact

from smallhold.exceptions import DamagedRecordError, NewerFormatError
from smallhold.messages import JsonValue
from smallhold.state.memory import Author, Confirmation, Fact, Provenance
from smallhold.state.memory.fact import QUOTE_MAX_CHARS
from smallhold.state.memory.payloads import fact_of, kept, payload_of

PROVENANCES = st.builds(
    Provenance,
    author=st.sampled_from(Author),
    name=st.none() | st.text(),
    session=st.none() | st.text(),
    run=st.none() | st.text(),
    entry=st.none() | st.integers(min_value=0),
    quote=st.text(),
)


def row_of(fact: Fact) -> SimpleNamespace:
    columns = ("id", "position", "created_s", "expires_s", "superseded_s", "superseded_by")
    return SimpleNamespace(**{name: getattr(fact, name) for name in columns})


@given(
    provenance=PROVENANCES,
    value=st.text(),
    ratio=st.floats(min_value=0, max_value=1),
    is_list=st.booleans(),
)
def test_a_fact_comes_back_as_it_was(
    *, provenance: Provenance, value: str, ratio: float, is_list: bool
) -> None:
    confirmation = Confirmation(provenance=provenance, confidence_ratio=ratio, at_s=3.5)
    fact = replace(
        a_fact(value, confidence_ratio=ratio, is_list=is_list),
        provenance=provenance,
        confirmations=(confirmation,),
        superseded_s=2.0,
        superseded_by="other",
    )
    assert fact_of(payload_of(fact), row_of(fact)) == fact


def test_a_payload_of_a_newer_version_is_refused_by_name() -> None:
    fact = a_fact()
    with pytest.raises(NewerFormatError, match="fact-0"):
        fact_of(payload_of(fact) | {"v": 2}, row_of(fact))


@pytest.mark.parametrize(
    "payload",
    [None, [], {}, {"v": "1"}, {"v": 1}, payload_of(a_fact()) | {"confidence_ratio": 7}],
)
def test_a_payload_that_is_no_fact_is_damaged(payload: JsonValue) -> None:
    with pytest.raises(DamagedRecordError, match="fact-0"):
        fact_of(payload, row_of(a_fact()))


def test_what_is_damaged_is_named_without_its_content() -> None:
    payload = payload_of(a_fact())
    payload["subject"] = ["a secret"]
    with pytest.raises(DamagedRecordError) as raised:
        fact_of(payload, row_of(a_fact()))
    assert "secret" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_a_long_quote_is_shortened() -> None:
    assert len(kept(Provenance(quote="x" * 9999)).quote) == QUOTE_MAX_CHARS
