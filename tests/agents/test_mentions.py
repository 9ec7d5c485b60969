from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.agents.mentions import Said, looks_like_date, numbers, stems
from smallhold.messages import JsonValue

WORDS = st.text(alphabet="abcdefgh", min_size=1, max_size=8)
PROSE = st.text(alphabet="abcdef gh,.!1029%-", max_size=60)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", ()),
        ("two lamps", (2.0,)),
        ("2 lamps and 1,500 bulbs", (2.0, 1500.0)),
        ("minus -3.5 degrees", (-3.5,)),
        ("5% off", (5.0, 0.05)),
        ("20 thousand", (20.0, 20_000.0)),
        ("3k or 2M", (3.0, 3_000.0, 2.0, 2_000_000.0)),
    ],
)
def test_numbers_are_read_in_digits_words_units_and_percentages(
    text: str, named: tuple[float, ...]
) -> None:
    assert sorted(numbers(text)) == sorted(named)


@pytest.mark.parametrize("text", ["9" * 400, f"{'9' * 308} million", "1" + ",000" * 200])
def test_a_number_too_large_to_be_one_is_none(text: str) -> None:
    assert all(number < float("inf") for number in numbers(text))


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("red lamp", "product"),
        ("Lamps", "product"),
        ("RED", "colour"),
        (2, "quantity"),
        (2.0, "quantity"),
        (["lamp", "sofa"], "products"),
        ({"product": "lamp"}, "filter"),
        (True, "include_delivery"),
    ],
)
def test_what_was_said_is_found_however_it_is_spelled(value: JsonValue, name: str) -> None:
    said = Said("I want two red lamps, delivered on Monday")
    assert said.mentions(value, name=name)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("blue lamp", "product"),
        ("", "product"),
        ("--", "product"),
        (3, "quantity"),
        ([], "products"),
        ({}, "filter"),
        (None, "note"),
        (True, "include_tax"),
        (10**400, "quantity"),
    ],
)
def test_what_nobody_said_is_not_found(value: JsonValue, name: str) -> None:
    said = Said("I want two red lamps, delivered on Monday")
    assert not said.mentions(value, name=name)


def test_nothing_said_mentions_nothing() -> None:
    assert not Said("").mentions("lamp", name="product")
    assert Said("").spans() == ()
    assert Said("").numbers == ()


@pytest.mark.parametrize(
    ("text", "is_date"),
    [("2030-01-31", True), ("31.01.2030", True), ("14:30", True), (" 2030-01 ", True),
     ("tomorrow", False), ("1042", False), ("", False)],
)  # fmt: skip
def test_dates_and_times_in_digits_are_told_apart(text: str, *, is_date: bool) -> None:
    assert looks_like_date(text) is is_date


def test_spans_stop_at_punctuation_and_carry_no_edge_words() -> None:
    spans = Said("Send the red lamp to Ada, please").spans()
    assert {"Send", "red lamp", "red", "lamp", "Ada", "red lamp to Ada"} <= set(spans)
    assert not {"the", "the red lamp", "lamp to", "Ada please", "please"} & set(spans)


def test_what_is_quoted_is_one_span_whatever_stands_in_it() -> None:
    spans = Said('Play "The rain, the park and other things" and \u201cHey, you\u201d').spans()
    assert spans[:2] == ("The rain, the park and other things", "Hey, you")
    assert not any(span.startswith("s a ") for span in Said("Ada's lamp isn't mine").spans())


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("two years", 24, True),
        ("3 minutes", 180, True),
        ("half a kilo, 500 grams", 0.5, True),
        ("4%", 0.04, True),
        ("seven days", 1, True),
        ("two years", 25, False),
        ("3 minutes", 181, False),
        ("", 0, False),
    ],
)
def test_a_number_in_another_common_unit_is_the_number_that_was_said(
    text: str, value: float, *, expected: bool
) -> None:
    assert Said(text).mentions(value, name="x") is expected


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("a flat in Oslo", "in_unit_laundry", False),
        ("a flat for me, with a garden", "with_view_of_the_sea", False),
        ("a flat with its own laundry", "in_unit_laundry", True),
        ("and the lot", "show_and_include", False),
    ],
)
def test_articles_and_prepositions_in_a_name_are_not_its_subject(
    text: str, name: str, *, expected: bool
) -> None:
    assert Said(text).mentions(expected, name=name) is expected
    assert Said(text).mentions(not expected, name=name) is expected


def test_a_text_without_its_dates_and_times_keeps_everything_else_in_its_place() -> None:
    text = "2 rooms from 3 May 2023 at 7 pm, 5 nights until 2023-05-08T10:00"
    undated = Said(text).undated
    assert undated.split() == ["2", "rooms", "from", "at", ",", "5", "nights", "until", "T"]
    assert len(undated) == len(text)
    assert Said("2 rooms").undated == "2 rooms"


