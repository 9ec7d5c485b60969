"""Telephone numbers as customers write them: this file holds their normal form."""

from __future__ import annotations

import re
from itertools import pairwise

LENGTH_DIGITS = range(8, 16)
"""Source: E.164 allows at most 15 digits; 8, with its zero, is the shortest British number in use
(0800 1111)."""

_COUNTRY_PREFIX = re.compile(r"^(?:\+|00)44(?:\(?0\)?)?")
_ALLOWED = re.compile(r"\+?[0-9 ()./-]+")


def normal_phone(text: str) -> str | None:
    """Reduce a written number to its digits, British country code as a leading zero.

    Returns:
        The digits (with a leading `+` for numbers of other countries), or `None` where the text is
        no number that could be called: words, too few digits, neither an area code with its zero
        nor a country code, or a filler such as 0123456789, which models and forms produce when
        nobody has said a number.
    """
    written = text.strip()
    if not _ALLOWED.fullmatch(written):
        return None
    compact = _COUNTRY_PREFIX.sub("0", re.sub(r"[ ./-]", "", written))
    digits = re.sub(r"\D", "", compact)
    if len(digits) not in LENGTH_DIGITS or _is_filler(digits):
        return None
    if compact.startswith(("+", "00")):
        return f"+{digits.lstrip('0')}"
    return digits if digits.startswith("0") else None


def _is_filler(digits: str) -> bool:
    body = digits.lstrip("0")
    steps = {(int(right) - int(left)) % 10 for left, right in pairwise(body)}
    return steps in (set[int](), {0}, {1})
