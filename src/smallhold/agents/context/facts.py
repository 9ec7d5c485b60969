"""What must not be lost in a summary: this file holds the search for facts.

Facts are what a small model garbles when it sums up, and what a later call needs exactly: numbers,
identifiers, dates, addresses, names, and what stands in quotes. Each is a piece of the text, word
for word, with up to two words before it that say what it is (`my order 1042`), and with its unit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

_MAX_FACT_CHARS: Final = 120
_MIN_UNIQUE_CHARS: Final = 4
"""A shorter value, such as `3`, is another fact beside other words."""
_LEAD_CHARS: Final = 48
"""Two words of up to 20 letters, and what stands between them."""


class FactKind(StrEnum):
    """What a fact is; its members are in the order in which they are looked for."""

    PAIR = "pair"
    """A field of JSON with its value."""
    URL = "url"
    EMAIL = "email"
    QUOTE = "quote"
    DATE = "date"
    PHONE = "phone"
    IDENTIFIER = "identifier"
    """Letters and digits together, such as `ORD-1042`."""
    NUMBER = "number"
    """With the sign of its currency."""
    NAME = "name"
    """Capitalised words in the middle of a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A piece of a text that is kept word for word."""

    kind: FactKind
    text: str
    """With the words around it that say what it is; stands in the source exactly so."""
    value: str
    """Without them."""


_CAPITAL: Final = "A-ZÀ-ÖØ-ÞΑ-ΩА-Я"
_SMALL: Final = "a-zß-öø-ÿα-ωа-я"
_MONTH: Final = (
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mär|mai|okt|dez)[^\W\d_]{0,6}\.?"
)
_DAY: Final = r"\d{1,2}(?:st|nd|rd|th|\.)?"
# Every repetition is bounded, so that no text makes the search slow. No fact holds a line break or
# a bar, so that several can be written on one line and read back.
_PATTERNS: Final = {
    FactKind.PAIR: (r'"[^"\\\n|]{1,40}" ?: ?(?:"[^"\\\n|]{1,60}"|-?\d[\d.eE+-]{0,30}|true|false)'),
    FactKind.URL: r"https?://[^\s\"'<>|)\]]{1,100}",
    FactKind.EMAIL: r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}",
    FactKind.QUOTE: (
        r'"[^"\n|]{1,80}"|“[^”\n|]{1,80}”|„[^“”\n|]{1,80}[“”]|«[^»\n|]{1,80}»|`[^`\n|]{1,80}`'
        r"|(?<!\w)'[^'\n|]{1,80}'(?!\w)"
    ),
    FactKind.DATE: (
        r"(?i:\b\d{4}-\d{1,2}-\d{1,2}(?:[T ]\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:?\d{2})?)?(?!\w)"
        r"|\b\d{1,2}[./]\d{1,2}[./]\d{2,4}(?!\w)"
        rf"|\b{_DAY} {_MONTH}(?:,? \d{{4}})?(?!\w)|\b{_MONTH} {_DAY}(?:,? \d{{4}})?(?!\w)"
        r"|\b\d{1,2}:\d{2}(?::\d{2})?(?: ?[ap]\.?m\b\.?)?(?!\d)|\b\d{1,2} ?[ap]m\b)"
    ),
    FactKind.PHONE: (
        r"(?<![\w.])(?:\+\d{1,4}|\(?0\d{1,5}\)?)(?:[ /-]\(?\d{2,9}\)?){1,6}(?!\w)"
        r"|(?<![\w.-])\(?\d{3}\)?[ -]\d{3}[ -]\d{4}(?!\w)"
    ),
    FactKind.IDENTIFIER: (
        r"(?<![\w-])(?=[\w-]{0,30}\d)(?=[\w-]{0,30}[^\W\d_])\w{1,60}(?:[-/.:]\w{1,60}){0,6}(?![\w-])"
    ),
    FactKind.NUMBER: (
        r"(?<![\w.])[-+]?(?:[$€£¥] ?)?\d{1,80}(?:[.,]\d{1,40}){0,10}(?!\d)(?: ?[%$€£¥°])?"
    ),
    FactKind.NAME: (
        rf"(?<=[{_SMALL},;] )[{_CAPITAL}][^\W\d_]{{1,30}}"
        rf"(?:[ -][{_CAPITAL}][^\W\d_]{{1,30}}){{0,3}}"
    ),
}
_FACT: Final = re.compile(
    "|".join(f"(?P<{kind.value}>{_PATTERNS[kind]})" for kind in FactKind),
)
_LEAD: Final = re.compile(
    r"(?<!\w)(?:[^\W\d_][\w'\u2019-]{0,19} )?[^\W\d_][\w'\u2019-]{0,19}(?: [#№(]?|: ?|=)\Z"
)
_LASTING: Final = frozenset({FactKind.EMAIL, FactKind.PHONE, FactKind.NAME})
# fmt: off
_NO_UNITS: Final = frozenset({
    "and", "or", "is", "are", "was", "in", "to", "the", "at", "on", "for", "of", "but", "with",
    "from", "by", "it", "here", "there", "now", "please", "will", "did", "do", "that", "this",
    "und", "oder", "ist", "im", "am", "an", "auf", "et", "ou", "est", "y", "o", "es",
})
# fmt: on
_UNIT: Final = re.compile(r" ([^\W\d_]{1,14})(?!\w|[@./:-]\w)")


def facts_of(text: str) -> Iterator[Fact]:
    """Find the facts of a text, in order; none holds a line break or a bar."""
    end = 0
    for match in _FACT.finditer(text):
        value = match.group()
        kind = FactKind(str(match.lastgroup))
        before = text[max(end, match.start() - _LEAD_CHARS) : match.start()]
        lead = _LEAD.search(before) if kind is not FactKind.PAIR else None
        unit = _unit_after(text, match.end()) if kind is FactKind.NUMBER else ""
        end = match.end() + len(unit)
        if len(value) <= _MAX_FACT_CHARS:
            before = "" if lead is None else lead.group()
            yield Fact(kind=kind, text=f"{before}{value}{unit}", value=value)


class Worth(StrEnum):
    """How much would be missed with a fact."""

    LASTING = "lasting"
    """Who somebody is and how to reach them, which is said once and holds for all time."""
    PLAIN = "plain"
    LITTLE = "little"
    """Short numbers, which are said easily once more."""


def worth_of(fact: str) -> Worth:
    """Judge the text of a fact by what it holds."""
    found = _held_by(fact)
    if any(one.kind in _LASTING for one in found):
        return Worth.LASTING
    is_little = bool(found) and all(
        one.kind is FactKind.NUMBER and len(one.value) < _MIN_UNIQUE_CHARS for one in found
    )
    return Worth.LITTLE if is_little else Worth.PLAIN


def merged(
    known: Sequence[str], found: Iterable[Fact], *, elsewhere: Sequence[str] = ()
) -> tuple[str, ...]:
    """Add facts to those that are known, each value once.

    Args:
        known: Texts of facts, oldest first.
        found: Facts that were said later, oldest first.
        elsewhere: Facts that are kept in another list, and so are not added to this one.
    """
    texts = dict.fromkeys(known)
    values = {value for text in (*known, *elsewhere) for value in _values(text)}
    for fact in found:
        if len(fact.value) < _MIN_UNIQUE_CHARS or fact.value not in values:
            texts[fact.text] = None
            values.add(fact.value)
    return tuple(texts)


def _values(fact: str) -> Iterator[str]:
    for held in _held_by(fact):
        yield held.value
        if held.kind is FactKind.PAIR:
            yield held.value.partition(":")[2].strip(' "')


def _held_by(fact: str) -> list[Fact]:
    # A name is told by the word before it, which the text of a fact may lack.
    return list(facts_of(f"a {fact}"))


def _unit_after(text: str, start: int) -> str:
    unit = _UNIT.match(text, start)
    return "" if unit is None or unit[1].casefold() in _NO_UNITS else unit.group()
