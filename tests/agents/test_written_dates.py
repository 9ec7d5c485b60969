from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.agents.written_dates import (
    RECKONED,
    TODAY,
    blanked,
    written_dates,
    written_times,
)


@pytest.mark.parametrize(
    ("text", "days", "year"),
    [
        ("2026-11-20", {(11, 20)}, 2026),
        ("2026-11-20T09:30:00Z", {(11, 20)}, 2026),
        ("20.11.2026", {(11, 20)}, 2026),
        ("03/04/26", {(3, 4), (4, 3)}, 2026),
        ("20 November", {(11, 20)}, None),
        ("November 20th, 2026", {(11, 20)}, 2026),
        ("the 20th of November 2026", {(11, 20)}, 2026),
        ("20. M\u00e4rz 2026", {(3, 20)}, 2026),
        ("le 1er f\u00e9vrier", {(2, 1)}, None),
        ("20 de noviembre de 2026", {(11, 20)}, 2026),
        ("3 agosto", {(8, 3)}, None),
        ("2023 April 4th", {(4, 4)}, 2023),
        ("2023 Sept. 30", {(9, 30)}, 2023),
        ("20230929", {(9, 29)}, 2023),
    ],
)
def test_a_day_is_read_in_its_countrys_spelling(
    text: str, days: set[tuple[int, int]], year: int | None
) -> None:
    (date,) = written_dates(f"On {text} it is.")
    assert (date.days, date.year) == (days, year)


@pytest.mark.parametrize(
    "text",
    [
        "in 3 days",
        "2026-13-40",
        "10.5.1",
        "May I help?",
        "1.50",
        "20231329",
        "20230900",
        "19230929",
        "120230929",
        "202309291",
        "2023 April",
    ],
)
def test_what_names_no_day_is_none(text: str) -> None:
    assert not list(written_dates(text))


def test_days_agree_where_both_say_the_same() -> None:
    (day,) = written_dates("20 November")
    (stamp,) = written_dates("2026-11-20")
    (other_year,) = written_dates("20 November 2025")
    (either,) = written_dates("11/20/2026")
    assert day.agrees(stamp)
    assert either.agrees(stamp)
    assert not other_year.agrees(stamp)


@given(day=st.dates(datetime.date(1950, 1, 1), datetime.date(2099, 12, 31)))
def test_every_day_agrees_with_itself_in_another_spelling(day: datetime.date) -> None:
    (iso,) = written_dates(day.isoformat())
    for form in (
        f"{day:%d.%m.%Y}",
        f"{day:%m/%d/%Y}",
        f"{day.day} {day:%B} {day.year}",
        f"{day.year} {day:%B} {day.day}th",
    ):
        (date,) = written_dates(f"({form})")
        assert date.agrees(iso)
        assert date.text in form


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("10:00", {600, 1320}),
        ("15:30", {930}),
        ("3 pm", {900}),
        ("3:15 p.m.", {915}),
        ("12 am", {0}),
        ("12:30 pm", {750}),
        ("14 Uhr", {840}),
        ("9.30 Uhr", {570, 1290}),
        ("15h30", {930}),
        ("9 h", {540, 1260}),
        ("3 in the afternoon", {900}),
        ("3:15 in the morning", {195}),
        ("8.30 in the evening", {1230}),
        ("12 in the AFTERNOON", {720}),
        ("15:30 in the afternoon", {930}),
        ("10:30 in the kitchen", {630, 1350}),
    ],
)
def test_a_time_is_read_in_its_countrys_spelling(text: str, minutes: set[int]) -> None:
    (time,) = written_times(f"At {text} then")
    assert time.minutes == minutes


@pytest.mark.parametrize(
    "text",
    [
        "25:00",
        "10:75",
        "3 parts",
        "ratio 1:2:3:4",
        "in 48h",
        "3 in the kitchen",
        "3 in the holidays",
        "25 in the morning",
        "in 2030 in the morning",
    ],
)
def test_what_is_no_time_of_day_is_none(text: str) -> None:
    assert not list(written_times(text))


@pytest.mark.parametrize(
    "text", ["a week later", "Tomorrow", "for 2 nights", "the following day", "on WEDNESDAY"]
)
def test_words_for_days_that_follow_from_others_are_known(text: str) -> None:
    assert RECKONED.search(text)


@pytest.mark.parametrize("text", ["on 3 May", "the weakest", "dayglow", "Friday's child", "lately"])
def test_other_words_reckon_nothing(text: str) -> None:
    assert bool(RECKONED.search(text)) is ("Friday" in text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Today is Monday", True), ("It is NOW 3 May", True), ("currently", True), ("I know", False)],
)
def test_words_for_this_day_are_known(text: str, *, expected: bool) -> None:
    assert bool(TODAY.search(text)) is expected


@given(text=st.text(max_size=40), places=st.sets(st.integers(0, 39)))
def test_blanking_keeps_all_places(text: str, places: set[int]) -> None:
    spans = [(place, place + 1) for place in places if place < len(text)]
    blank = blanked(text, sorted(spans, reverse=True))
    assert len(blank) == len(text)
    assert all(
        blank[place] == (" " if place in places else text[place]) for place in range(len(text))
    )
