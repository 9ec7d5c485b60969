"""Where a value may come from: this file holds the test whether texts bear out what is stated.

Lenient about form and strict about content: `1,299.00`, `1.299 €` and `1299` are one number, the
20th of November is found in a time stamp, and a number may be rounded. A number may also be worked
out from others that the answer itself states and that are borne out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import combinations
from typing import Final, cast

from smallhold.agents.guardrails.normalisation import fold
from smallhold.agents.guardrails.stated_values import (
    StatedValue,
    ValueKind,
    currency_of,
    stated_values,
)
from smallhold.agents.guardrails.written_numbers import WrittenNumber, written_numbers
from smallhold.agents.mentions import Said, numbers
from smallhold.agents.written_dates import (
    WrittenDate,
    WrittenTime,
    written_dates,
    written_times,
)
from smallhold.messages import JsonValue

_TOLERANCE: Final = 1e-9
_SEPARATORS: Final = re.compile(r"[\W_]")
_DIGITS: Final = re.compile(r"\d+")
_MAX_RUN_DIGITS: Final = 15
"""Longer runs are no quantities, and floats do not tell them apart."""
_WORD: Final = re.compile(r"[^\W_]+")
_LOOSE_WORD: Final = re.compile(r"[^\s,;:!?\"'(){}\[\]<>]+")
_PERCENT: Final = 100.0
_MINUTES: Final = 60
_SUBSCRIBER_DIGITS: Final = 8
"""Last digits of a telephone number that stay the same whatever prefix is written."""
_MIN_LOOSE_CHARS: Final = 7
"""A longer code may stand in a text with other separators; a shorter one would by chance."""
_MAX_OPERANDS: Final = 12
"""Numbers of an answer that may be worked with: 66 pairs."""


class Evidence:
    """Texts that an answer may draw on.

    Args:
        texts: Tool results, the user's messages, knowledge; not what the agent wrote.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = tuple(texts)
        self._text = "\n".join(self._texts)

    def unfounded(self, answer: str) -> tuple[StatedValue, ...]:
        """List the values of an answer that these texts do not bear out."""
        values = stated_values(answer)
        missing = [value for value in values if not self._bears_out(value, answer)]
        operands = [
            reading
            for value in values
            if value not in missing and value.kind in {ValueKind.NUMBER, ValueKind.MONEY}
            for number in written_numbers(value.text)
            for reading in sorted(number.readings)
        ]
        results = tuple(_worked_out(operands))
        return tuple(value for value in missing if not _is_among(value, results))

    def _bears_out(self, value: StatedValue, answer: str) -> bool:
        match value.kind:
            case ValueKind.ADDRESS:
                return _bare_address(value.text) in self._folded
            case ValueKind.DATE:
                return self._has_date(value.text)
            case ValueKind.TIME:
                return self._has_time(value.text)
            case ValueKind.IDENTIFIER:
                return self._has_identifier(value.text)
            case ValueKind.MONEY | ValueKind.NUMBER:
                return self._has_number(value, answer)
            case ValueKind.NAME:
                return self._has_name(value.text)

    def _has_date(self, text: str) -> bool:
        return any(known.agrees(date) for date in written_dates(text) for known in self._dates)

    def _has_time(self, text: str) -> bool:
        return any(
            any(known.agrees(time) for known in self._times)
            or any(minutes / _MINUTES in self._bare_numbers for minutes in time.minutes)
            for time in written_times(text)
        )

    def _has_identifier(self, text: str) -> bool:
        squeezed = _SEPARATORS.sub("", fold(text))
        if squeezed in self._tokens:
            return True
        digits = "".join(_DIGITS.findall(text))
        if digits == squeezed:
            number = next(written_numbers(digits), None)
            if number is not None and self._has_reading(number):
                return True
            if len(digits) > _SUBSCRIBER_DIGITS:
                return digits[-_SUBSCRIBER_DIGITS:] in self._squeezed
            # What looks like one code may be several numbers in a row.
            groups = _DIGITS.findall(text)
            if len(groups) > 1:
                return all(float(group) in self._bare_numbers for group in groups)
        return len(squeezed) >= _MIN_LOOSE_CHARS and squeezed in self._squeezed

    def _has_number(self, value: StatedValue, answer: str) -> bool:
        number = next(written_numbers(value.text), None)
        if number is None:
            return True
        placed = WrittenNumber(value.text, value.start, number.readings, number.decimals)
        currency = currency_of(answer, placed)
        if currency is not None and self._has_other_currency(number, currency):
            return False
        if currency is not None:
            # Amounts are never rounded, but they may be held in pence.
            return self._has_share(number, 1.0) or self._has_share(number, _PERCENT)
        is_share = _is_percentage(answer, placed) and self._has_share(number, 1 / _PERCENT)
        return is_share or self._has_reading(number)

    def _has_share(self, number: WrittenNumber, factor: float) -> bool:
        return any(
            _near(reading * factor, known) for reading in number.readings for known in self._numbers
        )

    def _has_reading(self, number: WrittenNumber) -> bool:
        return any(
            _near(reading, known) or _is_rounded(reading, known, decimals=number.decimals)
            for reading in number.readings
            for known in self._numbers
        )

    def _has_other_currency(self, number: WrittenNumber, currency: str) -> bool:
        """Whether the texts name this amount, but each time in another currency."""
        currencies = {code for known, code in self._amounts if known & number.readings}
        return bool(currencies) and currencies.isdisjoint({currency, None})

    def _has_name(self, text: str) -> bool:
        return _words(text) in self._words or self._said.mentions(text, name="")

    @cached_property
    def _folded(self) -> str:
        return fold(self._text)

    @cached_property
    def _words(self) -> str:
        return _words(self._text)

    @cached_property
    def _said(self) -> Said:
        return Said(self._text)

    @cached_property
    def _squeezed(self) -> str:
        # Line ends stay: the end of a text and the beginning of the next make no number.
        return "\n".join(_SEPARATORS.sub("", line) for line in self._folded.splitlines())

    @cached_property
    def _tokens(self) -> frozenset[str]:
        loose = _LOOSE_WORD.findall(self._folded)
        plain = _WORD.findall(self._folded)
        return frozenset({_SEPARATORS.sub("", token) for token in loose} | set(plain))

    @cached_property
    def _dates(self) -> tuple[WrittenDate, ...]:
        return tuple(written_dates(self._text))

    @cached_property
    def _times(self) -> tuple[WrittenTime, ...]:
        # A time stamp's T joins day and time into one word.
        return tuple(written_times(re.sub(r"(?<=\d)T(?=\d)", " ", self._text)))

    @cached_property
    def _amounts(self) -> tuple[tuple[frozenset[float], str | None], ...]:
        return tuple(
            (number.readings, currency_of(self._text, number))
            for number in written_numbers(self._text)
        )

    @cached_property
    def _bare_numbers(self) -> frozenset[float]:
        """Every run of digits, also inside days and codes, and the numbers written in words."""
        runs = (float(run) for run in _DIGITS.findall(self._text) if len(run) <= _MAX_RUN_DIGITS)
        return frozenset({*runs, *numbers(self._text)})

    @cached_property
    def _numbers(self) -> frozenset[float]:
        written = (reading for readings, _ in self._amounts for reading in readings)
        counted = (count for text in self._texts for count in _counts(text))
        return frozenset({*written, *self._bare_numbers, *counted})


