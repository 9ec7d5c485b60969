r"""Schemas that the grammar would enforce only in part: this file holds the check before compiling.

llguidance refuses keywords that it does not know, but it leaves two gaps. The name of an undeclared
property may be spelled with escapes, so `{"pri\u0063e": "x"}` is accepted where `price` must be a
number; such objects are rewritten here into an equivalent schema without the gap. And a name may
come twice, so a count of properties proves little; such schemas are refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final, TypeAlias
from urllib.parse import unquote

from smallhold.exceptions import UnsupportedSchemaError
from smallhold.messages import JsonObject, JsonValue

MAX_DEPTH: Final = 64
"""Nesting of a schema; deeper ones are no tool's, and would exhaust the stack."""

_SCHEMA_KEYS: Final = frozenset({
    "additionalItems", "additionalProperties", "contains", "contentSchema", "else", "if", "items",
    "not", "propertyNames", "then", "unevaluatedItems", "unevaluatedProperties",
})  # fmt: skip
_LIST_KEYS: Final = frozenset({"allOf", "anyOf", "items", "oneOf", "prefixItems"})
_MAP_KEYS: Final = frozenset({
    "$defs", "definitions", "dependentSchemas", "patternProperties", "properties",
})  # fmt: skip
"""Keywords whose values are a schema, a list of schemas or schemas by name.

Source: JSON Schema draft 2020-12, core, sections 8.2.4, 10 and 11.
"""
_ALLOWING: Final = frozenset({"propertyNames", "unevaluatedItems", "unevaluatedProperties"})
_FORBIDDING: Final = frozenset({"not", "uniqueItems"})
_DEPENDENT: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({
    "if": ("then", "else"),
    "then": ("if",),
    "else": ("if",),
    "minContains": ("contains",),
    "maxContains": ("contains",),
})
"""Keywords that say nothing when they are true, false, or without any of these others."""
_COUNTS: Final = frozenset({
    f"{bound}{what}" for bound in ("min", "max") for what in ("Items", "Length", "Properties")
})
_REF_KEYS: Final = frozenset({"$ref", "$dynamicRef", "$recursiveRef"})
_ANY_NAME: Final = ""
"""A regular expression that is found in every name."""

Path: TypeAlias = tuple[str, ...]


def enforceable(schema: JsonObject) -> JsonObject:
    """Give the schema as the grammar enforces it wholly; what is valid under it stays the same.

    Raises:
        UnsupportedSchemaError: it uses a keyword in a way that the grammar would enforce in part.
            The detail names the keyword and its JSON pointer.
    """
    whole = _rewritten(schema, ())
    _check_references(whole)
    return whole


def _rewritten(schema: JsonObject, path: Path) -> JsonObject:
    if len(path) > 2 * MAX_DEPTH:
        _refuse(path, f"schemas are nested more than {MAX_DEPTH} deep")
    known: JsonObject = {
        key: _value(key, value, (*path, key))
        for key, value in schema.items()
        if not _says_nothing(key, value, beside=schema)
    }
    _check_count(known, path)
    return _with_plain_names(known, path)


def _says_nothing(key: str, value: JsonValue, *, beside: JsonObject) -> bool:
    """Whether a keyword that llguidance does not know changes nothing here."""
    return (
        (key in _ALLOWING and value is True)
        or (key in _FORBIDDING and value is False)
        or (key in _DEPENDENT and beside.keys().isdisjoint(_DEPENDENT[key]))
    )


def _value(key: str, value: JsonValue, path: Path) -> JsonValue:
    if key in _COUNTS and isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        if key in _MAP_KEYS:
            return {name: _sub_schema(item, (*path, name)) for name, item in value.items()}
        return _rewritten(value, path) if key in _SCHEMA_KEYS else value
    if isinstance(value, list) and key in _LIST_KEYS:
        return [_sub_schema(item, (*path, str(index))) for index, item in enumerate(value)]
    return value


def _sub_schema(value: JsonValue, path: Path) -> JsonValue:
    return _rewritten(value, path) if isinstance(value, dict) else value


