from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.state.memory.facts import a_fact

from smallhold.state.memory import Author, Fact, Provenance
from smallhold.state.memory.fact import CONFIRMATIONS_KEPT
from smallhold.state.memory.revision import Statement, is_traceable, revise, strengthened

NOW_S = 1_700_000_000.0
RATIOS = st.floats(min_value=0, max_value=1)


def said(
    value: str = "tea",
    *,
    confidence_ratio: float = 0.5,
    provenance: Provenance | None = None,
    expires_s: float | None = None,
    is_list: bool = False,
) -> Statement:
    return Statement(
        value=value,
        confidence_ratio=confidence_ratio,
        provenance=provenance or Provenance(),
        expires_s=expires_s,
        is_list=is_list,
        at_s=NOW_S,
    )


def test_the_first_statement_needs_a_new_fact() -> None:
    revision = revise([], said(), now_s=NOW_S)
    assert revision.confirmed is None
    assert revision.superseded == ()


def test_another_value_takes_the_place_of_the_old_one() -> None:
    old = a_fact("tea")
    revision = revise([old], said("coffee"), now_s=NOW_S)
    assert revision.confirmed is None
    assert revision.superseded == (old,)


def test_the_same_value_strengthens_the_fact_and_keeps_who_said_so() -> None:
    witness = Provenance(author=Author.AGENT, session="s", entry=4, quote="I drink tea")
    revision = revise(
        [a_fact("Tea", confidence_ratio=0.5)], said("tea ", provenance=witness), now_s=NOW_S
    )
    assert revision.superseded == ()
    assert revision.confirmed is not None
    assert revision.confirmed.value == "Tea"
    assert revision.confirmed.confidence_ratio == pytest.approx(0.75)
    (confirmation,) = revision.confirmed.confirmations
    assert (confirmation.provenance, confirmation.at_s) == (witness, NOW_S)


def test_the_same_message_read_twice_strengthens_nothing() -> None:
    witness = Provenance(session="s", entry=4)
    once = revise([a_fact()], said(provenance=witness), now_s=NOW_S).confirmed
    assert once is not None
    assert revise([once], said(provenance=witness), now_s=NOW_S).confirmed == once


def test_a_provenance_that_names_no_message_counts_each_time() -> None:
    assert not is_traceable(Provenance(session="s"))
    assert not is_traceable(Provenance(name="ann"))
    assert is_traceable(Provenance(session="s", run="r"))


def test_values_of_a_list_stand_beside_each_other() -> None:
    nuts = a_fact("nuts", is_list=True)
    revision = revise([nuts], said("milk", is_list=True), now_s=NOW_S)
    assert revision.confirmed is None
    assert revision.superseded == ()


def test_one_value_takes_the_place_of_a_whole_list() -> None:
    listed = [a_fact("nuts", is_list=True), a_fact("milk", position=1, is_list=True)]
    revision = revise(listed, said("none"), now_s=NOW_S)
    assert revision.superseded == tuple(listed)


def test_one_value_of_a_list_stated_alone_takes_the_place_of_the_others() -> None:
    nuts, milk = a_fact("nuts", is_list=True), a_fact("milk", position=1, is_list=True)
    revision = revise([nuts, milk], said("milk"), now_s=NOW_S)
    assert revision.superseded == (nuts,)
    assert revision.confirmed is not None
    assert revision.confirmed.id == milk.id
    assert not revision.confirmed.is_list


def test_an_expired_fact_is_not_revived_by_the_same_value() -> None:
    over = a_fact("tea", expires_s=NOW_S - 1)
    for is_list in (False, True):
        revision = revise([over], said("tea", is_list=is_list), now_s=NOW_S)
        assert revision.confirmed is None
        assert revision.superseded == (over,)


def test_a_repetition_sets_the_time_it_states_and_no_other() -> None:
    fact = a_fact(expires_s=NOW_S + 10)
    longer = revise([fact], said(expires_s=NOW_S + 99), now_s=NOW_S).confirmed
    same = revise([fact], said(), now_s=NOW_S).confirmed
    assert longer is not None
    assert same is not None
    assert (longer.expires_s, same.expires_s) == (NOW_S + 99, NOW_S + 10)


def test_only_the_newest_confirmations_are_kept() -> None:
    fact: Fact | None = a_fact()
    for entry in range(CONFIRMATIONS_KEPT + 5):
        assert fact is not None
        witness = Provenance(session="s", entry=entry)
        fact = revise([fact], said(provenance=witness), now_s=NOW_S).confirmed
    assert fact is not None
    entries = [confirmation.provenance.entry for confirmation in fact.confirmations]
    assert entries == list(range(5, CONFIRMATIONS_KEPT + 5))


@given(RATIOS, RATIOS)
def test_confidence_grows_with_each_statement_and_stays_a_share(
    known: float, stated: float
) -> None:
    grown = strengthened(known, stated)
    assert 0 <= grown <= 1
    assert grown >= max(known, stated) - 1e-9


VALUES = st.sampled_from(["tea", "Tea", "coffee", "milk", "nuts"])


@given(st.lists(st.tuples(VALUES, st.booleans()), max_size=12))
def test_every_current_fact_is_kept_confirmed_or_superseded_and_none_twice(
    statements: list[tuple[str, bool]],
) -> None:
    current: list[Fact] = []
    for number, (value, is_list) in enumerate(statements):
        revision = revise(current, said(value, is_list=is_list), now_s=NOW_S)
        gone = {fact.id for fact in revision.superseded}
        assert gone <= {fact.id for fact in current}
        kept = [fact for fact in current if fact.id not in gone]
        if revision.confirmed is None:
            kept.append(replace(a_fact(value, position=number), is_list=is_list))
        else:
            assert revision.confirmed.id not in gone
            kept = [revision.confirmed if f.id == revision.confirmed.id else f for f in kept]
        current = kept
        forms = [fact.value.casefold() for fact in current]
        assert len(forms) == len(set(forms))
        assert is_list or len(current) == 1
