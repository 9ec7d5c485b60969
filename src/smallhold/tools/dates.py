"""Dates as people and models write them: this file holds the reader of forms that leave no doubt.

`3 May 2024` can only be one day. `03/05/2024` is one day in Dublin and another in Denver, so it is
not read at all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Final

_MONTH_NAMES: Final = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
_DAY_NAMES: Final = (
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
)  # fmt: skip
_LEAST_LETTERS: Final = 3
"""`Ma` could be two months; three letters tell all months and all days of the week apart."""

_DAY_OF_WEEK: Final = r"(?:(?P<weekday>[a-z]{3,9})\.?,?\s+)?"
_ORDINAL: Final = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_MONTH: Final = r"(?P<month>[a-z]{3,9})\.?"
_YEAR: Final = r"(?P<year>\d{4})"
_BETWEEN: Final = r"(?:\s*,\s*|\s*-\s*|\s+(?:of\s+)?)"

_YEAR_FIRST: Final = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})", re.ASCII)
_YEAR_LAST: Final = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})", re.ASCII)
_DIGITS: Final = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)
_WORDS: Final = tuple(
    re.compile(_DAY_OF_WEEK + _BETWEEN.join(parts), re.ASCII)
    for parts in ((_ORDINAL, _MONTH, _YEAR), (_MONTH, _ORDINAL, _YEAR), (_YEAR, _MONTH, _ORDINAL))
)
_MIDNIGHT: Final = re.compile(r"[T ]00:00(?::00(?:\.0+)?)?(?:Z|[+-]00:?00)?$", re.IGNORECASE)
_WITH_TIME: Final = re.compile(
    r"(?P<date>.*?)(?:\s*,\s*|\s+at\s+|\s+|T)"
    r"(?P<time>\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)\s*(?P<zone>Z|[+-]\d{2}:?\d{2})?",
    re.ASCII | re.IGNORECASE,
)


def iso_date(text: str) -> str | None:
    """Read a day, in any form that only one day can be meant by.

    Args:
        text: Such as `2024/05/03`, `20240503`, `3 May 2024`, `May 3rd, 2024`, `13.05.2024`, or a
            time at midnight.

    Returns:
        `2024-05-03` as in ISO 8601; `None` where the text is no date, no day of the calendar or
        could be two days.
    """
    plain = _MIDNIGHT.sub("", text.strip()).casefold()
    day = _from_numbers(plain) or _from_words(plain)
    return None if day is None else day.isoformat()


def iso_date_time(text: str) -> str | None:
    """Read a day with a time of day, such as `2024/05/03 14:30`.

    Returns:
        `2024-05-03T14:30:00` as in ISO 8601, with the time zone if the text has one; `None` where
        there is no time or no unambiguous date.
    """
    found = _WITH_TIME.fullmatch(text.strip())
    if found is None:
        return None
    day = iso_date(found["date"])
    if day is None:
        return None
    time = found["time"].zfill(5) if found["time"].count(":") == 1 else found["time"].zfill(8)
    seconds = "" if time.count(":") > 1 else ":00"
    return f"{day}T{time}{seconds}{(found['zone'] or '').upper()}"


def _from_numbers(text: str) -> date | None:
    if found := _YEAR_FIRST.fullmatch(text):
        return _day(int(found[1]), int(found[3]), int(found[4]))
    if found := _DIGITS.fullmatch(text):
        return _day(int(found[1]), int(found[2]), int(found[3]))
    if found := _YEAR_LAST.fullmatch(text):
        first, second, year = int(found[1]), int(found[3]), int(found[4])
        readings = {_day(year, first, second), _day(year, second, first)} - {None}
        return readings.pop() if len(readings) == 1 else None
    return None


def _from_words(text: str) -> date | None:
    for form in _WORDS:
        found = form.fullmatch(text)
        month = None if found is None else _MONTHS.get(found["month"])
        if found is None or month is None:
            continue
        day = _day(int(found["year"]), month, int(found["day"]))
        weekday = found["weekday"]
        if day is not None and weekday is not None and _DAYS.get(weekday) != day.weekday():
            return None
        return day
    return None


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _by_beginning(names: tuple[str, ...], *, first: int) -> Mapping[str, int]:
    """Number names by their beginnings: `sep`, `sept` and `september` are the same month."""
    return MappingProxyType({
        name[:letters]: number
        for number, name in enumerate(names, start=first)
        for letters in range(_LEAST_LETTERS, len(name) + 1)
    })


_MONTHS: Final = _by_beginning(_MONTH_NAMES, first=1)
_DAYS: Final = _by_beginning(_DAY_NAMES, first=0)
