"""Promises of `smallhold.tools.retrieval.keyword_index`: this file holds tests of BM25."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.tools.retrieval.keyword_index import LENGTH_SHARE, SATURATION, KeywordIndex


def index(*texts: str) -> KeywordIndex:
    made = KeywordIndex(fields=1)
    for text in texts:
        made.add([text])
    return made


def test_the_score_is_bm25_as_the_book_has_it() -> None:
    # Two documents of 1 and 3 words, so a mean of 2.
    found = index("weather", "weather forecast paris").coverage("paris")
    relative = 1 - LENGTH_SHARE + LENGTH_SHARE * 3 / 2
    frequency = 1 / relative
    assert found == [0.0, pytest.approx(frequency / (SATURATION + frequency))]


def test_a_rare_word_outweighs_a_common_one() -> None:
    common, rare, _ = index("weather paris", "weather oslo", "weather paris").coverage(
        "weather oslo"
    )
    assert rare > common


def test_a_word_that_no_document_has_lowers_the_coverage() -> None:
    tools = index("weather forecast", "flight booking")
    assert tools.coverage("weather")[0] > tools.coverage("weather tomorrow")[0] > 0


def test_fields_are_measured_by_their_own_mean_length() -> None:
    made = KeywordIndex(fields=2)
    made.add(["weather", "a long text about many other things and people"])
    made.add(["flight", "a long text about many other things and weather"])
    in_name, in_text = made.coverage("weather")
    assert in_name == pytest.approx(in_text)


def test_documents_added_later_count_like_the_first_ones() -> None:
    grown = index("weather forecast")
    grown.coverage("weather")
    grown.add(["flight booking"])
    assert grown.coverage("flight weather") == index("weather forecast", "flight booking").coverage(
        "flight weather"
    )


def test_an_index_without_documents_covers_nothing() -> None:
    assert index().coverage("weather") == []


def test_a_text_without_words_is_covered_by_nothing() -> None:
    assert index("weather").coverage("the?") == [0.0]


texts = st.text(alphabet="abc d", max_size=20)


@given(documents=st.lists(texts, min_size=1, max_size=6), query=texts)
def test_coverage_is_a_share(documents: list[str], query: str) -> None:
    found = index(*documents).coverage(query)
    assert len(found) == len(documents)
    assert all(0 <= value < 1 and math.isfinite(value) for value in found)


@given(documents=st.lists(texts, min_size=1, max_size=6), query=texts)
def test_the_order_of_a_texts_words_does_not_matter(documents: list[str], query: str) -> None:
    made = index(*documents)
    turned = " ".join(reversed(query.split()))
    assert made.coverage(turned) == pytest.approx(made.coverage(query))
