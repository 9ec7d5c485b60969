"""From a server's JSON Schema to one for small models: this file holds the rewriting.

A schema is shown to a model on every turn and compiled to a grammar, so it is brought into a small
vocabulary without references: objects with named properties, lists, unions, plain types and their
bounds. What only narrows it further and cannot be enforced while decoding, such as `not` or
`uniqueItems`, is left to the server, which checks its arguments anyway. A schema whose shape cannot
be kept is refused, and its tool left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, NoReturn

from smallhold.engine.schema_support import enforceable
from smallhold.exceptions import UnsupportedSchemaError
from smallhold.messages import JsonObject, JsonValue
from smallhold.tools.contradictions import contradictions
from smallhold.tools.mcp.foreign_text import one_line
from smallhold.tools.mcp.json_kinds import kinds_of
from smallhold.tools.mcp.plain_patterns import is_plain_pattern

MOST_PARTS: Final = 500
"""Schemas within one schema, references written out. A tool's has about ten; a thousand would fill
a small model's context window, and references can double a schema at every level."""
MOST_DEPTH: Final = 16
SCHEMA_LIMIT_CHARS: Final = 20_000
"""About 5,000 tokens: more than the smallest context window in common use has."""
_DESCRIPTION_LIMIT_CHARS: Final = 300
_DEFAULT_LIMIT_CHARS: Final = 100
_NAME_LIMIT_CHARS: Final = 128
_MOST_REPEATS: Final = 10_000
"""A text or list that must be longer is nothing that a model writes."""

