from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smallhold.engine.drafts import (
    LONGEST_NGRAM,
    MAX_GUESS_CHARS,
    SHORTEST_NGRAM,
    copied_text,
    copied_tokens,
)
from smallhold.engine.tokens import Tokens
from smallhold.messages import JsonValue

values: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


letters = st.text(
    st.characters(exclude_characters='"\\', exclude_categories=["Nd", "Cs"]), min_size=1, max_size=6
)
"""The beginning of a string that needs no escape and is no number."""


@st.composite
def begun_values(draw: st.DrawFn) -> str:
    text = json.dumps(draw(values), ensure_ascii=draw(st.booleans()))
    return text[: draw(st.integers(0, len(text)))]


def ids(*tokens: int) -> Tokens:
    return np.asarray(tokens, dtype=np.int32)


def test_text_goes_on_as_it_did_the_last_time() -> None:
    assert copied_tokens(ids(1, 2, 3, 4, 9, 9, 1, 2), limit=2) == [3, 4]


def test_of_several_places_the_last_is_copied() -> None:
    assert copied_tokens(ids(1, 2, 5, 1, 2, 6, 1, 2), limit=1) == [6]


def test_a_longer_match_wins_over_a_later_one() -> None:
    assert copied_tokens(ids(7, 8, 1, 2, 5, 1, 2, 6, 7, 8, 1, 2), limit=1) == [5]


def test_a_single_token_in_common_is_no_match() -> None:
    assert copied_tokens(ids(1, 2, 3, 1), limit=4) == []


@pytest.mark.parametrize("size", range(SHORTEST_NGRAM + 1))
def test_a_text_too_short_to_repeat_itself_gives_no_guess(size: int) -> None:
    assert copied_tokens(ids(*range(size)), limit=4) == []


def expected_copy(history: list[int], limit: int) -> list[int]:
    """The definition, place by place."""
    for width in range(LONGEST_NGRAM, SHORTEST_NGRAM - 1, -1):
        for start in range(len(history) - width - 1, -1, -1):
            if history[start : start + width] == history[-width:]:
                return history[start + width : start + width + limit]
    return []


@given(history=st.lists(st.integers(0, 2), max_size=24), limit=st.integers(1, 8))
def test_the_guess_follows_the_last_place_of_the_longest_match(
    history: list[int], limit: int
) -> None:
    assert copied_tokens(ids(*history), limit=limit) == expected_copy(history, limit)


def test_a_string_goes_on_as_in_what_was_said() -> None:
    said = ["Please send it to Anna Berg in Oslo."]
    assert copied_text('{"name": "Anna B', said) == "erg in Oslo."


def test_a_string_is_found_in_another_case_too() -> None:
    assert copied_text('{"city": "Os', ["i live in oslo"]) == "lo"


def test_the_same_case_wins_over_an_earlier_place() -> None:
    assert copied_text('["Os', ["oslo or Osaka"]) == "aka"


def test_the_likeliest_source_comes_first() -> None:
    assert copied_text('["Ann', ["Anna", "Annette"]) == "a"


def test_what_nobody_said_gives_no_guess() -> None:
    assert copied_text('["Zoe', ["Anna", "Annette"]) == ""


def test_a_string_of_which_nothing_is_known_gives_no_guess() -> None:
    assert copied_text('{"name": "', ["Anna"]) == ""


def test_outside_of_a_value_nothing_is_guessed() -> None:
    assert copied_text('{"name": "Anna", ', ['the name is "Anna", and more']) == ""


@pytest.mark.parametrize(
    "source", ['Anna "Annie" Berg', "Anna \\ Berg", "Anna \nBerg"], ids=["quote", "slash", "line"]
)
def test_a_guess_ends_where_json_would_have_to_escape(source: str) -> None:
    assert copied_text('["An', [source]) == "na "


def test_a_number_goes_on_as_in_what_was_said() -> None:
    assert copied_text('{"order": 10', ["Where is order 1042?"]) == "42"
    assert copied_text('{"price": -3', ["It fell by -3.75 today."]) == ".75"


def test_a_number_ends_before_the_full_stop_of_a_sentence() -> None:
    assert copied_text("[10", ["My order is 1042."]) == "42"


def test_a_number_does_not_begin_in_the_middle_of_another() -> None:
    assert copied_text('{"order": 4', ["Order 1042 of 47 parts"]) == "7"


def test_a_number_that_is_whole_already_gives_no_guess() -> None:
    assert copied_text('{"order": 1042', ["Where is order 1042?"]) == ""


@example(begun='["I', sources=["\u0130I"])  # lower case is longer than the text itself
@example(begun=": \u0661", sources=["\u06612"])  # a digit that JSON does not know
@example(begun='"a\\', sources=["a\\n"])
@given(begun=begun_values() | st.text(max_size=20), sources=st.lists(st.text(), max_size=3))
def test_no_text_makes_a_guess_fail_or_end_its_string(begun: str, sources: list[str]) -> None:
    guess = copied_text(begun, sources)
    assert not set('"\\\n') & set(guess)
    assert len(guess) <= MAX_GUESS_CHARS or guess.replace(".", "").isdecimal()


@given(before=st.text(), begun=letters, after=st.text())
def test_a_guess_continues_what_was_begun_as_a_source_does(
    before: str, begun: str, after: str
) -> None:
    source = before + begun + after
    assert begun + copied_text(f'["{begun}', [source]) in source


@given(
    begun=letters, rest=st.text("abc XYZ", max_size=MAX_GUESS_CHARS), end=st.sampled_from('"\\\n')
)
def test_the_whole_rest_of_a_quotation_is_guessed(begun: str, rest: str, end: str) -> None:
    assert copied_text(f'["{begun}', [begun + rest + end]) == rest
