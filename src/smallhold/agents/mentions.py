"""What a text mentions: this file holds the test whether a value stands in what was said.

The test is lenient about spelling and strict about content: endings, case and punctuation do not
count, numbers may be written as words, with a unit of thousand or million, or as a percentage.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from smallhold.agents.written_dates import (
    MONTH_NAMES,
    RECKONED,
    TODAY,
    WrittenDate,
    WrittenTime,
    blanked,
    written_dates,
    written_times,
)
from smallhold.messages import JsonValue

_STEM_CHARS: Final = 4
"""Words are equal if they begin alike: `detail` and `details`, `standardize` and `standard`."""
_TOLERANCE: Final = 1e-9
_NUMBER_WORDS: Final = {
    "zero": 0.0,
    "one": 1.0,
    "two": 2.0,
    "three": 3.0,
    "four": 4.0,
    "five": 5.0,
    "six": 6.0,
    "seven": 7.0,
    "eight": 8.0,
    "nine": 9.0,
    "ten": 10.0,
    "eleven": 11.0,
    "twelve": 12.0,
}
_SCALES: Final = {"thousand": 1e3, "million": 1e6, "billion": 1e9, "k": 1e3, "m": 1e6}
PERCENT: Final = 100.0
_LARGEST_NUMBER: Final = 1e300
_UNIT_FACTORS: Final = (1, 7, 12, 24, 52, 60, 100, 365, 1000, 3600)
"""Between days and weeks, months and years, inches and feet, minutes and hours, percent and shares,
grams and kilograms: "two years" is 24 for an argument in months."""
_WORD: Final = re.compile(r"[^\W_]+")
_NUMBER: Final = re.compile(
    # "5 m" are metres, "5m/s" a speed; only "5m" may be millions.
    r"(?<![\w.])(-?\d[\d,]*(?:\.\d+)?)"
    r"(\s*(?:%|percent\b|thousand\b|million\b|billion\b)|[km]\b(?!/))?"
)
_PERCENTAGE: Final = re.compile(
    # Not from the middle of a number: ten thousand digits would be read from each of them.
    r"(?<!\d)(?<!\d[.,])(\d[\d,]*(?:\.\d+)?)\s*(?:%|percent\b)"
)
_QUOTED: Final = re.compile(
    r"(?<!\w)[\"'\u201c\u2018]([^\"'\u201c\u201d\u2018\u2019\n]{2,200})[\"'\u201d\u2019](?!\w)"
)
_CLAUSE: Final = re.compile(r"[,;:!?\n\"()]+|\.(?=\s|$)")
_MAX_SPAN_WORDS: Final = 4
# fmt: off
EDGE_WORDS: Final = frozenset({
    "a", "an", "the", "of", "in", "on", "at", "to", "for", "from", "by", "with", "and", "or",
    "is", "are", "was", "what", "which", "who", "how", "me", "my", "i", "you", "your", "it",
    "please",
})
# fmt: on
"""Articles, prepositions and the like: no value begins or ends with them."""
_DATE: Final = re.compile(r"\d{4}-\d{1,2}(-\d{1,2})?|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{1,2}:\d{2}")
_MONTH: Final = re.compile(rf"\b(?:{MONTH_NAMES})\b|\b(?:19|20)\d\d\b", re.IGNORECASE)
_TIME: Final = re.compile(r"\d{1,2}:\d{2}")
_TIME_WORD: Final = re.compile(
    r"\b(?:noon|midday|midnight|morning|afternoon|evening|night|tonight|o'clock|now"
    r"|(?:in|for|after) \w+ (?:minutes?|hours?))\b",
    re.IGNORECASE,
)
_NAME_FILLERS: Final = frozenset({"include", "with", "enable", "show", "flag", "option", "want"})
"""Words of parameter names that say nothing about the subject."""


def stems(text: str) -> set[str]:
    """Give the beginnings of a text's words."""
    return {word[:_STEM_CHARS] for word in _WORD.findall(text.casefold())}


def numerals(text: str) -> tuple[float, ...]:
    """List the numbers that a text writes in digits, scaled by a unit that follows."""
    found: list[float] = []
    for match in _NUMBER.finditer(text.casefold()):
        value = float(match[1].replace(",", ""))
        unit = (match[2] or "").strip()
        found.append(value)
        if unit in {"%", "percent"}:
            found.append(value / PERCENT)
        elif unit:
            found.append(value * _SCALES[unit])
    # Hundreds of digits overflow to infinity, which is no JSON.
    return tuple(number for number in found if math.isfinite(number))


def numbers(text: str) -> tuple[float, ...]:
    """List the numbers that a text names, in digits and in words."""
    words = _WORD.findall(text.casefold())
    return numerals(text) + tuple(_NUMBER_WORDS[word] for word in words if word in _NUMBER_WORDS)