def _worked_out(operands: Sequence[float]) -> Iterator[float]:
    """Give sums, differences, products and quotients of two numbers, and the sum of all."""
    known = list(dict.fromkeys(operands))[:_MAX_OPERANDS]
    if len(operands) > 1:
        yield sum(operands)
    for one, other in combinations(known, 2):
        yield from (one + other, abs(one - other), one * other)
        if one and other:
            yield from (one / other, other / one)
        yield from (one * other / _PERCENT, one + one * other / _PERCENT)


def _is_among(value: StatedValue, results: Sequence[float]) -> bool:
    if value.kind not in {ValueKind.NUMBER, ValueKind.MONEY}:
        return False
    return any(
        _is_rounded(reading, result, decimals=number.decimals)
        for number in written_numbers(value.text)
        for reading in number.readings
        for result in results
    )


def _counts(text: str) -> Iterator[float]:
    """Give the lengths of a JSON text's lists, and the sums of what their rows hold."""
    if text[:1] not in {"{", "["}:
        return
    try:
        value = cast("JsonValue", json.loads(text))
    except (ValueError, RecursionError):
        return
    yield from _counts_in(value)


def _counts_in(value: JsonValue) -> Iterator[float]:
    match value:
        case dict():
            for item in value.values():
                yield from _counts_in(item)
        case list():
            yield float(len(value))
            yield from _sums(value)
            for item in value:
                yield from _counts_in(item)
        case _:
            return


def _sums(rows: Sequence[JsonValue]) -> Iterator[float]:
    columns: dict[str, float] = {}
    for row in rows:
        for key, item in row.items() if isinstance(row, dict) else ():
            if isinstance(item, int | float) and not isinstance(item, bool):
                columns[key] = columns.get(key, 0.0) + item
    yield from columns.values()


def _near(one: float, other: float) -> bool:
    return abs(one - other) <= _TOLERANCE * max(1.0, abs(one), abs(other))


def _is_rounded(stated: float, exact: float, *, decimals: int) -> bool:
    """Tell whether a number is another one rounded to its own decimals."""
    return abs(stated - exact) <= 0.5 * 10.0**-decimals + _TOLERANCE and not (
        decimals == 0 and abs(exact) < 1 <= abs(stated)
    )


def _is_percentage(text: str, number: WrittenNumber) -> bool:
    return text[number.start + len(number.text) :].lstrip()[:1] == "%"


def _bare_address(text: str) -> str:
    return fold(text).removeprefix("https://").removeprefix("http://").rstrip("/")


def _words(text: str) -> str:
    return f" {' '.join(_WORD.findall(fold(text)))} "
