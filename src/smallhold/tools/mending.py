"""Slips of a small model that leave no doubt: this file holds their mending by schema.

A value is changed only where the schema's type rules it out as it stands and one other value, and
no second one, says the same. Everything else is left alone, for validation to refuse.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeGuard

from smallhold.messages import JsonObject, JsonValue
from smallhold.tools.dates import iso_date, iso_date_time
from smallhold.tools.json_limits import is_too_deep

_MOST_EXACT_INTEGER: Final = 2**53
"""Up to here a float tells neighbouring integers apart. Source: IEEE 754, binary64."""
_MOST_DIGITS: Final = 300
"""The range of a float has 309 digits; a longer run of digits is no quantity."""

_INTEGER: Final = re.compile(
    rf"([+-]?\d{{1,{_MOST_DIGITS}}})(?:\.0{{1,{_MOST_DIGITS}}})?", re.ASCII
)
_NUMBER: Final = re.compile(
    rf"[+-]?(?:\d{{1,{_MOST_DIGITS}}}(?:\.\d{{0,{_MOST_DIGITS}}})?|\.\d{{1,{_MOST_DIGITS}}})"
    r"(?:[eE][+-]?\d{1,3})?",
    re.ASCII,
)
_ISO_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_BOOLEANS: Final = {
    "true": True, "yes": True, "on": True, "1": True,
    "false": False, "no": False, "off": False, "0": False,
}  # fmt: skip
_SIGNS: Final = str.maketrans({"\u2212": "-", "\uff0d": "-", "\uff0b": "+", "\uff0e": "."})
"""The minus sign, and the full-width spelling of what stands in a number."""
_SEPARATORS: Final = re.compile(r"[\s_-]+")
_LISTING: Final = re.compile(r"[,;\n]|^\s*\[")
_JSON_BRACKETS: Final = {"array": "[", "object": "{"}


def mended(value: JsonValue, schema: JsonObject) -> JsonValue:
    """Write a value as its schema wants it, if only one value can be meant.

    Mended are `"3"` for 3 and 3.0 for 3, numbers for text, `"true"`, a single value where a list is
    wanted, lists and objects written as text, members of an enumeration in other case or spacing,
    digits and spaces of other scripts, and dates in forms that only one day can be meant by.

    Args:
        value: What a model wrote, as parsed JSON; not changed.
        schema: A JSON Schema without references.
    """
    options = _options(schema)
    if options is not None:
        return _member(value, options)
    branches = _branches(schema)
    if branches:
        return _mended_by_branch(value, branches)
    kind = schema.get("type")
    mend = _MENDERS.get(kind) if isinstance(kind, str) else None
    return value if mend is None else mend(value, schema)


def _branches(schema: JsonObject) -> list[JsonObject]:
    alternatives, types = schema.get("anyOf"), schema.get("type")
    if isinstance(alternatives, list):
        return [branch for branch in alternatives if isinstance(branch, dict)]
    return [schema | {"type": one} for one in types] if isinstance(types, list) else []


def _mended_by_branch(value: JsonValue, branches: Sequence[JsonObject]) -> JsonValue:
    """Mend under the branches that take the value as it is, or else under all of them."""
    candidates = [branch for branch in branches if _fits(value, branch)] or branches
    results = [(mended(value, branch), branch) for branch in candidates]
    fitting = {_written(result): result for result, branch in results if _fits(result, branch)}
    return next(iter(fitting.values())) if len(fitting) == 1 else value


def _fits(value: JsonValue, schema: JsonObject) -> bool:
    """Whether a value is of a schema's type; what is inside it plays no part."""
    options = _options(schema)
    if options is not None:
        return _written(value) in {_written(option) for option in options}
    kind = schema.get("type")
    if not isinstance(kind, str) or kind not in _PYTHON_TYPES:
        return True
    if isinstance(value, bool) is not (kind == "boolean"):
        return False
    if isinstance(value, str) and schema.get("format") == "date":
        return _ISO_DATE.fullmatch(value) is not None
    if isinstance(value, dict):
        return kind == "object" and _may_be(value, schema)
    return isinstance(value, _PYTHON_TYPES[kind])


def _may_be(value: JsonObject, schema: JsonObject) -> bool:
    """Whether an object has the names that a schema requires, and the constants it is told by."""
    required, properties = schema.get("required"), schema.get("properties")
    if isinstance(required, list) and not all(name in value for name in required):
        return False
    if not isinstance(properties, dict):
        return True
    return all(
        value[name] == part["const"]
        for name, part in properties.items()
        if name in value and isinstance(part, dict) and "const" in part
    )


def _options(schema: JsonObject) -> list[JsonValue] | None:
    if "const" in schema:
        return [schema["const"]]
    options = schema.get("enum")
    return options if isinstance(options, list) else None


