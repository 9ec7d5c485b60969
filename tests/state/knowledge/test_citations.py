from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.state.knowledge.hits import hit

from smallhold.state.knowledge import citations_of
from smallhold.state.knowledge.citations import numbers_of
from smallhold.state.knowledge.recalling import passage_of
from smallhold.state.recall import Passage

CLEANING = hit(
    "Switch the machine off. Descale the boiler every 14 days with citric acid. Rinse it twice.",
    headings=("Care",),
    page=7,
)
PRICES = hit("A bag of beans costs 1,250 yen.", source="/shop/prices.csv")


def test_a_sentence_is_cited_with_page_headings_and_the_words_that_support_it() -> None:
    answer = "Sure! You should descale the boiler every 14 days. Anything else?"
    (citation,) = citations_of(answer, [PRICES, CLEANING])
    assert answer[citation.start : citation.end] == "You should descale the boiler every 14 days."
    assert citation.quote == "Descale the boiler every 14 days with citric acid."
    assert (citation.source, citation.page, citation.headings) == (
        "/shop/manual.pdf",
        7,
        ("Care",),
    )
    assert citation.place == "manual.pdf, page 7, Care"


def test_a_sentence_with_another_number_is_not_cited() -> None:
    assert not citations_of("Descale the boiler every 30 days with citric acid.", [CLEANING])


def test_a_number_is_the_same_with_and_without_its_comma() -> None:
    assert numbers_of("1,250 and 3.5 at 10:30") == {"1250", "3.5", "10:30"}
    (citation,) = citations_of("A bag of beans is 1250 yen.", [PRICES])
    assert citation.source == "/shop/prices.csv"


@pytest.mark.parametrize("answer", ["", "Yes.", "I do not know.", "The weather is fine today."])
def test_what_no_passage_says_is_left_uncited(answer: str) -> None:
    assert citations_of(answer, [CLEANING, PRICES]) == ()


def test_every_sentence_has_its_own_citation() -> None:
    answer = "Rinse the boiler twice.\n- Beans cost 1,250 yen a bag."
    sources = [citation.source for citation in citations_of(answer, [CLEANING, PRICES])]
    assert sources == ["/shop/manual.pdf", "/shop/prices.csv"]


def test_passages_of_a_recall_are_cited_by_their_own_text_and_others_by_their_source() -> None:
    (first,) = citations_of("Rinse it twice after descaling the boiler.", [passage_of(CLEANING)])
    assert (first.page, first.quote_start) == (7, CLEANING.text.index(first.quote))
    fact = Passage(text="Ann likes oat milk.", source="told on Monday", score=1, reference="fact:1")
    (second,) = citations_of("Ann likes oat milk.", [fact])
    assert (second.source, second.page, second.reference) == ("told on Monday", None, "fact:1")


def test_a_citation_can_be_written_as_json() -> None:
    (citation,) = citations_of("Rinse the boiler twice.", [CLEANING])
    assert json.loads(json.dumps(citation.to_dict()))["page"] == 7


WORDS = ["Tea", "costs", "3", "yen.", "Milk", "is", "2!", "cold\n", "hot\u201d"]
TEXTS = st.lists(st.sampled_from(WORDS)).map(" ".join)


@given(TEXTS, st.lists(TEXTS, max_size=3))
def test_spans_are_those_of_the_texts_and_citations_come_in_order(
    answer: str, texts: list[str]
) -> None:
    hits = [hit(text, source=str(number)) for number, text in enumerate(texts)]
    reached = 0
    for citation in citations_of(answer, hits):
        text = hits[int(citation.source)].text
        assert text[citation.quote_start : citation.quote_end] == citation.quote
        assert answer[citation.start : citation.end].strip()
        assert citation.start >= reached
        assert numbers_of(answer[citation.start : citation.end]) <= numbers_of(citation.quote)
        assert citation.support >= 0.5
        reached = citation.end
