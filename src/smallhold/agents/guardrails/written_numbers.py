"""Numbers as people write them: this file holds their reading in any country's spelling."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_SPACES: Final = " \u00a0\u202f'\u2019"
_DIGITS: Final = (
    rf"\d{{1,3}}(?:[{_SPACES}]\d{{3}})+(?:[.,]\d+)?(?!\d)"
    r"|\d{1,3}(?:[.,]\d{3})+(?:[.,]\d+)?(?!\d)"
    r"|\d+(?:[.,]\d+)?"
)
_SCALE: Final = (
    r"thousand|million|billion|millionen?|milliarden?|tausend|mille|millions|milliards?|mil|"
    r"millones|mio|k|m|bn"
)
_NUMBER: Final = re.compile(
    rf"(?<![\w.,])(?P<digits>{_DIGITS})(?:\s?(?P<scale>{_SCALE})\b)?", re.IGNORECASE
)
_SCALES: Final = {
    "thousand": 1e3, "tausend": 1e3, "mille": 1e3, "mil": 1e3, "k": 1e3,
    "million": 1e6, "millions": 1e6, "millionen": 1e6, "millones": 1e6, "mio": 1e6, "m": 1e6,
    "billion": 1e9, "bn": 1e9, "milliarde": 1e9, "milliarden": 1e9, "milliard": 1e9,
    "milliards": 1e9,
}  # fmt: skip
MAX_DIGITS: Final = 15
"""Longer runs are no quantities, and floats do not tell them apart."""
_GROUP: Final = 3


@dataclass(frozen=True, slots=True)
class WrittenNumber:
    """A number in a text."""

    text: str
    start: int
    """Place of its first character."""
    readings: frozenset[float]
    """What it may mean: `1.299` is 1299 to some and 1.299 to others."""
    decimals: int
    """Digits after the decimal separator, the fewest that a reading has."""


def written_numbers(text: str) -> Iterator[WrittenNumber]:
    """Find the numbers that a text writes in digits."""
    for found in _NUMBER.finditer(text):
        digits = found["digits"]
        if sum(map(str.isdigit, digits)) > MAX_DIGITS:
            continue
        readings, decimals = read_digits(digits)
        scale = _SCALES.get((found["scale"] or "").casefold())
        if scale is not None:
            readings |= frozenset(reading * scale for reading in readings)
        yield WrittenNumber(found[0], found.start(), readings, decimals)


def read_digits(digits: str) -> tuple[frozenset[float], int]:
    """Give what digits with separators may mean, and the fewest decimals.

    Args:
        digits: Digits with points, commas, spaces or apostrophes between them.
    """
    bare = "".join(character for character in digits if character not in _SPACES)
    separators = [character for character in bare if character in ".,"]
    if not separators:
        return frozenset({float(bare)}), 0
    last = separators[-1]
    whole, _, fraction = bare.rpartition(last)
    as_decimal = float(f"{_digits_of(whole)}.{fraction}")
    as_whole = float(_digits_of(bare))
    if len(set(separators)) > 1 or any(space in digits for space in _SPACES):
        return frozenset({as_decimal}), len(fraction)
    if len(separators) > 1:
        return frozenset({as_whole}), 0
    if len(fraction) == _GROUP and len(whole) <= _GROUP:
        return frozenset({as_decimal, as_whole}), 0
    return frozenset({as_decimal}), len(fraction)


def _digits_of(text: str) -> str:
    return "".join(character for character in text if character.isdigit())
