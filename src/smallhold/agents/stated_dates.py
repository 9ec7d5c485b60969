"""Days in the form that a tool asks for: this file holds the patterns of date arguments.

A small model that must turn "the 10th of March 2023" into digits writes the digits of another day.
So where the message states its days, only those can be decoded, in the form that the tool's
description names, and those that plainly follow from them ("a week later"); where it is not plain
which ("next Friday"), any day in that form. Source: `docs/accuracy.md`, stated forms.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Final

from smallhold.agents.written_dates import (
    RECKONED,
    TODAY,
    WrittenDate,
    WrittenTime,
    blanked,
    written_dates,
    written_times,
)

_DATE: Final = r"yyyy(?P<a>[-/.])mm(?P=a)dd|mm(?P<b>[-/.])dd(?P=b)yyyy|dd(?P<c>[-/.])mm(?P=c)yyyy"
_TIME: Final = r"(?P<between>[T ]|'T')hh:mm(?P<seconds>:ss)?(?P<zone>Z)?"
_FORM: Final = re.compile(rf"\b(?P<date>{_DATE})(?:{_TIME})?(?!\w|\.s|[:+-]\w)", re.IGNORECASE)
_TIME_NAMED: Final = re.compile(r"hh:mm", re.IGNORECASE)
_STAMP: Final = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?P<zone>Z)?(?!\w)")
_HAS_DATE: Final = re.compile(
    r"\d|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)", re.IGNORECASE
)
_YEAR: Final = re.compile(r"(?<!\d)(?:19|20)\d{2}(?!\d)")
_BARE_DAY: Final = r"\d{1,2}(?:st|nd|rd|th)?"
_SPAN: Final = re.compile(
    rf"(?<![\w./-]){_BARE_DAY}\s*(?:[-\u2013]|to|and|until|till|through)\s*"
    rf"(?:the\s+)?{_BARE_DAY}(?![\w/-]|\.\d)",
    re.IGNORECASE,
)
"""Two days of one month, as in "5 to 7 May": only one of them is written as a date."""
_COUNTS: Final = {
    "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
    "eight": 8, "nine": 9, "ten": 10, "fourteen": 14,
}  # fmt: skip
_LATER: Final = re.compile(
    rf"\b(?:the day after tomorrow|tomorrow|(?P<count>\d{{1,3}}|{'|'.join(_COUNTS)})[\s-]"
    r"(?P<unit>day|night|week)s?(?:\s+(?:later|after|afterwards))?)\b",
    re.IGNORECASE,
)
"""Words that say by how many days one day follows another."""
_WEEK: Final = 7
_MAX_DAYS: Final = 20
"""With more days than this in a text, all days are allowed: the pattern stays small."""
_ANY_DAY: Final = ((r"\d{4}", "(0[1-9]|1[0-2])", "(0[1-9]|[12][0-9]|3[01])"),)
_MINUTES: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class DateForm:
    """A form of dates that a description asks for."""

    letters: str
    """Such as `yyyy-mm-dd`."""
    between: str = ""
    """What stands between day and time, empty where the form has no time."""
    has_seconds: bool = False
    zone: str = ""


def date_forms(description: str) -> tuple[DateForm, ...]:
    """Find the forms of dates that a description asks for; none where one is not wholly known."""
    found = tuple(_named_forms(description))
    if found:
        has_other_time = len(_TIME_NAMED.findall(description)) > sum(
            bool(form.between) for form in found
        )
        return () if has_other_time else found
    stamp = _STAMP.search(description)
    if stamp is None or _TIME_NAMED.search(description):
        return ()
    zone = stamp["zone"] or ""
    return (DateForm(letters="yyyy-mm-dd", between="T", has_seconds=True, zone=zone),)


def _named_forms(description: str) -> Iterator[DateForm]:
    for found in _FORM.finditer(description):
        yield DateForm(
            letters=found["date"].casefold(),
            between=(found["between"] or "").strip("'"),
            has_seconds=bool(found["seconds"]),
            zone=found["zone"] or "",
        )


@dataclass(frozen=True)
class StatedDates:
    """The days and times of day that a text states."""

    text: str

    @cached_property
    def _dates(self) -> tuple[WrittenDate, ...]:
        return tuple(written_dates(self.text))

    @cached_property
    def _times(self) -> tuple[WrittenTime, ...]:
        return tuple(written_times(self.text))

    def pattern(self, forms: Sequence[DateForm], *, arguments: int) -> str | None:
        """Give the regular expression of the days that an argument may be.

        Args:
            forms: At least one form that the argument may have.
            arguments: How many arguments of the tool are dates: with fewer days stated than
                needed, the others may be reckoned.

        Returns:
            `None` where nothing of the text speaks of a day, or a time is asked for and none is
            stated: no form is asked for then.
        """
        if not _HAS_DATE.search(self.text):
            return None
        if any(form.between for form in forms) and not self._times:
            return None
        days = self._days(arguments=arguments)
        written = [
            self._written(form, day)
            for form in forms
            for day in (days if len(days) <= _MAX_DAYS else _ANY_DAY)
        ]
        return f"^({'|'.join(dict.fromkeys(written))})$"

    def _days(self, *, arguments: int) -> Sequence[tuple[str, str, str]]:
        """List year, month and day as regular expressions."""
        stated = dict.fromkeys(
            (self._year(date), f"{month:02}", f"{day:02}")
            for date in self._dates
            for month, day in sorted(date.days)
        )
        if not stated:
            return _ANY_DAY
        if len(stated) >= arguments and TODAY.search(self.text) is None:
            return tuple(stated)
        offsets = self._offsets()
        if offsets is None:
            return _ANY_DAY
        reckoned = dict.fromkeys(
            later for day in stated for offset in offsets for later in _later(day, offset)
        )
        # A day without a known year cannot be reckoned from.
        return tuple(stated | reckoned) if reckoned or not offsets else _ANY_DAY

    def _offsets(self) -> tuple[int, ...] | None:
        """List by how many days others follow stated ones; `None` where that is not plain."""
        found = tuple(_LATER.finditer(self.text))
        rest = blanked(self.text, (match.span() for match in found))
        if RECKONED.search(rest) is not None or _SPAN.search(rest) is not None:
            return None
        return tuple(dict.fromkeys(map(_offset, found)))

    def _year(self, date: WrittenDate) -> str:
        """Give a day's year, from elsewhere in the text where only one year is named."""
        if date.year is not None:
            return f"{date.year:04}"
        years = set(_YEAR.findall(self.text))
        return years.pop() if len(years) == 1 else r"\d{4}"

    def _written(self, form: DateForm, day: tuple[str, str, str]) -> str:
        year, month, day_of_month = day
        parts = {"yyyy": year, "mm": month, "dd": day_of_month}
        separator = next(letter for letter in form.letters if not letter.isalnum())
        date = re.escape(separator).join(parts[part] for part in form.letters.split(separator))
        if not form.between:
            return date
        times = [
            f"{minutes // _MINUTES:02}:{minutes % _MINUTES:02}"
            for time in self._times
            for minutes in sorted(time.minutes)
        ]
        clock = "|".join(times[:_MAX_DAYS])
        seconds = ":00" if form.has_seconds else ""
        return f"{date}{form.between}({clock}){seconds}{form.zone}"


def _offset(found: re.Match[str]) -> int:
    """Give the days of a match of `_LATER`."""
    if found["unit"] is None:
        return 2 if "after" in found[0].casefold() else 1
    count = found["count"].casefold()
    days = _COUNTS[count] if count in _COUNTS else int(count)
    return days * _WEEK if found["unit"].casefold() == "week" else days


def _later(day: tuple[str, str, str], offset: int) -> Iterator[tuple[str, str, str]]:
    """Give the day that follows by an offset; none for a day of no known year."""
    year, month, day_of_month = day
    try:
        later = date(int(year), int(month), int(day_of_month)) + timedelta(days=offset)
    except (ValueError, OverflowError):
        return
    yield f"{later.year:04}", f"{later.month:02}", f"{later.day:02}"
