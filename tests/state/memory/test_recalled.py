from __future__ import annotations

from dataclasses import replace

from tests.state.memory.conftest import count_words
from tests.state.memory.facts import a_fact

from smallhold.state.memory import Author, Provenance, RecalledFact
from smallhold.state.memory.recalled import recalled, source_of


def found(*texts: str) -> list[RecalledFact]:
    return [
        RecalledFact(fact=a_fact(text, position=number), score=1 / (number + 1), text=text)
        for number, text in enumerate(texts)
    ]


async def test_what_is_left_out_is_counted() -> None:
    result = await recalled(
        found("a b", "c d", "e"), limit=None, budget_tokens=3, count_tokens=count_words
    )
    assert result.text == "a b\ne"
    assert (result.tokens, result.left_out) == (3, 1)


async def test_a_limit_takes_the_best() -> None:
    result = await recalled(found("a", "b", "c"), limit=2, budget_tokens=None, count_tokens=None)
    assert [one.text for one in result.facts] == ["a", "b"]
    assert (result.tokens, result.left_out) == (0, 1)


def test_people_are_told_who_noted_a_fact_when_and_where() -> None:
    fact = replace(a_fact(), provenance=Provenance(author=Author.AGENT, session="kiosk-7"))
    assert source_of(fact) == "noted by an agent on 2023-11-14 in session kiosk-7"
    assert source_of(a_fact()) == "noted by a person on 2023-11-14"
    assert source_of(replace(a_fact(), created_s=1e18)).endswith("an unknown day")


def test_a_passage_refers_to_its_fact() -> None:
    (one,) = found("tea")
    passage = one.as_passage()
    assert (passage.text, passage.reference, passage.score) == ("tea", "fact:fact-0", 1.0)
