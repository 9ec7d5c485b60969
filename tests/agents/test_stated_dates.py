from __future__ import annotations

import datetime
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.agents.stated_dates import DateForm, StatedDates, date_forms

FORMS = {
    "YYYY-MM-DD": "%Y-%m-%d",
    "yyyy/mm/dd": "%Y/%m/%d",
    "MM/DD/YYYY": "%m/%d/%Y",
    "dd.mm.yyyy": "%d.%m.%Y",
    "DD-MM-YYYY": "%d-%m-%Y",
}
"""As descriptions name them, and as `strftime` does."""
TIMED_FORMS = {
    "YYYY-MM-DDTHH:MM:SS": "%Y-%m-%dT%H:%M:00",
    "yyyy-mm-ddThh:mm:ssZ": "%Y-%m-%dT%H:%M:00Z",
    "YYYY-MM-DD'T'HH:MM": "%Y-%m-%dT%H:%M",
    "dd/mm/yyyy HH:MM": "%d/%m/%Y %H:%M",
    "for example 2023-08-16T20:30:00": "%Y-%m-%dT%H:%M:00",
    "such as 2023-08-16T20:30:00Z": "%Y-%m-%dT%H:%M:00Z",
}
DAYS = st.dates(datetime.date(2000, 1, 1), datetime.date(2099, 12, 31))
SPELLINGS = st.sampled_from([
    "{day:%Y-%m-%d}",
    "{day:%Y%m%d}",
    "{day:%Y/%m/%d}",
    "{day:%d.%m.%Y}",
    "{day:%m/%d/%Y}",
    "{day.day} {day:%B} {day.year}",
    "{day:%B} {day.day}, {day.year}",
    "{day:%b} {day.day} {day.year}",
    "the {day.day}th of {day:%B} {day.year}",
    "{day.year} {day:%B} {day.day}th",
])
SENTENCES = st.sampled_from([
    "Book a table on {date}, please",
    "{date}",
    "What happened in Oslo on {date}?",
    "For 2 people ({date}).",
])
DAY = DateForm(letters="yyyy-mm-dd")
STAMP = DateForm(letters="yyyy-mm-dd", between="T", has_seconds=True)


def pattern(said: str, form: str = "YYYY-MM-DD", *, arguments: int = 1) -> str | None:
    return StatedDates(said).pattern(date_forms(form), arguments=arguments)


def allows(said: str, value: str, form: str = "YYYY-MM-DD", *, arguments: int = 1) -> bool:
    found = pattern(said, form, arguments=arguments)
    assert found is not None
    return re.search(found, value) is not None


def allows_any_day(said: str, *, arguments: int = 1) -> bool:
    days = [allows(said, day, arguments=arguments) for day in ("1999-12-31", "2031-07-04")]
    assert len(set(days)) == 1
    return days[0]


# What a description asks for


@pytest.mark.parametrize("name", sorted(FORMS))
def test_a_form_of_dates_is_found_whatever_its_case(name: str) -> None:
    assert date_forms(f"The day ({name}).") == (DateForm(letters=name.casefold()),)


@pytest.mark.parametrize(
    ("description", "form"),
    [
        ("YYYY-MM-DDTHH:MM:SS", STAMP),
        ("In the form yyyy-MM-dd'T'HH:mm:ss", STAMP),
        ("dd/mm/yyyy HH:MM", DateForm(letters="dd/mm/yyyy", between=" ")),
        ("YYYY-MM-DD HH:MM", DateForm(letters="yyyy-mm-dd", between=" ")),
        (
            "YYYY-MM-DDTHH:MM:SSZ",
            DateForm(letters="yyyy-mm-dd", between="T", has_seconds=True, zone="Z"),
        ),
        ("When, e.g. 2023-08-16T20:30:00.", STAMP),
        (
            "When, e.g. '2023-08-16T20:30:00Z'",
            DateForm(letters="yyyy-mm-dd", between="T", has_seconds=True, zone="Z"),
        ),
    ],
)
def test_a_form_with_a_time_is_found_by_its_letters_or_its_example(
    description: str, form: DateForm
) -> None:
    assert date_forms(description) == (form,)


def test_each_of_several_forms_is_found() -> None:
    found = date_forms("MM/DD/YYYY, or else YYYY-MM-DD HH:MM")
    timed = DateForm(letters="yyyy-mm-dd", between=" ")
    assert found == (DateForm(letters="mm/dd/yyyy"), timed)


