from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.exceptions import ConfigError
from smallhold.state.memory.fact import SUBJECT_MAX_CHARS, VALUE_MAX_CHARS
from smallhold.state.memory.wording import (
    attribute_form,
    attribute_name,
    subject_name,
    value_form,
    value_text,
)


def test_subjects_that_differ_in_case_are_two() -> None:
    assert subject_name("aB7") != subject_name("Ab7")


def test_a_subject_is_the_same_in_both_spellings_of_its_accents() -> None:
    assert subject_name("Zoe\u0308") == subject_name("Zo\u00eb")


def test_attributes_are_the_same_whatever_joins_their_words() -> None:
    forms = {
        attribute_form(text) for text in ("Favourite_Drink", "favourite-drink", "favourite  drink")
    }
    assert forms == {"favourite drink"}


def test_values_are_the_same_whatever_their_case_and_gaps() -> None:
    assert value_form("Green  Tea\n") == value_form("green tea")
    assert value_form("Stra\u00dfe") == value_form("STRASSE")


@pytest.mark.parametrize("text", ["", "  \n", "a\x00b", "half \ud800", "x" * (VALUE_MAX_CHARS + 1)])
def test_a_value_that_is_no_text_or_too_long_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(ConfigError) as raised:
        value_text(text)
    assert "xxx" not in str(raised.value)


def test_a_subject_may_have_as_many_characters_as_are_stated() -> None:
    assert subject_name("x" * SUBJECT_MAX_CHARS)
    with pytest.raises(ConfigError):
        subject_name("x" * (SUBJECT_MAX_CHARS + 1))


def test_an_attribute_is_written_on_one_line() -> None:
    assert attribute_name(" favourite\n drink ") == "favourite drink"


@given(st.text())
def test_a_form_of_a_form_is_the_form(text: str) -> None:
    assert value_form(value_form(text)) == value_form(text)


@given(st.text(min_size=1, max_size=50))
def test_a_text_is_refused_or_kept_in_a_form_that_stays(text: str) -> None:
    try:
        kept = value_text(text)
    except ConfigError:
        return
    assert value_text(kept) == kept
