"""When two texts mean the same in a memory: this file holds checks and plain forms of texts."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from smallhold.exceptions import ConfigError
from smallhold.state.memory.fact import (
    ATTRIBUTE_MAX_CHARS,
    SUBJECT_MAX_CHARS,
    VALUE_MAX_CHARS,
)

_GAP: Final = re.compile(r"[\s_-]+")
_UNSEEN: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
"""Control characters, and halves of characters, which are no text and cannot be stored."""


def subject_name(text: str) -> str:
    """Check whom facts are about. `Ann` and `ann` are two: ids often differ in case alone.

    Raises:
        ConfigError: It is empty, too long or no text.
    """
    return _checked("subject", unicodedata.normalize("NFC", text), limit=SUBJECT_MAX_CHARS)


def attribute_name(text: str) -> str:
    """Check an attribute, and write it on one line.

    Raises:
        ConfigError: It is empty, too long or no text.
    """
    plain = " ".join(unicodedata.normalize("NFC", text).split())
    return _checked("attribute", plain, limit=ATTRIBUTE_MAX_CHARS)


def value_text(text: str) -> str:
    """Check a value; its line breaks stay.

    Raises:
        ConfigError: It is empty, too long or no text.
    """
    return _checked("value", unicodedata.normalize("NFC", text), limit=VALUE_MAX_CHARS)


def attribute_form(attribute: str) -> str:
    """Give the form by which attributes are compared: `Favourite_Drink` is `favourite drink`."""
    return _GAP.sub(" ", unicodedata.normalize("NFKC", attribute).casefold()).strip()


def value_form(value: str) -> str:
    """Give the form by which values are compared, without case and the width of gaps."""
    return " ".join(unicodedata.normalize("NFKC", value).casefold().split())


def _checked(field: str, text: str, *, limit: int) -> str:
    stripped = text.strip()
    problem = None
    if not stripped:
        problem = "give at least one character that can be seen"
    elif len(stripped) > limit:
        problem = f"shorten it to {limit:,} characters"
    elif _UNSEEN.search(stripped):
        problem = "take out control characters and halves of characters"
    if problem is not None:
        # Not the text itself: errors are logged, and this is about a person.
        raise ConfigError(field=field, value=f"({len(stripped):,} characters)", remedy=problem)
    return stripped
