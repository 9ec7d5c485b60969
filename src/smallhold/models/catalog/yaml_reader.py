"""YAML whose every value knows its line: this file holds the reader of a catalog's text.

PyYAML's own loaders are not used: they unfold aliases, take a repeated key without a word, forget
where a value stood, and the fast one ends the process on text that is nested deeply.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias, cast

import yaml
from yaml.constructor import SafeConstructor
from yaml.resolver import Resolver

from smallhold.exceptions import CatalogError

MAX_DEPTH: Final = 32
"""Deeper text is refused; a catalog has seven levels."""

Place: TypeAlias = tuple[int | str, ...]
"""Keys and indices from the document's root to a value."""

# The parser in C gives the same events ten times as fast; the other one is always there.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MAPPING: Final = "tag:yaml.org,2002:map"
_SEQUENCE: Final = "tag:yaml.org,2002:seq"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Where a value stands in the text, its key included."""

    line: int
    """Counted from 1."""
    start: int
    """Character at which it begins, counted from 0."""
    end: int
    """Character behind it; trailing blank lines and comments may lie before that."""
    is_block: bool
    """Whether it is a mapping or a list that is laid out in lines, and not in brackets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class YamlDocument:
    """One YAML document: plain values, and where they stand."""

    value: Any
    """Mappings, lists and scalars; the caller checks what they are."""
    spans: Mapping[Place, Span]

    def line(self, place: Place) -> int | None:
        """Line of a value, or of the innermost thing around it that is in the text.

        Steps that the text does not have, such as a missing field, lead nowhere and are left out.
        """
        found: Place = ()
        for step in place:
            if (*found, step) in self.spans:
                found = (*found, step)
        return self.spans[found].line if found in self.spans else None


def read_yaml(text: bytes, *, file: str) -> YamlDocument:
    """Read one document of YAML's safe subset.

    Args:
        text: UTF-8.
        file: Name of the file for errors.

    Raises:
        CatalogError: It is no YAML, nested too deeply, has an alias, a repeated key or a tag of an
            unsafe kind; the error names the line.
    """
    reader = _Reader()
    try:
        value = reader.document(yaml.parse(text.decode("utf-8-sig"), Loader=_Loader))
    except _TextError as error:
        raise CatalogError(file=file, place=f"line {error.line}", problem=str(error)) from error
    except (yaml.YAMLError, ValueError) as error:
        place, problem = _place_of(error), _first_line(error)
        raise CatalogError(file=file, place=place, problem=problem) from error
    return YamlDocument(value=value, spans=reader.spans)


class _TextError(Exception):
    """Something that YAML allows and a catalog does not."""

    def __init__(self, event: yaml.Event, problem: str) -> None:
        self.line = _position(event).line + 1
        super().__init__(problem)


class _Reader:
    """Turns parser events into values; it notes down where each of them stands."""

    def __init__(self) -> None:
        self.spans: dict[Place, Span] = {}
        # Without types of their own in the stubs.
        self._resolver: Any = Resolver()
        self._constructor: Any = SafeConstructor()

    def document(self, events: Iterator[yaml.Event]) -> Any:
        root = (event for event in events if not isinstance(event, _FRAME))
        first = next(root, None)
        value = None if first is None else self._value(first, root, place=(), start=first)
        surplus = next(root, None)
        if surplus is not None:
            raise _TextError(surplus, "a second document begins here; a catalog is one")
        return value

    def _value(
        self, event: yaml.Event, events: Iterator[yaml.Event], *, place: Place, start: yaml.Event
    ) -> Any:
        if len(place) > MAX_DEPTH:
            raise _TextError(event, f"it is nested more than {MAX_DEPTH} levels deep")
        match event:
            case yaml.ScalarEvent():
                value, end = self._scalar(event), event
            case yaml.MappingStartEvent():
                value, end = self._mapping(event, events, place=place)
            case yaml.SequenceStartEvent():
                value, end = self._list(event, events, place=place)
            case _:
                # A few nested aliases can unfold into gigabytes.
                raise _TextError(event, "YAML aliases (*name) are not allowed")
        self.spans[place] = Span(
            line=_position(start).line + 1,
            start=_position(start).index,
            end=_position(end, at_end=True).index,
            is_block=not isinstance(event, yaml.ScalarEvent) and not event.flow_style,
        )
        return value

    def _mapping(
        self, event: yaml.MappingStartEvent, events: Iterator[yaml.Event], *, place: Place
    ) -> tuple[dict[str, Any], yaml.Event]:
        _require_plain(event, tag=_MAPPING)
        mapping: dict[str, Any] = {}
        while not isinstance(key_event := next(events), yaml.MappingEndEvent):
            if not isinstance(key_event, yaml.ScalarEvent):
                raise _TextError(key_event, "a key must be a word")
            key = str(key_event.value)
            if key in mapping:
                raise _TextError(key_event, f"{key!r} is there twice")
            mapping[key] = self._value(next(events), events, place=(*place, key), start=key_event)
        return mapping, key_event

    def _list(
        self, event: yaml.SequenceStartEvent, events: Iterator[yaml.Event], *, place: Place
    ) -> tuple[list[Any], yaml.Event]:
        _require_plain(event, tag=_SEQUENCE)
        items: list[Any] = []
        while not isinstance(item := next(events), yaml.SequenceEndEvent):
            items.append(self._value(item, events, place=(*place, len(items)), start=item))
        return items, item

    def _scalar(self, event: yaml.ScalarEvent) -> Any:
        tag = event.tag
        if tag is None or tag == "!":
            tag = self._resolver.resolve(yaml.ScalarNode, event.value, event.implicit)
        try:
            return self._constructor.construct_object(yaml.ScalarNode(tag, event.value))
        except (yaml.YAMLError, ValueError) as error:
            raise _TextError(event, _first_line(error)) from error


_FRAME: Final = (
    yaml.StreamStartEvent,
    yaml.StreamEndEvent,
    yaml.DocumentStartEvent,
    yaml.DocumentEndEvent,
)


class _Position(Protocol):
    line: int
    index: int


def _position(event: yaml.Event, *, at_end: bool = False) -> _Position:
    # The parsers leave no event without marks; only events that are made by hand have none.
    return cast("_Position", event.end_mark if at_end else event.start_mark)


def _require_plain(event: yaml.MappingStartEvent | yaml.SequenceStartEvent, *, tag: str) -> None:
    if event.tag not in {None, "!", tag}:
        raise _TextError(event, f"the tag {event.tag} is not allowed")


def _place_of(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    return "whole file" if mark is None else f"line {mark.line + 1}"


def _first_line(error: Exception) -> str:
    return str(getattr(error, "problem", None) or error).partition("\n")[0]