_TYPES: Final[Mapping[str, frozenset[str]]] = MappingProxyType({
    "string": frozenset({"minLength", "maxLength", "pattern", "format"}),
    "integer": frozenset({
        "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
    }),
    "number": frozenset({
        "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
    }),
    "boolean": frozenset(),
    "null": frozenset(),
    "array": frozenset({"items", "prefixItems", "minItems", "maxItems", "additionalItems"}),
    "object": frozenset({
        "properties", "required", "additionalProperties", "patternProperties",
    }),
})  # fmt: skip
"""Types with the keywords that are kept of each. Source: JSON Schema draft 2020-12, core section
10 and validation section 6."""
_LEFT_TO_SERVER: Final = frozenset({
    "contains", "dependencies", "dependentRequired", "dependentSchemas", "else", "if",
    "maxContains", "maxProperties", "minContains", "minProperties", "not", "propertyNames",
    "then", "unevaluatedItems", "unevaluatedProperties", "uniqueItems",
})  # fmt: skip
"""Keywords that only narrow what others allow, and that no grammar of ours enforces."""
_PATH_LIMIT_CHARS: Final = 60
_DRAFT_4_BOUNDS: Final = (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum"))
_JOINED: Final = frozenset({"properties", "$defs", "definitions"})
_FORMATS: Final = frozenset({
    "date-time", "date", "time", "duration", "email", "hostname", "ipv4", "ipv6", "uri", "uuid",
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class UsableSchema:
    """A schema as a model is shown it."""

    schema: JsonObject
    left_to_server: tuple[str, ...] = ()
    """Keywords of the server's schema that are not enforced here."""


@dataclass(slots=True, kw_only=True)
class _Rewriting:
    """One schema under way."""

    root: JsonObject
    is_closed: bool
    """Whether properties that are not named are ruled out, also where the server allows them."""
    parts: int = 0
    left: set[str] = field(default_factory=set[str])

    def count(self, path: str) -> None:
        self.parts += 1
        if self.parts > MOST_PARTS:
            _refuse(path, f"it has more than {MOST_PARTS} parts, references written out")


def usable_schema(schema: JsonObject) -> UsableSchema:
    """Rewrite the schema of a tool's arguments; only named parameters are left in it.

    Args:
        schema: As the server wrote it; not changed.

    Raises:
        UnsupportedSchemaError: Its root is no object, it contains itself, points outside itself,
            contradicts itself, is far too long, or has a shape that no grammar of ours expresses.
    """
    work = _Rewriting(root=schema, is_closed=True)
    written = _schema(schema, work, path="", open_references=())
    if written.get("type") != "object":
        _refuse("", "its root is not an object with named parameters")
    if isinstance(written.get("additionalProperties"), dict):
        _refuse("", "its parameters have no names")
    written = {"type": "object", "properties": {}} | written | {"additionalProperties": False}
    length = len(json.dumps(written, ensure_ascii=False))
    if length > SCHEMA_LIMIT_CHARS:
        _refuse("", f"it has {length:,} characters, allowed are {SCHEMA_LIMIT_CHARS:,}")
    if found := next(contradictions(written), None):
        _refuse("", f"no value can satisfy it ({found})")
    enforceable(written)
    return UsableSchema(schema=written, left_to_server=tuple(sorted(work.left)))


def result_schema(schema: JsonObject) -> JsonObject | None:
    """Rewrite the schema of a tool's results, to check them by; `None` if that cannot be done."""
    work = _Rewriting(root=schema, is_closed=False)
    try:
        return _schema(schema, work, path="", open_references=())
    except UnsupportedSchemaError:
        return None


def _schema(
    schema: JsonValue, work: _Rewriting, *, path: str, open_references: tuple[str, ...]
) -> JsonObject:
    if schema is True:
        return {}
    if not isinstance(schema, dict):
        _refuse(path, "a schema is neither an object nor true")
    work.count(path)
    if path.count("/") > 2 * MOST_DEPTH:
        _refuse(path, f"it is nested more than {MOST_DEPTH} deep")
    schema, opened = _dereferenced(schema, work, path=path, open_references=open_references)
    schema = _merged(schema, work, path=path, open_references=opened)
    branches = _branches(schema, path=path)
    if branches is not None:
        return _union(schema, branches, work, path=path, open_references=opened)
    plain = _plain(schema, work, path=path, open_references=opened)
    # In the order of the schemas that models were trained on.
    kind: JsonObject = {"type": plain["type"]} if "type" in plain else {}
    return kind | _about(schema) | plain


def _about(schema: JsonObject) -> JsonObject:
    """Keep what tells a model what to write: the description, and a short default."""
    about: JsonObject = {}
    description = schema.get("description")
    if isinstance(description, str) and description.strip():
        about["description"] = one_line(description, limit_chars=_DESCRIPTION_LIMIT_CHARS)
    default = schema.get("default")
    if default is not None and len(json.dumps(default)) <= _DEFAULT_LIMIT_CHARS:
        about["default"] = default
    return about


def _dereferenced(
    schema: JsonObject, work: _Rewriting, *, path: str, open_references: tuple[str, ...]
) -> tuple[JsonObject, tuple[str, ...]]:
    """Replace references by what they point to, what stands beside them taking precedence."""
    opened = open_references
    while isinstance(reference := schema.get("$ref"), str):
        if reference in opened:
            _refuse(path, f"{reference!r} contains itself, so it has no end")
        opened = (*opened, reference)
        target = _pointed(work.root, reference, path=path)
        schema = target | {key: value for key, value in schema.items() if key != "$ref"}
        work.count(path)
    if dynamic := {"$dynamicRef", "$recursiveRef"} & schema.keys():
        _refuse(path, f"`{min(dynamic)}` is not followed")
    return schema, opened


def _pointed(root: JsonObject, reference: str, *, path: str) -> JsonObject:
    if reference != "#" and not reference.startswith("#/"):
        _refuse(path, f"{one_line(reference, limit_chars=80)!r} points outside the schema")
    found: JsonValue = root
    for step in reference.removeprefix("#").split("/")[1:]:
        found = _below(found, step.replace("~1", "/").replace("~0", "~"))
    if not isinstance(found, dict):
        _refuse(path, f"{one_line(reference, limit_chars=80)!r} points to no schema")
    return found


def _below(value: JsonValue, step: str) -> JsonValue:
    """Follow one step of a pointer; null where it leads nowhere. Source: RFC 6901."""
    if isinstance(value, dict):
        return value.get(step)
    if isinstance(value, list) and step.isdecimal() and len(step) < len(str(MOST_PARTS)):
        return dict(enumerate(value)).get(int(step))
    return None


def _merged(
    schema: JsonObject, work: _Rewriting, *, path: str, open_references: tuple[str, ...]
) -> JsonObject:
    """Put the parts of `allOf` together where that is a matter of adding keywords."""
    parts = schema.get("allOf")
    if not isinstance(parts, list):
        return schema
    merged: JsonObject = {key: value for key, value in schema.items() if key != "allOf"}
    for number, part in enumerate(parts):
        inner = f"{path}/allOf/{number}"
        if part is True:
            continue
        if not isinstance(part, dict):
            _refuse(inner, "a schema is neither an object nor true")
        work.count(inner)
        target, opened = _dereferenced(part, work, path=inner, open_references=open_references)
        target = _merged(target, work, path=inner, open_references=opened)
        if target.get("additionalProperties", True) is not True:
            work.left.add("allOf")  # for the server it also rules out what other parts name
        for key, value in target.items():
            merged[key] = _joined(key, merged.get(key), value, path=inner)
    return merged


def _joined(key: str, before: JsonValue, value: JsonValue, *, path: str) -> JsonValue:
    if before is None:
        return value
    if before == value or key in {"description", "title", "default"}:
        return before
    if isinstance(before, dict) and isinstance(value, dict) and key in _JOINED:
        if all(before[name] == value[name] for name in before.keys() & value.keys()):
            return before | value
    elif key == "required" and isinstance(before, list) and isinstance(value, list):
        return [*before, *(name for name in value if name not in before)]
    return _refuse(path, f"two parts of `allOf` both say `{key}`")


def _branches(schema: JsonObject, *, path: str) -> list[JsonValue] | None:
    """List the branches of a union, however it is written; `None` where there is none."""
    found = [key for key in ("anyOf", "oneOf") if isinstance(schema.get(key), list)]
    kinds = schema.get("type")
    if len(found) > 1:
        _refuse(path, "it has both `anyOf` and `oneOf`")
    if found:
        branches = schema[found[0]]
        return branches if isinstance(branches, list) else None
    if isinstance(kinds, list):
        return [{**_of_type(schema, kind, path=path)} for kind in kinds]
    if schema.get("nullable") is True and "type" in schema:
        only = {key: value for key, value in schema.items() if key != "nullable"}
        return [_of_type(only, schema["type"], path=path), {"type": "null"}]
    return None


def _of_type(schema: JsonObject, kind: JsonValue, *, path: str) -> JsonObject:
    if not isinstance(kind, str) or kind not in _TYPES:
        _refuse(path, f"{kind!r} is no type")
    kept = _TYPES[kind] | {"const"}
    branch = {key: value for key, value in schema.items() if key in kept}
    options = schema.get("enum")
    if isinstance(options, list):
        branch["enum"] = [option for option in options if kind in kinds_of(option)]
    return {"type": kind, **branch}


def _union(
    schema: JsonObject,
    branches: Sequence[JsonValue],
    work: _Rewriting,
    *,
    path: str,
    open_references: tuple[str, ...],
) -> JsonObject:
    if not branches:
        _refuse(path, "a union without branches allows nothing")
    if "oneOf" in schema:
        work.left.add("oneOf")
    if "properties" in schema and all(_only_requires(branch) for branch in branches):
        # The usual way to say that one of several parameters must be there.
        work.left.add("anyOf")
        bare = {key: value for key, value in schema.items() if key not in {"anyOf", "oneOf"}}
        return _schema(bare, work, path=path, open_references=open_references)
    shared = _shared(schema, path=path)
    written: list[JsonValue] = []
    for number, branch in enumerate(branches):
        if branch is False:
            continue
        own = branch if isinstance(branch, dict) else {}
        if any(own[key] != shared[key] for key in own.keys() & shared.keys()):
            work.left.add("anyOf")  # both hold for the server; here the branch does
        whole = shared | own
        inner = _schema(whole, work, path=f"{path}/{number}", open_references=open_references)
        if inner.get("enum") != [] and inner not in written:
            written.append(inner)
    if len(written) == 1 and isinstance(written[0], dict):
        return _about(schema) | written[0] | _about(schema)
    union: JsonObject = {"anyOf": written}
    return _about(schema) | union


def _shared(schema: JsonObject, *, path: str) -> JsonObject:
    """Take the keywords beside a union, which hold for each branch that does not say otherwise."""
    if not isinstance(schema.get("anyOf", schema.get("oneOf")), list):
        return {}  # the branches were made of the schema itself
    keywords = frozenset[str]().union(*_TYPES.values()) | {"type", "enum"}
    shared = {key: value for key, value in schema.items() if key in keywords}
    if shared.keys() & {"properties", "items", "prefixItems", "required"}:
        _refuse(path, "a union stands beside the parts of one object or list")
    return shared


def _only_requires(branch: JsonValue) -> bool:
    return isinstance(branch, dict) and set(branch) <= {"required", "description", "title"}


def _plain(
    schema: JsonObject, work: _Rewriting, *, path: str, open_references: tuple[str, ...]
) -> JsonObject:
    """Write a schema that is no union."""
    work.left |= _LEFT_TO_SERVER & schema.keys()
    if "const" in schema:
        return {"const": schema["const"]}
    options = schema.get("enum")
    kind = schema.get("type", _implied_type(schema))
    if isinstance(options, list):
        is_typed = isinstance(kind, str) and kind in _TYPES
        fitting = [option for option in options if not is_typed or kind in kinds_of(option)]
        return {"type": kind, "enum": fitting} if is_typed else {"enum": fitting}
    if kind is None:
        return {}
    if not isinstance(kind, str) or kind not in _TYPES:
        _refuse(path, f"{kind!r} is no type")
    typed: JsonObject = {"type": kind}
    if kind == "object":
        return typed | _object(schema, work, path=path, open_references=open_references)
    if kind == "array":
        return typed | _list(schema, work, path=path, open_references=open_references)
    return typed | _bounds(schema, _TYPES[kind], work, path=path)


def _implied_type(schema: JsonObject) -> JsonValue:
    """Find the type that keywords speak of where none is written."""
    for kind, keywords in _TYPES.items():
        if kind != "integer" and keywords & schema.keys():
            return kind
    return None


def _object(
    schema: JsonObject, work: _Rewriting, *, path: str, open_references: tuple[str, ...]
) -> JsonObject:
    properties, required = _named(schema, path=path)
    written: JsonObject = {}
    for name, part in properties.items():
        if len(name) > _NAME_LIMIT_CHARS or any(ord(letter) < ord(" ") for letter in name):
            _refuse(path, "a parameter's name is far too long, or has control characters")
        if part is False and name not in required:
            continue
        inner = f"{path}/properties/{name.replace('/', '|')}"
        written[name] = _schema(part, work, path=inner, open_references=open_references)
    others = schema.get("additionalProperties", True)
    patterns = schema.get("patternProperties")
    if isinstance(patterns, dict) and patterns:
        work.left.add("patternProperties")
        others = next(iter(patterns.values())) if len(patterns) == 1 else True
    result: JsonObject = {"properties": written} if written else {}
    if required:
        result["required"] = list[JsonValue](required)
    if others is False or (written and work.is_closed):
        return {"properties": {}} | result | {"additionalProperties": False}
    if isinstance(others, dict) and others:
        inner = f"{path}/additionalProperties"
        result["additionalProperties"] = _schema(
            others, work, path=inner, open_references=open_references
        )
    return result


def _named(schema: JsonObject, *, path: str) -> tuple[JsonObject, list[str]]:
    """Read an object's properties and the names of those that are required, all of them there."""
    properties, names = schema.get("properties"), schema.get("required")
    properties = {} if properties is None else properties
    names = [] if names is None else names
    if not isinstance(properties, dict) or not isinstance(names, list):
        _refuse(path, "`properties` is no object, or `required` no list")
    required = [name for name in names if isinstance(name, str)]
    named: JsonObject = {**properties}
    for name in required:
        named.setdefault(name, {})
    return named, required


def _list(
    schema: JsonObject, work: _Rewriting, *, path: str, open_references: tuple[str, ...]
) -> JsonObject:
    items, places = schema.get("items", True), schema.get("prefixItems")
    if isinstance(items, list):  # draft 7 and before
        items, places = schema.get("additionalItems", True), items
    written: JsonObject = _bounds(schema, frozenset({"minItems", "maxItems"}), work, path=path)
    if isinstance(places, list) and places:
        written["prefixItems"] = [
            _schema(part, work, path=f"{path}/prefixItems/{place}", open_references=open_references)
            for place, part in enumerate(places)
        ]
        # A list of fixed places has no further ones unless it says what they are.
        if items is True:
            items = False
    if items is False:
        return written | {"items": False}
    inner = _schema(items, work, path=f"{path}/items", open_references=open_references)
    if inner:
        written["items"] = inner
    return written


def _bounds(
    schema: JsonObject, keywords: frozenset[str], work: _Rewriting, *, path: str
) -> JsonObject:
    """Keep the bounds of a plain type that are sound; drop those that only the server checks."""
    modern = _with_modern_bounds(schema)
    written: JsonObject = {}
    for key in sorted(keywords & modern.keys()):
        value = modern[key]
        if key == "pattern":
            is_kept = isinstance(value, str) and is_plain_pattern(value)
            work.left |= set() if is_kept else {key}
        elif key == "format":
            is_kept = value in _FORMATS
        else:
            is_kept = _is_sound_bound(key, value, path=path)
        if is_kept:
            written[key] = value
    return written


def _with_modern_bounds(schema: JsonObject) -> JsonObject:
    """Write `exclusiveMinimum: true` of draft 4 as later drafts do."""
    modern = dict(schema)
    for bound, exclusive in _DRAFT_4_BOUNDS:
        if isinstance(is_exclusive := modern.get(exclusive), bool):
            del modern[exclusive]
            if is_exclusive and bound in modern:
                modern[exclusive] = modern.pop(bound)
    return modern


def _is_sound_bound(key: str, value: JsonValue, *, path: str) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        _refuse(path, f"`{key}` is no number")
    if key in {"minLength", "minItems"} and value > _MOST_REPEATS:
        _refuse(path, f"`{key}` asks for more than any model writes")
    return key != "multipleOf" or value > 0


def _refuse(path: str, problem: str) -> NoReturn:
    end = path if len(path) <= _PATH_LIMIT_CHARS else f"…{path[-_PATH_LIMIT_CHARS:]}"
    place = f"at {one_line(end, limit_chars=_PATH_LIMIT_CHARS + 1)}: " if path else ""
    raise UnsupportedSchemaError(subject="The schema", detail=f"{place}{problem}")
