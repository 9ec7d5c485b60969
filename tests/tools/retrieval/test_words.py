"""Promises of `smallhold.tools.retrieval.words`: this file holds tests of stemming."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.tools.retrieval.words import name_words, stem, stems


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("getOrderStatus", "get order status"),
        ("get_order-status", "get order status"),
        ("HTTPServer2Go", "http server2 go"),
        ("__init__", "init"),
        ("straßeÖffnen", "strasseöffnen"),
        ("", ""),
    ],
)
def test_a_name_is_split_where_its_writer_meant_it(name: str, words: str) -> None:
    assert name_words(name) == words


@pytest.mark.parametrize(
    ("one", "other"),
    [("orders", "order"), ("cities", "city"), ("booking", "booked"), ("analyse", "analysed")],
)
def test_forms_of_a_word_share_a_stem(one: str, other: str) -> None:
    assert stem(one) == stem(other)


@pytest.mark.parametrize("word", ["bus", "this", "glass", "ring", "red", "2024"])
def test_short_words_and_double_s_stay(word: str) -> None:
    assert stem(word) == word


def test_words_of_any_request_do_not_count() -> None:
    assert stems("Could you please get me the weather?") == ["weather"]


def test_a_name_in_a_message_counts_as_its_words() -> None:
    assert stems("call orderStatus") == ["call", "order", "statu"]


@given(st.text())
def test_any_text_has_stems_without_spaces_or_signs(text: str) -> None:
    assert all(word and "_" not in word and not word.isspace() for word in stems(text))


@given(st.text())
def test_case_never_matters_between_separate_words(text: str) -> None:
    assert stems(text.lower()) == stems(text.lower().casefold())
