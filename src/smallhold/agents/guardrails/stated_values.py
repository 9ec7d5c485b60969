"""What an answer states: this file holds the finding of values that one cannot know by thinking.

Numbers, amounts of money, days, times, identifiers, addresses and quoted names: each of these was
read somewhere, or made up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from smallhold.agents.guardrails.written_numbers import WrittenNumber, written_numbers
from smallhold.agents.written_dates import blanked, written_dates, written_times


class ValueKind(StrEnum):
    """What a stated value is."""

    ADDRESS = "address"
    """An e-mail address or a URL."""
    DATE = "date"
    TIME = "time"
    IDENTIFIER = "identifier"
    """A code, a telephone number, the number of an order."""
    MONEY = "money"
    NUMBER = "number"
    NAME = "name"
    """A text in quotation marks."""


@dataclass(frozen=True, slots=True)
class StatedValue:
    """One value in an answer."""

    kind: ValueKind
    text: str
    start: int
    """Place of its first character."""


_EMAIL: Final = r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+"
"""Lengths of RFC 5321, section 4.5.3.1, which also bound the search."""
_URL: Final = r"(?:https?://|www\.)[^\s<>\"')\]]+"
_ADDRESS: Final = re.compile(rf"{_EMAIL}|{_URL}", re.IGNORECASE)
_CODE: Final = re.compile(r"(?<![\w-])[A-Za-z0-9]+(?:[-_/#][A-Za-z0-9]+)*(?![\w-])")
_CAPITALS: Final = re.compile(r"[A-Z]{1,6}(?:[-_/#0-9].*)?", re.DOTALL)
_MIN_CODE_CHARS: Final = 6
_MIN_CODE_DIGITS: Final = 3
_PHONE: Final = re.compile(r"(?<![\w.,])\+?\(?\d[\d\s()/.-]{5,30}\d(?![\w,])")
_MIN_PHONE_DIGITS: Final = 7
_LONG_NUMBER: Final = re.compile(r"(?<![\w.,])#?\d{4,}(?![\w]|[.,]\d)")
_CURRENCIES: Final = {
    "$": "USD", "usd": "USD", "dollar": "USD", "dollars": "USD", "dólares": "USD",
    "€": "EUR", "eur": "EUR", "euro": "EUR", "euros": "EUR",
    "£": "GBP", "gbp": "GBP", "pound": "GBP", "pounds": "GBP", "pfund": "GBP", "livres": "GBP",
    "¥": "JPY", "jpy": "JPY", "yen": "JPY",
    "chf": "CHF", "franken": "CHF", "fr.": "CHF",
    "inr": "INR", "₹": "INR", "rupees": "INR",
}  # fmt: skip
_BEFORE: Final = re.compile(r"([$€£¥₹]|\b(?:USD|EUR|GBP|CHF|JPY|INR|Fr\.))\s?-?\Z")
_SIGN_CHARS: Final = 6
"""Longest sign with what stands around it: `( EUR -`."""
_AFTER: Final = re.compile(
    r"\s?([$€£¥₹]|(?:USD|EUR|GBP|CHF|JPY|INR|euros?|dollars?|dólares|pounds?|pfund|livres|yen|"
    r"franken|rupees)\b)",
    re.IGNORECASE,
)
_LIST_MARK: Final = re.compile(r"(?:^|\n)[ \t]*(?:[#*]+[ \t]*)?(\d{1,2})(?:[.)]|:)(?=\s)")
_IDIOM: Final = re.compile(r"\b24/7\b")
_QUOTED: Final = re.compile(
    '"([^"\n]{2,80})"|\u201c([^\u201d\n]{2,80})\u201d|\u201e([^\u201c\u201d\n]{2,80})[\u201c\u201d]'
    "|\u00ab\\s?([^\u00bb\n]{2,80}?)\\s?\u00bb|(?<!\\w)[\u2018']([^\u2019'\n]{2,80})[\u2019'](?!\\w)"
)


def stated_values(text: str) -> tuple[StatedValue, ...]:
    """List the values that a text states, in order of appearance.

    No two of them overlap but for quoted names, which may hold others.
    """
    found = list(_names(text))
    rest = _IDIOM.sub(_blank, _LIST_MARK.sub(_blank, text))
    for kind, finder in _FINDERS:
        spans = list(finder(rest))
        found += [StatedValue(kind, span.text, span.start) for span in spans]
        rest = blanked(rest, ((span.start, span.start + len(span.text)) for span in spans))
    return tuple(sorted(found, key=lambda value: (value.start, value.kind)))


def currency_of(text: str, number: WrittenNumber) -> str | None:
    """Give the code of the currency that stands beside a number; `None` where none does."""
    before = _BEFORE.search(text[max(0, number.start - _SIGN_CHARS) : number.start])
    after = _AFTER.match(text, number.start + len(number.text))
    sign = before or after
    return None if sign is None else _CURRENCIES.get(sign[1].casefold())


@dataclass(frozen=True, slots=True)
class _Span:
    text: str
    start: int


def _matches(pattern: re.Pattern[str], text: str) -> Iterator[_Span]:
    for found in pattern.finditer(text):
        yield _Span(found[0].rstrip(".,;:!?"), found.start())


def _addresses(text: str) -> Iterator[_Span]:
    return _matches(_ADDRESS, text)


def _dates(text: str) -> Iterator[_Span]:
    return (_Span(date.text.rstrip("."), date.start) for date in written_dates(text))


def _times(text: str) -> Iterator[_Span]:
    return (_Span(time.text.rstrip("."), time.start) for time in written_times(text))


def _identifiers(text: str) -> Iterator[_Span]:
    rest = text
    for pattern, is_one in ((_CODE, _is_code), (_PHONE, _is_phone), (_LONG_NUMBER, bool)):
        matches = [
            found
            for found in pattern.finditer(rest)
            if is_one(found[0]) and not _is_amount(rest, found)
        ]
        yield from (_Span(found[0], found.start()) for found in matches)
        rest = blanked(rest, (found.span() for found in matches))


def _is_code(text: str) -> bool:
    """Whether it is capitals with digits (`ORD-1042`, `T12`), or long and of letters and digits."""
    digits = sum(map(str.isdigit, text))
    letters = sum(map(str.isalpha, text))
    if not digits or not letters:
        return False
    if text.upper() == text and _CAPITALS.fullmatch(text):
        return True
    is_long = len(text) >= _MIN_CODE_CHARS and digits >= _MIN_CODE_DIGITS
    return is_long and not re.search(r"[-_/#]", text)


def _is_phone(text: str) -> bool:
    digits = sum(map(str.isdigit, text))
    groups = re.findall(r"\d+", text)
    # Years and counts in a row, `2024 - 2026`, are no phone number; one group is a plain number.
    is_grouped_number = re.fullmatch(r"\d{1,3}(?:[ .]\d{3})+", text) is not None
    return digits >= _MIN_PHONE_DIGITS and len(groups) > 1 and not is_grouped_number


def _is_amount(text: str, found: re.Match[str]) -> bool:
    """Whether a long number is money after all."""
    if not found[0].isdigit():
        return False
    number = next(written_numbers(found[0]), None)
    if number is None:
        return False
    placed = WrittenNumber(found[0], found.start(), number.readings, 0)
    return currency_of(text, placed) is not None


def _money(text: str) -> Iterator[_Span]:
    for number in written_numbers(text):
        if currency_of(text, number) is not None:
            yield _Span(number.text, number.start)


def _numbers(text: str) -> Iterator[_Span]:
    return (_Span(number.text, number.start) for number in written_numbers(text))


def _names(text: str) -> Iterator[StatedValue]:
    for found in _QUOTED.finditer(text):
        inner = found[found.lastindex or 0]
        if any(character.isalpha() for character in inner):
            yield StatedValue(ValueKind.NAME, inner, found.start() + found[0].index(inner))


def _blank(found: re.Match[str]) -> str:
    return " " * len(found[0])


_FINDERS: Final = (
    (ValueKind.ADDRESS, _addresses),
    (ValueKind.DATE, _dates),
    (ValueKind.TIME, _times),
    (ValueKind.IDENTIFIER, _identifiers),
    (ValueKind.MONEY, _money),
    (ValueKind.NUMBER, _numbers),
)
"""In this order: what one has taken is no longer there for the next."""
