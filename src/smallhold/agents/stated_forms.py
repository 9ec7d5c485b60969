"""What descriptions ask for in words: this file holds the reading of a text argument's form.

A tool's author writes "in the format YYYY-MM-DD" or "City, State" and a small model writes what the
user wrote. As a pattern in the schema, the form is kept by the decoder. Source: `docs/accuracy.md`,
stated forms.
"""

from __future__ import annotations

import re
from typing import Final

from smallhold.agents.adapting import PLAIN_TEXT_KEYWORDS
from smallhold.agents.stated_dates import StatedDates, date_forms
from smallhold.messages import JsonObject, JsonValue

_PLACE_FORM: Final = re.compile(
    r"\b(?i:city(?: name)?(?:,| and) (?:the )?(?:state|country))\b(?!,? or )"
    r"|\b(?i:e\.?g\.?,?|such as|like|for example,?) [\"'`(]?[A-Z][a-z][\w. ]{0,60}, [A-Z]{2}\b"
)
"""Capitals count: in "e.g. red, or blue" there is no state."""
_STATE_NAMED: Final = re.compile(r"(?i:city, (?:state|country))|, [A-Z]{2}\b")
_STATE_CODE: Final = re.compile(r", [A-Z]{2}\b")
_PLACE_PATTERNS: Final = {
    # The address before the city has a comma of its own.
    (has_address, has_code): f"^{'([^,]+, )?' if has_address else ''}[^,]+, {state}$"
    for has_address in (False, True)
    for has_code, state in ((False, "[A-Z][A-Za-z .]*"), (True, "[A-Z]{2}"))
}
_CODES: Final = (
    (re.compile(r"ISO[ -]?3166(?:-1)? alpha-2|(?:state|country) abbreviation", re.IGNORECASE), 2),
    (re.compile(r"ISO[ -]?4217|3-letter currency|ISO[ -]?3166(?:-1)? alpha-3", re.IGNORECASE), 3),
)
_CURRENCY_CODE: Final = "^[A-Z]{3}$"
_TICKER: Final = re.compile(r"\b(?:ticker|(?:stock|share) symbol)\b", re.IGNORECASE)
_TICKER_PATTERN: Final = r"^[A-Z]{1,5}([.-][A-Z])?$"
_LABELLED: Final = re.compile(
    r"['\"`]((?:[a-z_]{2,20}:[A-Z][\w ]{0,40}?)(?: [a-z_]{2,20}:[A-Z][\w ]{0,40})+)['\"`]"
)
"""Values with labels before them: `'track:Song Name artist:Artist Name'`."""
_LABEL: Final = re.compile(r"\b([a-z_]{2,20}):(?=[A-Z])")


def with_stated_forms(schema: JsonObject, *, said: str) -> JsonObject:
    """Add the forms that names and descriptions state as patterns, at the top level.

    Args:
        schema: The tool's parameters.
        said: What was said: no form of a date is asked for where no date was.
    """
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        return schema
    dates = StatedDates(said)
    dated = sum(bool(date_forms(_description(inner))) for inner in properties.values())
    formed = {
        name: _with_form(inner, name=name, dates=dates, dated=dated)
        for name, inner in properties.items()
    }
    return {**schema, "properties": formed}


def _description(schema: JsonValue) -> str:
    text = schema.get("description") if isinstance(schema, dict) else None
    return text if isinstance(text, str) else ""


def _with_form(schema: JsonValue, *, name: str, dates: StatedDates, dated: int) -> JsonValue:
    if not isinstance(schema, dict) or schema.get("type") != "string":
        return schema
    if schema.keys() - PLAIN_TEXT_KEYWORDS:
        return schema
    pattern = stated_pattern(_description(schema), name=name, dates=dates, dated=dated)
    return schema if pattern is None else {**schema, "pattern": pattern}


def stated_pattern(
    description: str, *, name: str, dates: StatedDates, dated: int = 1
) -> str | None:
    """Give the regular expression of the form that an argument wants, if it is known.

    Args:
        description: The argument's description.
        name: The argument's name: one for a currency wants its code, as ISO 4217 has it.
        dates: The days that were said.
        dated: How many arguments of the tool are dates.
    """
    if forms := date_forms(description):
        return dates.pattern(forms, arguments=dated)
    if _STATE_NAMED.search(description) and _PLACE_FORM.search(description):
        has_code = _STATE_CODE.search(description) is not None
        return _PLACE_PATTERNS["ddress" in description, has_code and "ountry" not in description]
    if labelled := _LABELLED.search(description):
        first, *others = _LABEL.findall(labelled[1])
        return f"^{first}:[^:]+{''.join(f'( {label}:[^:]+)?' for label in others)}$"
    if _TICKER.search(description):
        return _TICKER_PATTERN
    letters = next((count for form, count in _CODES if form.search(description)), None)
    if letters is not None:
        return f"^[A-Z]{{{letters}}}$"
    words = name.casefold().split("_")
    return _CURRENCY_CODE if words[-1] == "currency" else None
