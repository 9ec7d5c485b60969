from __future__ import annotations

import pytest

from smallhold.agents.guardrails import Outcome, Review, Verdict


def test_outcomes_are_ordered_from_the_weakest_to_the_strongest() -> None:
    ordered = [Outcome.PASS, Outcome.FLAG, Outcome.REPLACE, Outcome.APPROVAL, Outcome.BLOCK]
    assert list(Outcome) == ordered


def test_a_verdict_is_made_by_its_outcome() -> None:
    assert Verdict.ok().outcome is Outcome.PASS
    assert Verdict.flag("odd").reason == "odd"
    assert Verdict.replace("new", reason="old").text == "new"
    assert Verdict.block("no", message="Sorry.").message == "Sorry."


@pytest.mark.parametrize("outcome", Outcome)
def test_only_a_block_is_blocked(outcome: Outcome) -> None:
    assert Review(outcome=outcome, text="").is_blocked is (outcome is Outcome.BLOCK)