def _check_count(schema: JsonObject, path: Path) -> None:
    """Refuse a least number of properties that repeated names could make up."""
    least = schema.get("minProperties")
    if not isinstance(least, int | float) or least <= max(1, len(_required(schema))):
        return
    if schema.get("additionalProperties") is not False or schema.get("patternProperties"):
        _refuse((*path, "minProperties"), "it cannot be counted where other names are allowed")


def _with_plain_names(schema: JsonObject, path: Path) -> JsonObject:
    """Let undeclared names be written in one spelling only, so that none is a declared one."""
    names = {*_object(schema.get("properties")), *_required(schema)}
    others = schema.get("additionalProperties", True)
    patterns = _object(schema.get("patternProperties"))
    if others is False or not (names or patterns):
        return schema
    if any(_is_control(character) for name in names for character in name):
        _refuse((*path, "properties"), "a name has control characters, which have two spellings")
    if patterns:
        _refuse(
            (*path, "patternProperties"),
            "it is enforced only where `additionalProperties` is false",
        )
    # llguidance compares a pattern with the characters that a name stands for, and everything else
    # with the name as it is spelled.
    pattern = _ANY_NAME if others in (True, {}) else other_than(sorted(names))
    return {**schema, "patternProperties": {pattern: others}, "additionalProperties": False}


def other_than(names: Sequence[str]) -> str:
    """Write a regular expression that matches every text but these."""
    return f"^(?:{_other_endings(set(names))})$"


def _other_endings(endings: set[str]) -> str:
    firsts = sorted({ending[0] for ending in endings if ending})
    others = "".join(_escaped(first) for first in firsts)
    options = [f"[^{others}](?s:.*)" if firsts else "(?s:.+)"]
    if "" not in endings:
        options.insert(0, "")
    for first in firsts:
        rest = {ending[1:] for ending in endings if ending[:1] == first}
        options.append(f"{_escaped(first)}(?:{_other_endings(rest)})")
    return "|".join(options)


def _escaped(character: str) -> str:
    return f"\\x{{{ord(character):x}}}"


def _check_references(schema: JsonObject) -> None:
    """Refuse references to what was not looked at, or has moved."""
    places = {path for path, _, _ in _walk(schema)}
    for path, root, value in _walk(schema):
        for key in _REF_KEYS.intersection(value if isinstance(value, dict) else ()):
            target = _object(value)[key]
            if not isinstance(target, str) or "#/" not in target:
                continue
            document, _, pointer = target.partition("#/")
            parts = tuple(_pointer_name(part) for part in pointer.split("/"))
            if document or (*root, *parts) not in places:
                _refuse((*path, key), f"{target!r} is no place in it where a schema stands")


def _walk(
    value: JsonValue, path: Path = (), root: Path = ()
) -> Iterator[tuple[Path, Path, JsonValue]]:
    """Visit each schema, with its path and that of the schema that its references begin at."""
    root = path if "$id" in _object(value) else root
    yield path, root, value
    for key, inner in _object(value).items():
        for place, item in _sub_schemas(key, inner):
            yield from _walk(item, (*path, key, *place), root)


def _sub_schemas(key: str, value: JsonValue) -> Iterator[tuple[Path, JsonValue]]:
    if isinstance(value, dict) and key in _MAP_KEYS:
        yield from (((name,), item) for name, item in value.items())
    elif isinstance(value, list) and key in _LIST_KEYS:
        yield from (((str(index),), item) for index, item in enumerate(value))
    elif key in _SCHEMA_KEYS and (isinstance(value, dict) or key != "additionalProperties"):
        # Where other names are not allowed, they may have been before they were rewritten.
        yield (), value


def _required(schema: JsonObject) -> set[str]:
    required = schema.get("required")
    names = required if isinstance(required, list) else []
    return {name for name in names if isinstance(name, str)}


def _is_control(character: str) -> bool:
    return character < " " or character == "\x7f"


def _object(value: JsonValue) -> Mapping[str, JsonValue]:
    return value if isinstance(value, dict) else {}


def _pointer_name(part: str) -> str:
    return unquote(part).replace("~1", "/").replace("~0", "~")


def _pointer_part(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _refuse(path: Path, problem: str) -> None:
    pointer = "/" + "/".join(_pointer_part(part) for part in path)
    raise UnsupportedSchemaError(
        subject="The schema", detail=f"`{path[-1] if path else ''}` at {pointer}: {problem}"
    )
