from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.agents.guardrails.written_numbers import read_digits, written_numbers


@pytest.mark.parametrize(
    ("digits", "readings", "decimals"),
    [
        ("1042", {1042.0}, 0),
        ("19.99", {19.99}, 2),
        ("19,99", {19.99}, 2),
        ("1,299.00", {1299.0}, 2),
        ("1.299,00", {1299.0}, 2),
        ("1.299", {1.299, 1299.0}, 0),
        ("1 299,5", {1299.5}, 1),
        ("1\u202f299", {1299.0}, 0),
        ("1'299.00", {1299.0}, 2),
        ("1.299.000", {1299000.0}, 0),
        ("1234.567", {1234.567}, 3),
    ],
)
def test_digits_are_read_in_any_countrys_spelling(
    digits: str, readings: set[float], decimals: int
) -> None:
    (number,) = written_numbers(f"It is {digits}.")
    assert number.text == digits
    assert number.readings == readings
    assert number.decimals == decimals


@pytest.mark.parametrize(
    ("text", "value"),
    [("2 million people", 2e6), ("5k steps", 5e3), ("3 Milliarden", 3e9), ("4 mil", 4e3)],
)
def test_a_scale_that_follows_multiplies(text: str, value: float) -> None:
    (number,) = written_numbers(text)
    assert value in number.readings


@pytest.mark.parametrize("text", ["no number", "A12", "v1.2.3", "9" * 40])
def test_digits_inside_words_and_endless_ones_are_no_numbers(text: str) -> None:
    assert not [number for number in written_numbers(text) if number.start == 0]


@given(value=st.integers(0, 10**12), form=st.sampled_from(["{:,}", "{:_}", "{}"]))
def test_every_whole_number_is_read_whatever_separates_its_thousands(value: int, form: str) -> None:
    written = form.format(value)
    assert float(value) in read_digits(written.replace("_", "."))[0]
    assert float(value) in read_digits(written.replace("_", " ").replace(",", "'"))[0]


@given(cents=st.integers(0, 10**9))
def test_amounts_with_cents_have_one_reading(cents: int) -> None:
    value = cents / 100
    english = f"{value:,.2f}"
    german = english.translate(str.maketrans(",.", ".,"))
    assert read_digits(english) == read_digits(german) == (frozenset({value}), 2)
