"""Days and times as people write them: this file holds their reading in five languages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

# fmt: off
_MONTHS: Final = {
    "jan": 1, "january": 1, "januar": 1, "jänner": 1, "janvier": 1, "enero": 1, "gennaio": 1,
    "feb": 2, "february": 2, "februar": 2, "février": 2, "fevrier": 2, "febrero": 2,
    "febbraio": 2,
    "mar": 3, "march": 3, "märz": 3, "maerz": 3, "mars": 3, "marzo": 3,
    "apr": 4, "april": 4, "avril": 4, "abril": 4, "aprile": 4,
    "may": 5, "mai": 5, "mayo": 5, "maggio": 5,
    "jun": 6, "june": 6, "juni": 6, "juin": 6, "junio": 6, "giugno": 6,
    "jul": 7, "july": 7, "juli": 7, "juillet": 7, "julio": 7, "luglio": 7,
    "aug": 8, "august": 8, "août": 8, "aout": 8, "agosto": 8,
    "sep": 9, "sept": 9, "september": 9, "septembre": 9, "septiembre": 9, "settembre": 9,
    "oct": 10, "october": 10, "okt": 10, "oktober": 10, "octobre": 10, "octubre": 10,
    "ottobre": 10,
    "nov": 11, "november": 11, "novembre": 11, "noviembre": 11,
    "dec": 12, "december": 12, "dez": 12, "dezember": 12, "décembre": 12, "decembre": 12,
    "diciembre": 12, "dicembre": 12,
}
# fmt: on
MONTH_NAMES: Final = "|".join(sorted(_MONTHS, key=len, reverse=True))
"""Alternatives of a regular expression, longest first."""
RECKONED: Final = re.compile(
    r"\b(?:tomorrow|tonight|later|next|after|following|upcoming|nights?|weeks?|days?|months?|hours?"
    r"|(?:mon|tues|wednes|thurs|fri|satur|sun)day)\b",
    re.IGNORECASE,
)
"""Words for days that are not stated but follow from one that is."""
TODAY: Final = re.compile(r"\b(?:today|now|currently)\b", re.IGNORECASE)
"""Words beside which a stated day may be the one that others are reckoned from."""
_DAY: Final = r"(?P<day>\d{1,2})(?:st|nd|rd|th|er|\.|º|°)?"
_YEAR: Final = r"(?:,?\s*(?:de\s+|del\s+)?(?P<year>\d{4}))?"
_DATES: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?<!\d)(?P<year>20\d{2})(?P<month>0[1-9]|1[0-2])(?P<day>0[1-9]|[12]\d|3[01])(?!\d)",
        r"(?<!\d)(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})(?!\d)",
        rf"(?<!\d)(?P<year>\d{{4}})\s+(?P<name>{MONTH_NAMES})\b\.?\s+{_DAY}(?!\d)",
        rf"(?<!\w){_DAY}\s*(?:of\s+|de\s+)?(?P<name>{MONTH_NAMES})\b\.?{_YEAR}(?!\d)",
        rf"\b(?P<name>{MONTH_NAMES})\b\.?\s+(?:the\s+)?{_DAY}(?![\d:]){_YEAR}(?!\d)",
        r"(?<![\d.,/-])(?P<one>\d{1,2})(?P<by>[./-])(?P<two>\d{1,2})(?P=by)(?P<year>(?:\d\d){1,2})(?!\d)",
    )
)
_HALF: Final = r"\s*(?P<half>[ap])\.?m\b\.?"
_TIMES: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?<![\d:.])(?P<hour>\d{1,2})(?:[.:](?P<minute>\d{2}))?\s+in\s+the\s+(?P<part>[a-z]{7,9})",
        rf"(?<![\d:.])(?P<hour>\d{{1,2}}):(?P<minute>\d{{2}})(?::\d{{2}})?(?![\d:])(?:{_HALF})?",
        rf"(?<![\d:.])(?P<hour>\d{{1,2}})(?:\.(?P<minute>\d{{2}}))?{_HALF}",
        r"(?<![\d:.])(?P<hour>\d{1,2})(?:[.:](?P<minute>\d{2}))?\s*uhr\b",
        r"(?<![\d:.])(?P<hour>[01]?\d|2[0-3])\s?h(?:\s?(?P<minute>[0-5]\d))?\b",
    )
)
_HALVES: Final = {"morning": "a", "afternoon": "p", "evening": "p"}
_MAX_DAY: Final = 31
_MAX_MONTH: Final = 12
_CENTURY: Final = 100
_THIS_CENTURY: Final = 2000
_HOURS: Final = 24
_NOON: Final = 12
_MINUTES: Final = 60


@dataclass(frozen=True, slots=True)
class WrittenDate:
    """A day in a text."""

    text: str
    start: int
    days: frozenset[tuple[int, int]]
    """What it may mean as (month, day): `3/4` is in March to some and in April to others."""
    year: int | None

    def agrees(self, other: WrittenDate) -> bool:
        """Tell whether both may mean the same day; a year that one of them lacks does not count."""
        years = {year for year in (self.year, other.year) if year is not None}
        return bool(self.days & other.days) and len(years) <= 1


@dataclass(frozen=True, slots=True)
class WrittenTime:
    """A time of day in a text."""

    text: str
    start: int
    minutes: frozenset[int]
    """What it may mean, from midnight: 3:00 may be at night or in the afternoon."""

    def agrees(self, other: WrittenTime) -> bool:
        """Tell whether both may mean the same time."""
        return bool(self.minutes & other.minutes)


def written_dates(text: str) -> Iterator[WrittenDate]:
    """Find the days that a text writes with a day of the month."""
    for pattern in _DATES:
        read = [(found, *_day(found)) for found in pattern.finditer(text)]
        sound = [(found, days, year) for found, days, year in read if days]
        for found, days, year in sound:
            yield WrittenDate(found[0], found.start(), days, year)
        text = blanked(text, (found.span() for found, _, _ in sound))


def blanked(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """Put spaces in the place of spans, so that they are not found a second time.

    Args:
        text: Any text.
        spans: Beginnings and ends; no two overlap.
    """
    pieces: list[str] = []
    end = 0
    for first, last in sorted(spans):
        pieces += [text[end:first], " " * (last - first)]
        end = last
    return "".join([*pieces, text[end:]])


def _day(found: re.Match[str]) -> tuple[frozenset[tuple[int, int]], int | None]:
    groups = found.groupdict()
    year = int(groups["year"]) if groups.get("year") else None
    if year is not None and year < _CENTURY:
        year += _THIS_CENTURY
    if groups.get("name"):
        pairs = [(_MONTHS[groups["name"].casefold()], int(groups["day"]))]
    elif groups.get("one"):
        one, two = int(groups["one"]), int(groups["two"])
        pairs = [(one, two), (two, one)]
    else:
        pairs = [(int(groups["month"]), int(groups["day"]))]
    return frozenset(pair for pair in pairs if _is_day(*pair)), year


def _is_day(month: int, day: int) -> bool:
    return 1 <= month <= _MAX_MONTH and 1 <= day <= _MAX_DAY


def written_times(text: str) -> Iterator[WrittenTime]:
    """Find the times of day that a text writes in digits."""
    for pattern in _TIMES:
        read = [(found, _minutes(found)) for found in pattern.finditer(text)]
        sound = [(found, minutes) for found, minutes in read if minutes]
        for found, minutes in sound:
            yield WrittenTime(found[0], found.start(), minutes)
        text = blanked(text, (found.span() for found, _ in sound))


def _minutes(found: re.Match[str]) -> frozenset[int]:
    groups = found.groupdict()
    hour, minute = int(groups["hour"]), int(groups["minute"] or 0)
    if hour >= _HOURS or minute >= _MINUTES:
        return frozenset()
    if groups.get("part") and groups["part"].casefold() not in _HALVES:
        return frozenset()
    half = (groups.get("half") or _HALVES.get((groups.get("part") or "").casefold(), "")).casefold()
    if half:
        hours = {hour % _NOON + (_NOON if half == "p" else 0)}
    else:
        hours = {hour, hour + _NOON} if hour < _NOON else {hour}
    return frozenset(hour * _MINUTES + minute for hour in hours)
