"""From what was said to what a tool means: this file holds the mending of decoded values.

Rules that hold for any tool, each for one habit of small models. Source: `docs/accuracy.md`,
copying.
"""

from __future__ import annotations

import re
from typing import Final

from smallhold.agents.mentions import EDGE_WORDS, PERCENT, Said
from smallhold.agents.signatures import property_schemas
from smallhold.messages import JsonObject, JsonValue

PLAIN_TEXT_KEYWORDS: Final = frozenset({"type", "description", "default", "title", "examples"})
"""A text schema with any other keyword (`enum`, `format`, `pattern` ...) is not free text."""
_LIST_KEYWORDS: Final = frozenset({
    "type", "description", "default", "title", "items", "minItems", "maxItems", "uniqueItems",
})  # fmt: skip
"""Under these a list stays valid when items are left out, as long as there are enough."""
_OTHER_NUMBER_KEYWORDS: Final = frozenset({
    "enum", "const", "multipleOf", "anyOf", "oneOf", "allOf", "not", "if", "$ref",
})  # fmt: skip
"""Under these a share may not be valid where the percentage is."""
_NOUNS_OF_NAMES: Final = frozenset({"city", "name", "room"})
"""Words that belong to the names that end in them, such as "New York City" and "living room"."""

_LEFT_SIDE: Final = re.compile(
    r"\s*[A-Za-z]\s*(?:\(\s*[A-Za-z](?:\s*,\s*[A-Za-z])*\s*\))?\s*=(?!=)\s*"
)
_FUNCTION_WORDS: Final = frozenset({"function", "func", "expression", "polynomial"})
_OF_24_HOURS: Final = re.compile(r"\b24[- ]?h(?:ours?)?\b", re.IGNORECASE)
_NOON: Final = 12
_MINUTES: Final = 60


def adapted(value: JsonValue, *, name: str, said: Said, schema: JsonObject) -> JsonValue:
    """Mend what small models do to a value that was said.

    Args:
        value: As it was decoded.
        name: The argument's name.
        said: What the user and earlier tools have said.
        schema: The argument's own schema.
    """
    match value:
        case str() if schema.keys() <= PLAIN_TEXT_KEYWORDS:
            return _without_own_noun(_without_left_side(value, name=name), name=name)
        case bool() | None:
            return value
        case int() if (hour := _as_hour_of_day(value, said=said, schema=schema)) is not None:
            return hour
        case int() | float():
            return _as_share(value, name=name, said=said, schema=schema)
        case list():
            return _said_items(value, name=name, said=said, schema=schema)
        case _:
            return value


def _without_own_noun(text: str, *, name: str) -> str:
    """Write "The Plaza" for "The Plaza hotel" where the argument is the hotel's name anyway.

    Not "Central" for "Central Park": with a capital the noun belongs to the name.
    """
    *words, last = text.split(" ")
    nouns = set(name.casefold().split("_")) - _NOUNS_OF_NAMES
    is_whole = bool(words) and bool(words[-1]) and words[-1].casefold() not in EDGE_WORDS
    return " ".join(words) if is_whole and last in nouns else text


def _without_left_side(text: str, *, name: str) -> str:
    """Write "3x^2" for "f(x) = 3x^2" where the argument is the function."""
    found = _LEFT_SIDE.match(text)
    if found is None or not _FUNCTION_WORDS & set(name.casefold().split("_")):
        return text
    return text[found.end() :] or text


def _as_hour_of_day(value: int, *, said: Said, schema: JsonObject) -> int | None:
    """Write 23 for "11 pm" where the tool counts hours to 24."""
    later = value + _NOON
    asks_for_24 = _OF_24_HOURS.search(str(schema.get("description"))) is not None
    if not asks_for_24 or not 0 < value < _NOON or schema.keys() & _OTHER_NUMBER_KEYWORDS:
        return None
    high, below = schema.get("maximum"), schema.get("exclusiveMaximum")
    if (isinstance(high, int | float) and later > high) or (
        isinstance(below, int | float) and later >= below
    ):
        return None
    minutes = [time.minutes for time in said.times]
    is_later = frozenset({later * _MINUTES}) in minutes
    return later if is_later and frozenset({value * _MINUTES}) not in minutes else None


def _as_share(value: float, *, name: str, said: Said, schema: JsonObject) -> int | float:
    """Write 0.04 for "4%", unless the tool asks for percent."""
    stated = f"{name} {schema.get('description')}".casefold()
    asks_for_percent = "decimal" not in stated and ("percent" in stated or "%" in stated)
    if schema.get("type") != "number" or asks_for_percent or not said.is_percentage(value):
        return value
    return value / PERCENT if _allows_share(schema, value / PERCENT) else value


def _allows_share(schema: JsonObject, share: float) -> bool:
    low, above = schema.get("minimum"), schema.get("exclusiveMinimum")
    return (
        not schema.keys() & _OTHER_NUMBER_KEYWORDS
        and not (isinstance(low, int | float) and share < low)
        and not (isinstance(above, int | float) and share <= above)
    )


def _said_items(
    value: list[JsonValue], *, name: str, said: Said, schema: JsonObject
) -> list[JsonValue]:
    """Keep of a list of texts those that were said, if some were: small models go on listing."""
    if schema.keys() - _LIST_KEYWORDS or not all(isinstance(item, str) for item in value):
        return value
    kept = [item for item in value if said.mentions(item, name=name)]
    least = schema.get("minItems", 0)
    return kept if kept and isinstance(least, int) and len(kept) >= least else value


def named_values(schema: JsonObject, *, said: Said) -> JsonObject:
    """Find the arguments of which exactly one of the allowed texts was said.

    A small model often leaves out what can be left out, "in Celsius" too.

    Args:
        schema: The tool's parameters.
        said: What the user and earlier tools have said.
    """
    found: JsonObject = {}
    for name, inner in property_schemas(schema).items():
        values = inner.get("enum")
        texts = (
            [value for value in values if isinstance(value, str)]
            if isinstance(values, list)
            else []
        )
        # "in" is the unit of inches, and in every other message.
        named = [
            text for text in texts if text.casefold() not in EDGE_WORDS and said.says_word(text)
        ]
        if len(named) == 1:
            found[name] = named[0]
    return found
