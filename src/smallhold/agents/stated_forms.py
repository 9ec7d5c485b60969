"""What descriptions ask for in words: this file holds the reading of a text argument's form.

A tool's author writes "in the format YYYY-MM-DD" or "City, State" and a small model writes what the
user wrote. As a pattern in the schema, the form is kept by the decoder. Source: `docs/accuracy.md`,
stated forms.
"""

from __future__ import annotations

import re
from typing import Final

from smallhold.agents.adapting import PLAIN_TEXT_KEYWORDS
from smallhold.messages import JsonObject, JsonValue

_DATE_FORM: Final = re.compile(
    r"\b(?:yyyy([-/.])mm\1dd|mm([-/.])dd\2yyyy|dd([-/.])mm\3yyyy)\b", re.IGNORECASE
)
_TIME_FORM: Final = re.compile(r"\bhh:mm(:ss)?\b", re.IGNORECASE)
_PLACE_FORM: Final = re.compile(
    r"\b(?i:city(?: name)?(?:,| and) (?:the )?(?:state|country))\b"
    r"|\b(?i:e\.?g\.?,?) [\"'`(]?[A-Z][a-z][\w. ]{0,60}, [A-Z]{2}\b"
)
"""Capitals count: in "e.g. red, or blue" there is no state."""
_STATE_NAMED: Final = re.compile(r"(?i:city, (?:state|country))|, [A-Z]{2}\b")
_CODES: Final = (
    (re.compile(r"ISO[ -]?3166(?:-1)? alpha-2|(?:state|country) abbreviation", re.IGNORECASE), 2),
    (re.compile(r"ISO[ -]?4217|3-letter currency|ISO[ -]?3166(?:-1)? alpha-3", re.IGNORECASE), 3),
)
_PLACE_PATTERN: Final = r"^[^,]+, [A-Z][A-Za-z .]*$"
_HAS_DATE: Final = re.compile(
    r"\d|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)", re.IGNORECASE
)


def with_stated_forms(schema: JsonObject, *, said: str) -> JsonObject:
    """Add the forms that descriptions state as patterns, at the top level of a tool's parameters.

    Args:
        schema: The tool's parameters.
        said: What was said: no form of a date is asked for where no date was.
    """
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        return schema
    has_date = _HAS_DATE.search(said) is not None
    return {
        **schema,
        "properties": {
            name: _with_form(inner, has_date=has_date) for name, inner in properties.items()
        },
    }


def _with_form(schema: JsonValue, *, has_date: bool) -> JsonValue:
    if not isinstance(schema, dict) or schema.get("type") != "string":
        return schema
    description = schema.get("description")
    if schema.keys() - PLAIN_TEXT_KEYWORDS or not isinstance(description, str):
        return schema
    pattern = stated_pattern(description, has_date=has_date)
    return schema if pattern is None else {**schema, "pattern": pattern}


def stated_pattern(description: str, *, has_date: bool) -> str | None:
    """Give the regular expression of the form that a description asks for, if it names one."""
    dates = [_date_pattern(match[0]) for match in _DATE_FORM.finditer(description)]
    if dates and not _TIME_FORM.search(description):
        return f"^({'|'.join(dict.fromkeys(dates))})$" if has_date else None
    if _STATE_NAMED.search(description) and _PLACE_FORM.search(description):
        return _PLACE_PATTERN
    letters = next((count for form, count in _CODES if form.search(description)), None)
    return None if letters is None else f"^[A-Z]{{{letters}}}$"


def _date_pattern(form: str) -> str:
    """Turn `YYYY-MM-DD` into digits, with months and days that there are."""
    digits = {"yyyy": r"\d{4}", "mm": "(0[1-9]|1[0-2])", "dd": "(0[1-9]|[12][0-9]|3[01])"}
    separator = next(letter for letter in form if not letter.isalnum())
    return re.escape(separator).join(digits[part] for part in form.casefold().split(separator))