@pytest.mark.parametrize(
    "description",
    [
        "",
        "The day.",
        "YYYY-MM",
        "YYYY-MM/DD",
        "MYYYY-MM-DD",
        "YYYY-MM-DDs",
        "From hh:mm",
        "YYYY-MM-DD, then hh:mm",
        "YYYY-MM-DDTHH:MM:SS+HH:MM",
        "YYYY-MM-DDTHH:MM:SS.sss",
        "2023-08-16T20:30:00 or hh:mm",
        "since 2023-08-16",
    ],
)
def test_a_form_that_is_not_wholly_known_is_none(description: str) -> None:
    assert date_forms(description) == ()


# The days that were said


@given(DAYS, DAYS, SPELLINGS, SENTENCES, st.sampled_from(sorted(FORMS)))
def test_only_the_day_that_was_said_can_be_written_and_in_the_tool_s_form(
    day: datetime.date, other: datetime.date, spelling: str, sentence: str, form: str
) -> None:
    said = sentence.format(date=spelling.format(day=day))
    assert allows(said, day.strftime(FORMS[form]), form)
    turned = (day.year, day.day, day.month)
    if (other.year, other.month, other.day) not in {(day.year, day.month, day.day), turned}:
        assert not allows(said, other.strftime(FORMS[form]), form)


@given(DAYS, st.times(), SPELLINGS, SENTENCES, st.sampled_from(sorted(TIMED_FORMS)))
def test_a_day_and_a_time_that_were_said_can_be_written_in_the_tool_s_form(
    day: datetime.date, clock: datetime.time, spelling: str, sentence: str, form: str
) -> None:
    said = f"{sentence.format(date=spelling.format(day=day))} At {clock:%I:%M %p}"
    moment = datetime.datetime.combine(day, clock)
    assert allows(said, moment.strftime(TIMED_FORMS[form]), form)
    for later in (datetime.timedelta(minutes=1), datetime.timedelta(hours=12)):
        assert not allows(said, (moment + later).strftime(TIMED_FORMS[form]), form)


@pytest.mark.parametrize("value", ["3 May 2023", "2023-5-3", "03.05.2023", "", "2023-05-03 or so"])
def test_a_stated_day_in_another_form_is_refused(value: str) -> None:
    assert not allows("on 3 May 2023", value)


def test_each_of_several_stated_days_is_allowed() -> None:
    said = "from 3 May 2023 until June 5th 2023"
    assert allows(said, "2023-05-03", arguments=2)
    assert allows(said, "2023-06-05", arguments=2)
    assert not allows(said, "2023-06-03", arguments=2)


def test_a_day_is_allowed_in_each_of_the_tool_s_forms() -> None:
    forms = "YYYY-MM-DD or MM/DD/YYYY"
    assert allows("on 3 May 2023", "2023-05-03", forms)
    assert allows("on 3 May 2023", "05/03/2023", forms)
    assert not allows("on 3 May 2023", "03/05/2023", forms)


def test_a_day_that_countries_read_differently_may_be_either() -> None:
    assert allows("on 3/4/2023", "2023-03-04")
    assert allows("on 3/4/2023", "2023-04-03")
    assert not allows("on 3/4/2023", "2023-03-03")


def test_a_time_that_may_be_before_or_after_noon_may_be_either() -> None:
    said, form = "on 3 May 2023 at 3:15", "YYYY-MM-DD HH:MM"
    assert allows(said, "2023-05-03 03:15", form)
    assert allows(said, "2023-05-03 15:15", form)
    assert not allows(said, "2023-05-03 15:16", form)


def test_the_first_day_of_a_span_may_be_said_without_its_month() -> None:
    said = "from 5 to 7 May 2023"
    assert allows(said, "2023-05-05", arguments=2)
    assert allows(said, "2023-05-07", arguments=2)


# Years


@pytest.mark.parametrize(
    "said",
    ["In 2023, from 3 May to June 5", "from 3 May to June 5, 2023", "2023: 3 May, June 5"],
)
def test_a_day_without_a_year_has_the_one_year_that_was_named(said: str) -> None:
    assert allows(said, "2023-05-03", arguments=2)
    assert allows(said, "2023-06-05", arguments=2)
    assert not allows(said, "2024-05-03", arguments=2)


