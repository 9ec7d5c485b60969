from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.agents.grounding import ungrounded_arguments
from smallhold.messages import JsonValue

DIGITS = st.text(alphabet="0123456789", min_size=4, max_size=15)
PROSE = st.text(alphabet="abcdefghij .,", max_size=40)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("1042", "Where is order 1042?"),
        ("1042", "Where is order #1042?"),
        ("+44 20 7946 0123", "Call +44 (20) 7946-0123, please"),
        ("02079460123", "My number is 020 7946 0123."),
        ("020-7946-0123", "020.7946.0123"),
        ("Ada@Lovelace.example", "Write to ada@lovelace.example."),
        (" ada@lovelace.example ", "Write to ada@lovelace.example."),
    ],
)
def test_an_identifier_is_grounded_however_it_was_written(value: str, said: str) -> None:
    assert ungrounded_arguments({"field": value}, [said]) == ()


@pytest.mark.parametrize(
    "value",
    ["1042", "+44 20 7946 0123", "020/79460123", "ada@lovelace.example", ["1042"], {"id": "1042"}],
)
def test_an_identifier_that_nobody_said_is_named_by_its_argument(value: JsonValue) -> None:
    arguments = {"quantity": 2, "field": value}
    assert ungrounded_arguments(arguments, ["Where is my order?"]) == ("field",)


@pytest.mark.parametrize(
    "value",
    ["", "red lamp", "123", "2030-01-31", "14:30", "2030-01-31T14:30", "31/01/2030", 5000, 1.5,
     True, None, "Ada Lovelace", "at 5 pm", "lamp 5000"],
)  # fmt: skip
def test_words_small_numbers_dates_and_quantities_need_no_ground(value: JsonValue) -> None:
    assert ungrounded_arguments({"field": value}, ["Hello"]) == ()


def test_the_end_of_a_text_and_the_beginning_of_the_next_make_no_identifier() -> None:
    assert ungrounded_arguments({"order": "1042"}, ["I want 10", "42 are left"]) == ("order",)


def test_no_text_grounds_no_identifier() -> None:
    assert ungrounded_arguments({"order": "1042"}, []) == ("order",)


def test_arguments_are_named_in_their_order() -> None:
    arguments: dict[str, JsonValue] = {"b": "2222", "a": "1111", "c": "3333"}
    assert ungrounded_arguments(arguments, ["about 1111"]) == ("b", "c")


@given(DIGITS, PROSE, PROSE)
def test_what_stands_in_a_text_is_grounded(number: str, before: str, after: str) -> None:
    texts = ["Hello", f"{before} {number} {after}"]
    assert ungrounded_arguments({"order": number}, texts) == ()


@given(DIGITS, st.lists(PROSE, max_size=4))
def test_texts_without_digits_ground_no_number(number: str, texts: list[str]) -> None:
    assert ungrounded_arguments({"order": number}, texts) == ("order",)


@given(DIGITS, st.lists(st.tuples(st.integers(0, 30), st.sampled_from(" ()./+#-")), max_size=8))
def test_separators_do_not_count(number: str, separators: list[tuple[int, str]]) -> None:
    letters = list(number)
    for place, separator in separators:
        letters.insert(place, separator)
    assert ungrounded_arguments({"order": number}, ["".join(letters)]) == ()


@given(st.dictionaries(st.text(max_size=3), st.text(max_size=12), max_size=4), st.text(max_size=20))
def test_more_texts_never_make_an_argument_less_grounded(
    arguments: dict[str, str], more: str
) -> None:
    values: dict[str, JsonValue] = {**arguments}
    few = ungrounded_arguments(values, ["Order 1042"])
    many = ungrounded_arguments(values, ["Order 1042", more])
    assert set(many) <= set(few) <= set(arguments)