def looks_like_date(text: str) -> bool:
    """Tell whether a text is a date or a time in digits, which users write in words."""
    return _DATE.match(text.strip()) is not None


@dataclass(frozen=True)
class Said:
    """A text that values are looked up in."""

    text: str

    @cached_property
    def _stems(self) -> set[str]:
        return stems(self.text)

    @cached_property
    def _folded(self) -> str:
        return self.text.casefold()

    @cached_property
    def numbers(self) -> tuple[float, ...]:
        """The numbers that the text names."""
        return numbers(self.text)

    @cached_property
    def number_counts(self) -> Counter[float]:
        """How often the text names each number."""
        return Counter(self.numbers)

    @cached_property
    def _dates(self) -> tuple[WrittenDate, ...]:
        return tuple(written_dates(self.text))

    @cached_property
    def times(self) -> tuple[WrittenTime, ...]:
        """The times of day that the text writes."""
        return tuple(written_times(self.text))

    @cached_property
    def undated(self) -> str:
        """The text with spaces in the place of days and times of day."""
        found = [*self._dates, *self.times]
        spans = ((one.start, one.start + len(one.text)) for one in found)
        return blanked(self.text, _apart(spans))

    @cached_property
    def _speaks_of_days(self) -> bool:
        words = (RECKONED, TODAY, _MONTH)
        return bool(self._dates) or any(found.search(self.text) for found in words)

    @cached_property
    def _speaks_of_times(self) -> bool:
        return bool(self.times) or _TIME_WORD.search(self.text) is not None

    def has_when_of(self, value: str) -> bool:
        """Tell whether the text says anything of when, as a date or time in digits does.

        Args:
            value: A value that `looks_like_date`.
        """
        is_time = _TIME.match(value.strip()) is not None
        return self._speaks_of_times if is_time else self._speaks_of_days

    @cached_property
    def _quantities(self) -> tuple[float, ...]:
        return numbers(self.undated)

    def counts(self, value: float) -> bool:
        """Tell whether a number is of something other than a day or a time of day."""
        return any(_stands_for(value, known) for known in self._quantities)

    def is_percentage(self, value: float) -> bool:
        """Tell whether the text names this number as a percentage."""
        found = _PERCENTAGE.findall(self._folded)
        return abs(value) <= _LARGEST_NUMBER and any(
            math.isclose(float(number.replace(",", "")), value) for number in found
        )

    def says_word(self, text: str) -> bool:
        """Tell whether the text holds these words as they are, whatever their case."""
        wanted = text.casefold()
        # The plain search is a hundred times faster, and mostly enough to tell.
        if not wanted or wanted not in self._folded:
            return False
        return re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", self._folded) is not None

    def spans(self) -> tuple[str, ...]:
        """List what is quoted, and the runs of up to four words that no punctuation interrupts.

        Runs that begin or end with an article or preposition are left out: they are no values.
        """
        found: dict[str, None] = dict.fromkeys(match[1] for match in _QUOTED.finditer(self.text))
        for clause in _CLAUSE.split(self.text):
            words = clause.split()
            for start in range(len(words)):
                for end in range(start + 1, min(start + _MAX_SPAN_WORDS, len(words)) + 1):
                    if (
                        words[start].casefold() not in EDGE_WORDS
                        and words[end - 1].casefold() not in EDGE_WORDS
                    ):
                        found[" ".join(words[start:end])] = None
        return tuple(found)

    def mentions(self, value: JsonValue, *, name: str) -> bool:
        """Tell whether an argument's value comes from this text.

        Args:
            value: The value.
            name: The argument's name: a truth value is mentioned if its subject is.
        """
        match value:
            case bool():
                return bool((stems(name.replace("_", " ")) - _FILLER_STEMS) & self._stems)
            case int() | float():
                return any(_stands_for(value, known) for known in self.numbers)
            case str():
                wanted = stems(value)
                return bool(wanted) and wanted <= self._stems
            case list():
                return any(self.mentions(item, name=name) for item in value)
            case dict():
                return any(self.mentions(item, name=key) for key, item in value.items())
            case None:
                return False


def _apart(spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Leave out the spans that begin within an earlier one."""
    end = 0
    for first, last in sorted(spans):
        if first >= end:
            yield first, last
            end = last


def _stands_for(value: float, known: float) -> bool:
    """Tell whether a value is a said number, in the same unit or another common one."""
    if abs(value) > _LARGEST_NUMBER:  # an integer beyond any float
        return False
    return any(
        math.isclose(value, wanted, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)
        for factor in _UNIT_FACTORS
        for wanted in (known * factor, known / factor)
    )


_FILLER_STEMS: Final = {word[:_STEM_CHARS] for word in _NAME_FILLERS | EDGE_WORDS}
