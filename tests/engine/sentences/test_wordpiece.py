"""Promises of `smallhold.engine.sentences.wordpiece`: this file holds tests of its token ids."""

from __future__ import annotations

import hashlib
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.engine.sentences.wordpiece import basic_words, english_vocabulary, token_ids

VOCABULARY = english_vocabulary()
PIECES = {number: piece for piece, number in VOCABULARY.items()}


def pieces(text: str) -> list[str]:
    return [PIECES[number] for number in token_ids(text, vocabulary=VOCABULARY)]


def test_the_vocabulary_is_the_published_file_byte_for_byte() -> None:
    file = resources.files("smallhold.engine.sentences").joinpath("vocabulary.txt")
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    # Source: vocab.txt of sentence-transformers/all-MiniLM-L6-v2.
    assert digest == "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"
    assert len(VOCABULARY) == 30522
    assert (VOCABULARY["[CLS]"], VOCABULARY["[SEP]"], VOCABULARY["[UNK]"]) == (101, 102, 100)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # Source of the ids: tokenizers 0.22.1 with the model's own tokenizer.json.
        ("This is an example sentence", [2023, 2003, 2019, 2742, 6251]),
        ("embeddings", [7861, 8270, 4667, 2015]),
        ("École 你好", [12431, 100, 100]),
    ],
)
def test_token_ids_are_those_of_the_reference(text: str, expected: list[int]) -> None:
    assert token_ids(text, vocabulary=VOCABULARY) == expected


def test_case_and_accents_do_not_count() -> None:
    assert pieces("CAFÉ") == pieces("cafe")


def test_punctuation_stands_alone() -> None:
    assert basic_words("a_b-c, $5.") == ["a", "_", "b", "-", "c", ",", "$", "5", "."]


def test_a_long_word_is_cut_into_the_longest_known_pieces() -> None:
    assert pieces("tokenization") == ["token", "##ization"]


def test_a_word_that_cannot_be_cut_is_unknown() -> None:
    assert pieces("\U0001f600") == ["[UNK]"]
    assert pieces("a" * 101) == ["[UNK]"]


def test_a_special_token_in_the_text_is_text() -> None:
    assert pieces("[SEP]") == ["[", "sep", "]"]


def test_control_characters_vanish_and_odd_spaces_separate() -> None:
    assert basic_words("a\x00b\u200bc d e\nf") == ["abc", "d", "e", "f"]


@given(st.text())
def test_any_text_becomes_known_ids(text: str) -> None:
    assert all(number in PIECES for number in token_ids(text, vocabulary=VOCABULARY))
