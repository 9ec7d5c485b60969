"""Text that remembers who wrote it: this file holds the marking of untrusted characters.

A chat template mixes its own control tokens (`<|im_end|>`) with what users, tools and files say.
To keep the two apart after the template has trimmed, split and joined them, every untrusted
character is swapped for one of the private-use planes 15 and 16 before the template sees it, and
swapped back afterwards. The mark is part of the data, so whatever a template does with a string
cannot lose it; sentinels around a message would be lost by the first `trim` or `split`.
`MarkedText` makes such a string compare, search and iterate like the plain one, so a template
decides as it would without marks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import SupportsIndex

from smallhold.exceptions import ChatTemplateError

FIRST_MARK = 0xF0000
"""First code point of plane 15. Source: the Unicode Standard 16.0, section 23.5, private use."""
LAST_MARK = 0x10FFFF
MARKED_RUN = re.compile(f"[{chr(FIRST_MARK)}-{chr(LAST_MARK)}]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A stretch of a prompt with one author."""

    text: str
    is_trusted: bool
    """True for the template's own text; false for what came from messages, calls and tools,
    which must be tokenized without parsing control tokens."""


class _Forward(dict[int, int]):
    """Gives each new character the next free mark."""

    def __init__(self, backward: dict[int, int]) -> None:
        super().__init__()
        self._backward = backward
        self._next = count(FIRST_MARK)

    def __missing__(self, code: int) -> int:
        mark = next(self._next)
        if mark > LAST_MARK:
            raise ChatTemplateError(
                problem=f"was given more than {LAST_MARK - FIRST_MARK + 1:,} distinct characters"
            )
        self[code] = mark
        self._backward[mark] = code
        return mark


class Marks:
    """The two-way table of one rendering between characters and their marks."""

    def __init__(self) -> None:
        self._backward: dict[int, int] = {}
        self._forward = _Forward(self._backward)

    def mark(self, raw: str) -> MarkedText:
        """Mark every character of an untrusted text."""
        return MarkedText(raw.translate(self._forward), self)

    def adopt(self, buffer: str) -> MarkedText:
        """Give a text that may hold marks the behaviour of `MarkedText`."""
        return buffer if isinstance(buffer, MarkedText) else MarkedText(buffer, self)

    def plain(self, buffer: str) -> str:
        """The text as a reader sees it: marks swapped back."""
        if buffer.isascii():
            return str.__getitem__(buffer, slice(None))
        return str.translate(buffer, self._backward)

    def rewrite(self, buffer: str, change: Callable[[str], str]) -> MarkedText:
        """Apply `change` to each stretch of one author and keep the author."""
        return MarkedText(
            "".join(
                change(run.text) if run.is_trusted else self.mark(change(run.text))
                for run in self.segments(buffer)
            ),
            self,
        )

    def segments(self, buffer: str) -> list[Segment]:
        """Cut a text into stretches of one author; joined they give `plain(buffer)`."""
        found: list[Segment] = []
        end = 0
        for run in MARKED_RUN.finditer(buffer):
            if run.start() > end:
                trusted = str.__getitem__(buffer, slice(end, run.start()))
                found.append(Segment(text=trusted, is_trusted=True))
            found.append(Segment(text=self.plain(run.group()), is_trusted=False))
            end = run.end()
        if end < len(buffer):
            trusted = str.__getitem__(buffer, slice(end, len(buffer)))
            found.append(Segment(text=trusted, is_trusted=True))
        return found


class MarkedText(str):
    """A text of marked and unmarked characters that compares and searches like its plain form."""

    __slots__ = ("marks",)
    marks: Marks

    def __new__(cls, buffer: str, marks: Marks) -> MarkedText:
        """Wrap `buffer`, whose marks belong to `marks`."""
        text = super().__new__(cls, str.__getitem__(buffer, slice(None)))
        text.marks = marks
        return text

    @property
    def plain(self) -> str:
        """The text with its marks swapped back."""
        return self.marks.plain(self)

    def __str__(self) -> str:
        return self

    def __repr__(self) -> str:
        return self.marks.mark(repr(self.plain))

    def __hash__(self) -> int:
        return hash(self.plain)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and self.plain == self.marks.plain(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __lt__(self, other: str) -> bool:
        return self.plain < self.marks.plain(other)

    def __le__(self, other: str) -> bool:
        return self.plain <= self.marks.plain(other)

    def __gt__(self, other: str) -> bool:
        return self.plain > self.marks.plain(other)

    def __ge__(self, other: str) -> bool:
        return self.plain >= self.marks.plain(other)

    def __contains__(self, part: object) -> bool:
        if not isinstance(part, str):
            message = "a text contains only texts"
            raise TypeError(message)
        return self.marks.plain(part) in self.plain

    def __getitem__(self, key: SupportsIndex | slice) -> MarkedText:
        return MarkedText(super().__getitem__(key), self.marks)

    def lower(self) -> MarkedText:
        """In lower case; Jinja's `sort` and `unique` compare by it."""
        return self.marks.mark(self.plain.lower())

    def __iter__(self) -> Iterator[MarkedText]:
        return (MarkedText(char, self.marks) for char in super().__iter__())


def concatenate(parts: Iterable[str], marks: Marks) -> MarkedText:
    """Join texts, each character keeping its author."""
    return MarkedText("".join(parts), marks)