@pytest.mark.parametrize("said", ["on 3 May", "on 3 May, in 2023 or in 2024", "3 May for 1234"])
def test_a_day_without_a_year_has_any_where_not_just_one_was_named(said: str) -> None:
    assert allows(said, "2023-05-03")
    assert allows(said, "2031-05-03")
    assert not allows(said, "2023-05-04")


def test_a_day_keeps_the_year_it_was_said_with() -> None:
    said = "3 May 2023, or 4 May 2024"
    assert allows(said, "2023-05-03")
    assert allows(said, "2024-05-04")
    assert not allows(said, "2024-05-03")


# Days that follow from others


@pytest.mark.parametrize(
    "said",
    [
        "from 3 May 2023 to the following week",
        "3 May 2023 for two months",
        "from 3 May 2023 until the next Monday",
        "3 May 2023, and the day after",
    ],
)
def test_a_day_that_is_to_be_reckoned_may_be_any(said: str) -> None:
    assert allows_any_day(said, arguments=2)
    assert allows(said, "2023-05-03", arguments=2)
    assert not allows(said, "2023-05-32", arguments=2)
    assert not allows(said, "2023-13-03", arguments=2)


def test_nothing_is_reckoned_where_enough_days_were_said() -> None:
    assert not allows_any_day("3 May 2023 for 2 nights", arguments=1)
    assert not allows_any_day("3 May 2023 to 5 May 2023, 2 nights", arguments=2)


@pytest.mark.parametrize(
    "said",
    ["Today is 3 May 2023. Book next Friday", "It is now 3 May 2023, a table this Sunday please"],
)
def test_what_is_reckoned_from_today_may_be_any_day(said: str) -> None:
    assert allows_any_day(said)


def test_today_alone_is_the_day_that_it_is() -> None:
    assert not allows_any_day("Book for today, 3 May 2023")


@pytest.mark.parametrize("said", ["some day in May", "the 31st", "Mid-Dec", "in 2023"])
def test_a_day_that_is_said_without_its_month_or_its_number_may_be_any(said: str) -> None:
    assert allows_any_day(said)


# Where no form is asked for


@pytest.mark.parametrize("said", ["", "tomorrow", "whenever it suits you", "next week"])
def test_no_form_is_asked_for_where_nothing_speaks_of_a_day(said: str) -> None:
    assert pattern(said) is None


@pytest.mark.parametrize("form", sorted(TIMED_FORMS))
def test_a_time_is_asked_for_only_where_one_was_said(form: str) -> None:
    assert pattern("on 3 May 2023", form) is None
    assert pattern("on 3 May 2023 at 3 in the afternoon", form) is not None


# Whatever the text


@given(st.text(max_size=60), st.integers(1, 3))
def test_any_text_gives_a_working_pattern_or_none(said: str, arguments: int) -> None:
    for form in (DAY, STAMP):
        found = StatedDates(said).pattern([form], arguments=arguments)
        assert found is None or re.compile(found)


@pytest.mark.parametrize("count", [20, 21, 2_000])
def test_a_text_of_many_days_and_times_gives_a_small_pattern(count: int) -> None:
    first = datetime.datetime(2023, 1, 1, tzinfo=datetime.UTC)
    moments = [first + datetime.timedelta(days=number, minutes=number) for number in range(count)]
    said = " ".join(f"{moment:%Y-%m-%d at %H:%M};" for moment in moments)
    found = StatedDates(said).pattern([STAMP], arguments=1)
    assert found is not None
    assert len(found) < 10_000
    assert re.search(found, "2023-01-01T00:00:00")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("leave on the 12th of March 2023 and return a week later", "2023-03-19"),
        ("for 3 nights from 1 June 2022", "2022-06-04"),
        ("a 10-day trip from 2024-02-25", "2024-03-06"),
        ("tomorrow; today is 2023-12-31", "2024-01-01"),
        ("the day after tomorrow; today is 1 May 2024", "2024-05-03"),
    ],
)
def test_a_day_that_follows_from_a_stated_one_is_reckoned(said: str, expected: str) -> None:
    pattern = StatedDates(said).pattern(date_forms("YYYY-MM-DD"), arguments=2)
    assert pattern is not None
    assert re.search(pattern, expected)
    assert not re.search(pattern, "2023-07-07")


def test_a_day_is_not_reckoned_from_one_without_a_year() -> None:
    pattern = StatedDates("2 weeks from 1 May").pattern(date_forms("YYYY-MM-DD"), arguments=2)
    assert pattern is not None
    assert re.search(pattern, "2031-05-15")
