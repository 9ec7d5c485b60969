"""JSON as small models write it: this file holds the forgiving reader of values.

It takes all of JSON, and besides: trailing commas, single quotes, typographic quotes, names without
quotes, Python's `True`, `False` and `None`, and line breaks inside strings. What it reads is never
guessed: text that is none of this is refused, and text that ends too early is told apart.

Whatever it says of the beginning of a text, other than that it is unfinished, holds however the
text goes on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from smallhold.agents.text_calls.atoms import LITERALS, begins_literal, number_of, unescaped
from smallhold.messages import JsonObject, JsonValue

MAX_DEPTH: Final = 32
"""Deepest nesting that is read. No tool's arguments nest a tenth as deep."""
_CLOSERS: Final = {
    '"': '"',
    "'": "'",
    "\N{LEFT DOUBLE QUOTATION MARK}": '\N{RIGHT DOUBLE QUOTATION MARK}"',
    "\N{RIGHT DOUBLE QUOTATION MARK}": '\N{RIGHT DOUBLE QUOTATION MARK}"',
    "\N{DOUBLE LOW-9 QUOTATION MARK}": (
        '\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}"'
    ),
    "\N{LEFT SINGLE QUOTATION MARK}": "\N{RIGHT SINGLE QUOTATION MARK}'",
    "\N{RIGHT SINGLE QUOTATION MARK}": "\N{RIGHT SINGLE QUOTATION MARK}'",
}
"""What may close a string that was opened by a quotation mark, straight or typographic."""
_AFTER_STRING: Final = frozenset(",:}])")
"""A mark before none of these stands inside the string, as in `"the "old" lamp"`."""
_SPACE: Final = re.compile(r"[\s\u200b\ufeff]*")
_NUMBER: Final = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d*)?")
_WORD: Final = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A value that was read whole."""

    value: JsonValue
    end: int
    """Where the text goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfinished:
    """The text ended inside the value."""

    partial: JsonValue
    """What there is of it: an unfinished string as far as it goes, `None` for a field whose value
    has not begun or is unfinished."""
    open_name: str | None = None
    """A field's name that may be unfinished, or has no value yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """No value of these kinds begins so."""

    at: int
    """Where it cannot be read."""


Reading: TypeAlias = Read | Unfinished | Unreadable


def read_value(text: str, start: int = 0) -> Reading:
    """Read one value.

    Args:
        text: Any text.
        start: Where the value begins; white space before it is skipped.
    """
    reader = _Reader(text=text, at=start)
    try:
        value = reader.value(MAX_DEPTH)
    except _EndedError:
        return Unfinished(partial=reader.root, open_name=reader.open_name)
    except _RefusedError:
        return Unreadable(at=reader.at)
    return Read(value=value, end=reader.at)


def read_keywords(text: str, start: int) -> Reading:
    """Read what stands between the parentheses of a call, such as `city="Rome", days=3)`.

    Args:
        text: Any text.
        start: The place after the opening parenthesis.

    Returns:
        An object; its end is after the closing parenthesis. Values without a name are given under
        their numbers, `"0"`, `"1"`, ….
    """
    reader = _Reader(text=text, at=start)
    try:
        value = reader.keywords()
    except _EndedError:
        return Unfinished(partial=reader.root, open_name=reader.open_name)
    except _RefusedError:
        return Unreadable(at=reader.at)
    return Read(value=value, end=reader.at)


class _EndedError(Exception):
    """The text is over."""


class _RefusedError(Exception):
    """No value is written so."""


@dataclass(slots=True)
class _Reader:
    text: str
    at: int
    root: JsonValue = None
    open_name: str | None = None
    has_root: bool = False
    open_text: str = field(default="")

    def value(self, depth: int) -> JsonValue:
        letter = self.next_letter()
        if depth == 0:
            raise _RefusedError
        if letter == "{":
            return self.object(depth)
        if letter == "[":
            return self.list(depth)
        if letter in _CLOSERS:
            return self.string()
        if letter.isdecimal() or letter in "-+.":
            return self.number()
        return self.literal()

    def object(self, depth: int) -> JsonObject:
        fields: JsonObject = {}
        self.keep_root(fields)
        self.at += 1
        while self.next_letter() != "}":
            name = self.name()
            self.open_name = name
            self.take(":")
            fields[name] = self.field_value(fields, name, depth)
            self.open_name = None
            self.end_item("}")
        self.at += 1
        return fields

    def field_value(self, fields: JsonObject, name: str, depth: int) -> JsonValue:
        try:
            return self.value(depth - 1)
        except _EndedError:
            if name not in fields:
                fields[name], self.open_text = self.open_text or None, ""
            raise

    def list(self, depth: int) -> list[JsonValue]:
        items: list[JsonValue] = []
        self.keep_root(items)
        self.at += 1
        while self.next_letter() != "]":
            items.append(self.value(depth - 1))
            self.end_item("]")
        self.at += 1
        return items

    def keywords(self) -> JsonObject:
        fields: JsonObject = {}
        self.keep_root(fields)
        while self.next_letter() != ")":
            name = self.keyword() or str(len(fields))
            fields[name] = self.field_value(fields, name, MAX_DEPTH)
            self.end_item(")")
        self.at += 1
        return fields

    def keyword(self) -> str | None:
        """Read `name=`; `None` if a value stands here without a name."""
        word = _WORD.match(self.text, self.at)
        if word is None:
            return None
        after = _SPACE.match(self.text, word.end())
        place = word.end() if after is None else after.end()
        if place >= len(self.text):
            self.open_name = word.group()
            raise _EndedError
        if self.text[place] not in "=:":
            return None
        self.at = place + 1
        return word.group()

    def name(self) -> str:
        letter = self.next_letter()
        if letter in _CLOSERS:
            try:
                return self.string()
            except _EndedError:
                self.open_name, self.open_text = self.open_text, ""
                raise
        word = _WORD.match(self.text, self.at)
        if word is None:
            raise _RefusedError
        if word.end() == len(self.text):
            self.open_name = word.group()
            raise _EndedError
        self.at = word.end()
        return word.group()

    def string(self) -> str:
        closers = _CLOSERS[self.text[self.at]]
        start = place = self.at + 1
        while place < len(self.text):
            letter = self.text[place]
            if letter == "\\":
                place += 2
            elif letter in closers and self.closes(place):
                self.at = place + 1
                return unescaped(self.text[start:place])
            else:
                place += 1
        self.open_text = unescaped(self.text[start:])
        raise _EndedError

    def closes(self, place: int) -> bool:
        """Tell whether a quotation mark ends the string, by what follows it."""
        after = _SPACE.match(self.text, place + 1)
        following = place + 1 if after is None else after.end()
        if following >= len(self.text):
            self.open_text = unescaped(self.text[self.at + 1 : place])
            raise _EndedError
        return self.text[following] in _AFTER_STRING

    def number(self) -> JsonValue:
        found = _NUMBER.match(self.text, self.at)
        if found is None:
            # A sign or point at the very end may become a number yet.
            raise _EndedError if self.at + 1 >= len(self.text) else _RefusedError
        if found.end() == len(self.text):
            raise _EndedError
        number = number_of(found.group())
        if number is None:
            raise _RefusedError
        self.at = found.end()
        return number

    def literal(self) -> JsonValue:
        word = _WORD.match(self.text, self.at)
        if word is None:
            raise _RefusedError
        if word.end() == len(self.text):
            raise _EndedError if begins_literal(word.group()) else _RefusedError
        if word.group() not in LITERALS:
            raise _RefusedError
        self.at = word.end()
        return LITERALS[word.group()]

    def next_letter(self) -> str:
        space = _SPACE.match(self.text, self.at)
        self.at = self.at if space is None else space.end()
        if self.at >= len(self.text):
            raise _EndedError
        return self.text[self.at]

    def take(self, letter: str) -> None:
        if self.next_letter() != letter:
            raise _RefusedError
        self.at += 1

    def end_item(self, closer: str) -> None:
        """Pass the comma after an item; before the closer it may be missing or one too many."""
        letter = self.next_letter()
        if letter == ",":
            self.at += 1
        elif letter != closer:
            raise _RefusedError

    def keep_root(self, value: JsonValue) -> None:
        if not self.has_root:
            self.root, self.has_root = value, True
