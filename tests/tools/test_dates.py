"""Behaviour of the reader of dates."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from smallhold.tools.dates import iso_date, iso_date_time


@pytest.mark.parametrize(
    "text",
    [
        "2024-05-03",
        "2024/05/03",
        "2024/5/3",
        "2024.05.03",
        "20240503",
        "3 May 2024",
        "3rd May 2024",
        "3rd of May, 2024",
        "03-May-2024",
        "May 3, 2024",
        "May 3rd 2024",
        "2024 May 3",
        "MAY 3 2024",
        "Friday, 3 May 2024",
        "Fri 3 May 2024",
        " 2024-05-03T00:00:00Z ",
    ],
)
def test_a_day_is_read_in_any_form_that_leaves_no_doubt(text: str) -> None:
    assert iso_date(text) == "2024-05-03"


@pytest.mark.parametrize(
    "text",
    [
        "03/05/2024",
        "3.5.2024",
        "03/05/24",
        "3 May",
        "tomorrow",
        "3 Ma 2024",
        "2024-02-30",
        "13/13/2024",
        "31 April 2024",
        "Monday, 3 May 2024",
        "2024-05/03",
        "2024-05-03T14:30:00",
        "1714694400",
        "",
    ],
)
def test_a_date_that_could_be_two_days_or_none_is_not_read(text: str) -> None:
    assert iso_date(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [("13/05/2024", "2024-05-13"), ("05/13/2024", "2024-05-13"), ("05.05.2024", "2024-05-05")],
)
def test_day_and_month_are_told_apart_where_only_one_order_is_possible(
    text: str, expected: str
) -> None:
    assert iso_date(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024/05/03 14:30", "2024-05-03T14:30:00"),
        ("3 May 2024 at 9:05", "2024-05-03T09:05:00"),
        ("May 3, 2024, 14:30:15 Z", "2024-05-03T14:30:15Z"),
        ("2024-05-03T14:30+02:00", "2024-05-03T14:30:00+02:00"),
        ("03/05/2024 14:30", None),
        ("2024-05-03", None),
        ("14:30", None),
    ],
)
def test_a_time_needs_an_unambiguous_day(text: str, expected: str | None) -> None:
    assert iso_date_time(text) == expected


@given(st.dates(min_value=date(1000, 1, 1)))
def test_every_day_survives_its_unambiguous_spellings(day: date) -> None:
    for form in ("%Y/%m/%d", "%d %B %Y", "%B %d, %Y", "%a, %d %b %Y", "%Y%m%d"):
        assert iso_date(day.strftime(form)) == day.isoformat()


@given(st.dates(min_value=date(1000, 1, 1)))
def test_a_day_and_month_that_could_be_swapped_are_never_guessed(day: date) -> None:
    assume(day.day <= 12 and day.day != day.month)
    assert iso_date(day.strftime("%d/%m/%Y")) is None


@given(st.text())
def test_any_text_is_a_day_of_the_calendar_or_nothing(text: str) -> None:
    read = iso_date(text)
    assert read is None or date.fromisoformat(read).isoformat() == read