@given(st.text(max_size=60) | PROSE)
def test_taking_dates_out_of_any_text_only_puts_spaces_in(text: str) -> None:
    undated = Said(text).undated
    assert len(undated) == len(text)
    assert all(now in {" ", then} for now, then in zip(undated, text, strict=True))


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("a table on 3 May at 7 pm", 7, False),
        ("a table on 3 May at 7 pm", 3, False),
        ("in 2023-05-03", 2023, False),
        ("a table for 7 at 7 pm", 7, True),
        ("a table for seven at 8 pm", 7, True),
        ("two weeks from 3 May", 14, True),
        ("", 7, False),
    ],
)
def test_a_number_counts_where_it_is_of_something_else_than_a_day_or_a_time(
    text: str, value: float, *, expected: bool
) -> None:
    assert Said(text).counts(value) is expected


@pytest.mark.parametrize(
    ("text", "is_of_days", "is_of_times"),
    [
        ("on 3 May 2023", True, False),
        ("some time in June", True, False),
        ("the best of 2023", True, False),
        ("tomorrow", True, False),
        ("now", True, True),
        ("next Friday", True, False),
        ("at 3 pm", False, True),
        ("at noon, please", False, True),
        ("in the morning", False, True),
        ("tonight", True, True),
        ("in 5 minutes", False, True),
        ("5 minutes of it", False, False),
        ("a lamp for 2 people", False, False),
        ("", False, False),
    ],
)
def test_a_text_speaks_of_days_of_times_of_both_or_of_neither(
    text: str, *, is_of_days: bool, is_of_times: bool
) -> None:
    said = Said(text)
    for day in ("2023-05-03", "03.05.2023", "2023-05-03T10:00:00", " 2023-05"):
        assert said.has_when_of(day) is is_of_days
    assert said.has_when_of("18:30") is is_of_times


def test_a_number_is_counted_as_often_as_it_is_said() -> None:
    counts = Said("6 lamps, six chairs and 6.0 beds for 20 thousand").number_counts
    assert (counts[6], counts[20], counts[20_000], counts[7]) == (3, 1, 1, 0)


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("at 4.5%", 4.5, True),
        ("at 4.5 percent", 4.5, True),
        ("1,200 %", 1200, True),
        ("at 57%", 0.57 * 100, True),
        ("at 57%", 57.001, False),
        ("at 4.5", 4.5, False),
        ("at 45%", 5, False),
        ("-4%", -4, False),
        ("4%", 10**400, False),
        (f"{'9' * 400}%", 4, False),
    ],
)
def test_percentages_are_told_from_other_numbers(
    text: str, value: float, *, expected: bool
) -> None:
    assert Said(text).is_percentage(value) is expected


@pytest.mark.parametrize(
    ("text", "word", "expected"),
    [
        ("In Celsius, please", "celsius", True),
        ("a C++ book", "c++", True),
        ("very large", "very large", True),
        ("largest", "large", False),
        ("a.b", "a.b", True),
        ("axb", "a.b", False),
        ("anything", "", False),
        ("", "", False),
    ],
)
def test_words_are_found_as_they_are_and_whole(text: str, word: str, *, expected: bool) -> None:
    assert Said(text).says_word(word) is expected


@given(st.lists(WORDS, min_size=1, max_size=12))
def test_any_part_of_what_was_said_is_mentioned(words: list[str]) -> None:
    said = Said(" ".join(words))
    for start in range(len(words)):
        assert said.mentions(" ".join(words[start:]), name="field")


@given(st.integers(min_value=-(10**9), max_value=10**9), PROSE)
def test_a_number_in_digits_is_mentioned(number: int, before: str) -> None:
    assert Said(f"{before} is {number}").mentions(number, name="field")


@given(PROSE)
def test_spans_are_short_runs_of_words_that_stand_in_the_text(text: str) -> None:
    spaced = " ".join(text.split())
    for span in Said(text).spans():
        assert span in spaced
        assert 1 <= len(span.split()) <= 4


@given(st.text(max_size=40), st.text(max_size=20), st.text(max_size=20))
def test_saying_more_never_makes_less_mentioned(text: str, more: str, value: str) -> None:
    if Said(text).mentions(value, name="field"):
        assert Said(f"{text} {more}").mentions(value, name="field")


@given(st.text(max_size=60))
def test_stems_are_short_and_do_not_depend_on_case(text: str) -> None:
    assert all(1 <= len(stem) <= 4 for stem in stems(text))
    assert stems(text) == stems(text.casefold())


def test_a_message_of_the_longest_length_is_read_in_no_time() -> None:
    started_s = time.monotonic()
    for text in ("1" * 100_000, "1," * 50_000, "a " * 50_000, "(" * 100_000, "'" * 100_000):
        said = Said(text)
        said.mentions("lamp", name="product")
        said.mentions(7, name="quantity")
        said.spans()
        said.is_percentage(7)
        said.says_word("lamp")
        said.counts(7)
        said.has_when_of("18:30")
    assert time.monotonic() - started_s < 5
