"""When a customer wants to be called: this file holds the reading of everyday times."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

CALLING_HOURS = (time(8), time(20))
"""The service team calls from the first to the second, every day."""

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_RELATIVE_DAYS = {"day after tomorrow": 2, "tomorrow": 1, "today": 0, "tonight": 0, "yesterday": -1}
"""Longest first, since one holds another."""
_DAY_PARTS = {
    "morning": 9,
    "noon": 12,
    "midday": 12,
    "lunchtime": 12,
    "afternoon": 14,
    "evening": 18,
    "tonight": 18,
}
_LATE_PARTS = frozenset({"afternoon", "evening", "tonight"})
_NOON = 12

_ISO_DAY = re.compile(r"\b(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})(?:t|\b)", re.ASCII)
_MONTH_NAME = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sep(?:t|tember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_DAY_NUMBER = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_DAY_MONTH = re.compile(rf"\b{_DAY_NUMBER}\s*(?:of\s+)?{_MONTH_NAME}", re.ASCII)
_MONTH_DAY = re.compile(rf"\b{_MONTH_NAME}\s*{_DAY_NUMBER}(?![\d:.])", re.ASCII)
_WEEKDAY = re.compile(rf"\b(?P<name>{'|'.join(_WEEKDAYS)})(?:(?:s|nes|rs|ur)?day)?\b")
_COUNTED = re.compile(r"\b(?:minutes?|hours?|days|weeks?|months?)\b")
_CLOCK = re.compile(
    r"(?<![\d/.:-])(?P<hour>\d{1,2})(?:[:.h](?P<minute>\d{2})(?::\d{2})?)?(?![\d/-])"
    r"\s*(?:(?P<half>[ap])\.?m\b)?",
    re.ASCII,
)


class TimeProblem(StrEnum):
    """Why a wished time cannot be booked."""

    UNCLEAR = "The time was not understood. Ask for a day and an hour."
    PAST = "That time is in the past. Ask for a later one."
    OUTSIDE_HOURS = "We call between 08:00 and 20:00. Ask for a time within these hours."


def read_callback_time(text: str, *, now: datetime) -> datetime | TimeProblem:
    """Understand texts such as "tomorrow 10:00", "Friday at 3 pm" or "2026-11-20 09:30".

    Without a day, the next such hour from `now` on is meant; an hour from 1 to 7 without am or pm
    means the afternoon, since nobody is called at night. Counted spans ("in two weeks") are not
    understood.

    Args:
        text: The wish in the customer's words.
        now: The present, which relative days are counted from.

    Returns:
        The time in UTC, or what is wrong with the wish.
    """
    wish = text.casefold()
    try:
        day, rest = _read_day(wish, today=now.date())
        hour_of_day = _read_time(rest)
    except ValueError:
        # There is no 31 February and no 25:00.
        return TimeProblem.UNCLEAR
    if hour_of_day is None or _COUNTED.search(rest):
        return TimeProblem.UNCLEAR
    if day is None:
        day = now.date() + timedelta(days=0 if hour_of_day > now.time() else 1)
    wished = datetime.combine(day, hour_of_day, tzinfo=UTC)
    if wished <= now:
        return TimeProblem.PAST
    first, last = CALLING_HOURS
    return wished if first <= hour_of_day <= last else TimeProblem.OUTSIDE_HOURS


def _read_day(wish: str, *, today: date) -> tuple[date | None, str]:
    """Find the day and give the text without it, whose numbers then belong to the hour."""
    iso = _ISO_DAY.search(wish)
    if iso:
        day = date(int(iso["year"]), int(iso["month"]), int(iso["day"]))
        return day, _without(iso, wish)
    named = _DAY_MONTH.search(wish) or _MONTH_DAY.search(wish)
    if named:
        return _next_date(named, today=today), _without(named, wish)
    for words, days in _RELATIVE_DAYS.items():
        if words in wish:
            return today + timedelta(days=days), wish
    weekday = _WEEKDAY.search(wish)
    if weekday:
        # A customer who names today's weekday means the one in a week, else he says "today".
        days = (_WEEKDAYS.index(weekday["name"]) - today.weekday() - 1) % len(_WEEKDAYS) + 1
        return today + timedelta(days=days), wish
    return None, wish


def _next_date(named: re.Match[str], *, today: date) -> date:
    month, day = _MONTHS.index(named["month"][:3]) + 1, int(named["day"])
    year = today.year + ((month, day) < (today.month, today.day))
    return date(year, month, day)


def _without(found: re.Match[str], wish: str) -> str:
    return f"{wish[: found.start()]} {wish[found.end() :]}"


def _read_time(wish: str) -> time | None:
    part = next((name for name in _DAY_PARTS if re.search(rf"\b{name}\b", wish)), None)
    clock = _CLOCK.search(wish)
    if clock is None:
        return None if part is None else time(_DAY_PARTS[part])
    hour = int(clock["hour"])
    is_late = clock["half"] == "p" or part in _LATE_PARTS
    is_bare = clock["half"] is None and part != "morning"
    if hour < _NOON and (is_late or (is_bare and 0 < hour < CALLING_HOURS[0].hour)):
        hour += _NOON
    elif hour == _NOON and clock["half"] == "a":
        hour = 0
    return time(hour, int(clock["minute"] or 0))