def _member(value: JsonValue, options: Sequence[JsonValue]) -> JsonValue:
    written = _written(value)
    if value is None or any(_written(option) == written for option in options):
        return value
    if isinstance(value, bool | list | dict):
        return value
    plain = _plain_name(value)
    alike = [option for option in options if plain and _plain_name(option) == plain]
    return alike[0] if len(alike) == 1 else value


def _integer(value: JsonValue, _: JsonObject) -> JsonValue:
    if isinstance(value, float) and value.is_integer() and abs(value) <= _MOST_EXACT_INTEGER:
        return int(value)
    if isinstance(value, str) and (found := _INTEGER.fullmatch(_plain_digits(value))):
        return int(found[1])
    return value


def _number(value: JsonValue, schema: JsonObject) -> JsonValue:
    if not isinstance(value, str):
        return value
    whole = _integer(value, schema)
    if not isinstance(whole, str):
        return whole
    plain = _plain_digits(value)
    number = float(plain) if _NUMBER.fullmatch(plain) else math.inf
    return number if math.isfinite(number) else value


def _boolean(value: JsonValue, _: JsonObject) -> JsonValue:
    if isinstance(value, str):
        return _BOOLEANS.get(_plain_name(value), value)
    is_digit = isinstance(value, int) and value in {0, 1}
    return bool(value) if is_digit else value


def _string(value: JsonValue, schema: JsonObject) -> JsonValue:
    if not isinstance(value, str) and not _is_number(value):
        return value
    text = value if isinstance(value, str) else json.dumps(value)
    match schema.get("format"):
        case None:
            # Small models write the order number 1042 without quotes.
            return text
        case "date":
            return iso_date(_plain_digits(text)) or value
        case "date-time":
            return iso_date_time(_plain_digits(text)) or value
        case _:
            # A number of seconds, days or hours: nobody knows which.
            return value


def _array(value: JsonValue, schema: JsonObject) -> JsonValue:
    value = _parsed(value, "array")
    items, prefix = schema.get("items"), schema.get("prefixItems")
    if isinstance(value, list):
        parts = prefix if isinstance(prefix, list) else []
        schemas = [*parts, *[items] * (len(value) - len(parts))]
        return [
            mended(item, part) if isinstance(part, dict) else item
            for item, part in zip(value, schemas, strict=False)
        ]
    if value is None or prefix is not None or not isinstance(items, dict):
        return value
    item = mended(value, items)
    # `milk, eggs` may be one item or two, and `["milk` is a list that broke off.
    is_listing = isinstance(item, str) and _options(items) is None and _LISTING.search(item)
    return value if is_listing or not _fits(item, items) else [item]


def _object(value: JsonValue, schema: JsonObject) -> JsonValue:
    value = _parsed(value, "object")
    if not isinstance(value, dict):
        return value
    properties, others = schema.get("properties"), schema.get("additionalProperties")
    named = properties if isinstance(properties, dict) else {}
    parts = {name: named.get(name, others) for name in value}
    return {
        name: mended(item, part) if isinstance(part := parts[name], dict) else item
        for name, item in value.items()
    }


def _parsed(value: JsonValue, kind: str) -> JsonValue:
    """Read a list or object that was written as text; models encode twice."""
    if not isinstance(value, str) or not value.strip().startswith(_JSON_BRACKETS[kind]):
        return value
    try:
        parsed: JsonValue = json.loads(value)
    except (ValueError, RecursionError):
        return value
    return value if is_too_deep(parsed) else parsed


def _plain_digits(text: str) -> str:
    """Write digits of all scripts as 0 to 9, without what cannot be seen.

    Not by Unicode's compatibility forms, which would turn 3² into 32.
    """
    visible = _visible(text).translate(_SIGNS)
    decimals = (unicodedata.decimal(letter, None) for letter in visible)
    return "".join(
        letter if decimal is None else str(decimal)
        for letter, decimal in zip(visible, decimals, strict=True)
    ).strip()


def _plain_name(value: JsonValue) -> str:
    """Write a name so that case, spacing and look-alike letters do not count."""
    text = value if isinstance(value, str) else _written(value)
    plain = unicodedata.normalize("NFKC", _visible(text)).casefold()
    return _SEPARATORS.sub(" ", plain).strip()


def _visible(text: str) -> str:
    """Leave out zero-width spaces, joiners, marks of direction and the like."""
    return "".join(letter for letter in text if unicodedata.category(letter) != "Cf")


def _is_number(value: JsonValue) -> TypeGuard[int | float]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return isinstance(value, int) or math.isfinite(value)


def _written(value: JsonValue) -> str:
    """Write a value as JSON, in which 1 and true, which Python takes for equal, differ."""
    return json.dumps(value, sort_keys=True)


_MENDERS: Final[Mapping[str, Callable[[JsonValue, JsonObject], JsonValue]]] = {
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "string": _string,
    "array": _array,
    "object": _object,
}
_PYTHON_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "string": (str,),
    "null": (type(None),),
    "array": (list,),
    "object": (dict,),
}
