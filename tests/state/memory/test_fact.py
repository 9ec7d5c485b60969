from __future__ import annotations

from dataclasses import replace

from tests.state.memory.facts import a_fact


def test_a_fact_is_read_as_one_line_whatever_it_holds() -> None:
    fact = a_fact("tea,\n\u2028 and  milk", attribute="favourite_drink")
    assert fact.line == "favourite drink: tea, and milk"


def test_a_fact_expires_at_its_time_and_not_before() -> None:
    fact = a_fact(expires_s=100.0)
    assert not fact.is_expired(99.9)
    assert fact.is_expired(100.0)
    assert not a_fact().is_expired(1e12)


def test_a_fact_is_current_until_something_takes_its_place() -> None:
    assert a_fact().is_current
    assert not replace(a_fact(), superseded_s=1.0).is_current
