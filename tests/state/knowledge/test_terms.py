from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.state.knowledge.terms import asked_terms, stem, terms_of


@pytest.mark.parametrize(
    "forms",
    [
        ("index", "indexes", "indexing", "indexed"),
        ("store", "stored", "storing", "stores"),
        ("stop", "stopped", "stopping"),
        ("query", "queries"),
        ("replicate", "replication", "replicating", "replicates"),
        ("user's", "user", "users"),
    ],
)
def test_the_forms_of_a_word_are_one_term(forms: tuple[str, ...]) -> None:
    assert len({tuple(terms_of(form)) for form in forms}) == 1


def test_words_that_mean_something_else_stay_apart() -> None:
    assert len({stem(word) for word in ("table", "tablet", "tab", "page", "pane")}) == 5


def test_names_of_programs_are_found_by_their_parts() -> None:
    assert terms_of("max_connections") == terms_of("max connections")
    assert terms_of("maxConnections") == terms_of("max connections")


def test_fillers_are_no_terms() -> None:
    assert terms_of("How do I get the") == []


def test_scripts_without_spaces_are_read_by_character() -> None:
    assert len(terms_of("数据库")) == 3


def test_a_question_has_each_term_once() -> None:
    assert asked_terms("table tables Table row") == terms_of("table row")


@given(st.text())
def test_terms_are_numbers_of_32_bits_in_any_text(text: str) -> None:
    assert all(0 <= term < 1 << 32 for term in terms_of(text))


@given(st.text("abcdefghijklmnopqrstuvwxyz", min_size=1))
def test_a_stem_is_never_empty(word: str) -> None:
    assert stem(word)
