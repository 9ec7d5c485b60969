"""Text that streams by, and calls in it: this file holds the scanner.

It holds text back from the first letter that may begin a call until that is decided, so that
nobody ever sees half a call; ordinary braces, brackets and code come through as they are. Text
after a call is dropped: it was written without knowing the call's result.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from smallhold.agents.text_calls.bodies import (
    begun_name,
    is_begun_json_call,
    read_body,
    read_json,
)
from smallhold.agents.text_calls.calls import BrokenCall, Found, Look, Offered, TextCall
from smallhold.agents.text_calls.marks import OpenMark, after_closing, open_mark
from smallhold.agents.text_calls.python_calls import (
    is_begun_python_call,
    read_python_call,
    read_python_calls,
)
from smallhold.agents.text_calls.shapes import Place
from smallhold.messages import ToolSchema

_CANDIDATE: Final = re.compile(r"[<\[{`]|(?<!\w)f")
_FENCE: Final = re.compile(r"```[\w+-]*[ \t]*(?:\n\s*)?(?=[^\s\w+`-])|```[\w+-]*[ \t]*\n\s*(?=\S)")
_FENCE_BEGINNING: Final = re.compile(r"`{1,2}|```[\w+-]*[ \t]*(?:\n\s*)?")
_LETTERS_THAT_DECIDE: Final = frozenset("}])>`\n:,")
_EAGER_CHARS: Final = 200
"""Up to here text that is held back is looked at again after each piece; beyond, only when a letter
comes that can decide. Reading it again each time would take time with the square of its length."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanEnd:
    """What a text turned out to be."""

    rest: str
    """What may be shown now and was held back until the end."""
    calls: tuple[TextCall | BrokenCall, ...]
    """The calls in it, in order."""


class CallScanner:
    """Reads a reply piece by piece.

    Args:
        tools: The offered tools; without any, all text is prose.
    """

    def __init__(self, tools: Sequence[ToolSchema]) -> None:
        self._offered = Offered(schemas=tuple(tools))
        self._text = ""
        self._shown = 0
        self._looked_at = 0
        self._call_at: int | None = None

    @property
    def holds_call(self) -> bool:
        """Whether a call has begun for certain; nothing will be shown any more."""
        return self._call_at is not None

    def feed(self, piece: str) -> str:
        """Take the next piece; give what may be shown by now."""
        self._text += piece
        if self.holds_call or not self._is_worth_a_look(piece):
            return ""
        return self._advance(is_final=False)

    def finish(self) -> ScanEnd:
        """The text is over: give the rest of it, or its calls."""
        rest = "" if self.holds_call else self._advance(is_final=True)
        if self._call_at is None:
            return ScanEnd(rest=rest + self._release(len(self._text)), calls=())
        return ScanEnd(rest=rest, calls=self._calls(self._call_at))

    def _is_worth_a_look(self, piece: str) -> bool:
        held_chars = len(self._text) - self._looked_at
        return held_chars <= _EAGER_CHARS or not _LETTERS_THAT_DECIDE.isdisjoint(piece)

    def _advance(self, *, is_final: bool) -> str:
        """Go to the first place that is undecided, or where a call begins."""
        while True:
            at = self._next_candidate() if self._offered.schemas else None
            if at is None:
                self._looked_at = len(self._text)
                return self._release(len(self._text))
            self._looked_at = at
            match self._look(at, is_final=is_final):
                case Look.NOTHING:
                    self._looked_at = at + 1
                case Look.MORE if is_final:
                    self._looked_at = at + 1
                case Look.MORE:
                    return self._release(at)
                case Found(calls=(), end=end):
                    self._looked_at = end
                case _:
                    self._call_at = at
                    return self._release(at)

    def _next_candidate(self) -> int | None:
        found = _CANDIDATE.search(self._text, self._looked_at)
        first = len(self._text) - len(self._text.lstrip())
        if self._looked_at <= first < len(self._text):
            return first
        return None if found is None else found.start()

    def _release(self, end: int) -> str:
        shown = self._text[self._shown : end]
        self._shown = max(self._shown, end)
        return shown

    def _look(self, at: int, *, is_final: bool) -> Found | BrokenCall | OpenMark | Look:
        """Look for a call at one place."""
        mark = open_mark(self._text, at)
        if mark is not Look.NOTHING:
            return mark
        place = Place.INSIDE if self._text[:at].strip() else Place.FIRST
        letter = self._text[at]
        if letter == "`":
            return self._look_into_fence(at, place, is_final=is_final)
        if letter in "{[":
            return self._look_at_json(at, place, is_final=is_final)
        if place is Place.FIRST:
            return self._look_at_line(at, is_final=is_final)
        return Look.NOTHING

    def _look_into_fence(
        self, at: int, place: Place, *, is_final: bool
    ) -> Found | BrokenCall | OpenMark | Look:
        fence = _FENCE.match(self._text, at)
        if fence is None:
            is_open = _FENCE_BEGINNING.fullmatch(self._text, at) is not None
            return Look.MORE if is_open else Look.NOTHING
        inside = fence.end()
        mark = open_mark(self._text, inside)
        if mark is not Look.NOTHING:
            return mark
        if self._text[inside] in "{[":
            return self._look_at_json(inside, place, is_final=is_final)
        match = read_python_call(self._text, inside, self._offered, takes_unknown=False)
        return self._broken(at, is_cut=True) if is_final and self._is_cut(match, inside) else match

    def _look_at_json(self, at: int, place: Place, *, is_final: bool) -> Found | BrokenCall | Look:
        match = read_json(self._text, at, self._offered, place=place)
        if match is Look.NOTHING and self._text[at] == "[":
            match = read_python_calls(self._text, at, self._offered)
        return self._broken(at, is_cut=True) if is_final and self._is_cut(match, at) else match

    def _is_cut(self, match: Found | BrokenCall | Look, at: int) -> bool:
        """Tell whether the text ended inside what was going to be a call."""
        return match is Look.MORE and (
            is_begun_json_call(self._text, at, self._offered)
            or is_begun_python_call(self._text, at, self._offered)
        )

    def _look_at_line(self, at: int, *, is_final: bool) -> Found | BrokenCall | Look:
        """Look for a reply that is nothing but calls as Python writes them."""
        match = read_python_call(self._text, at, self._offered, takes_unknown=False)
        if not isinstance(match, Found):
            is_cut = is_final and self._is_cut(match, at)
            return self._broken(at, is_cut=True) if is_cut else match
        line, newline, _ = self._text[match.end :].partition("\n")
        if line.strip(" \t\r;"):
            return Look.NOTHING
        return match if newline or is_final else Look.MORE

    def _calls(self, at: int) -> tuple[TextCall | BrokenCall, ...]:
        """Read all calls from where the first begins, as long as nothing else stands between."""
        calls: list[TextCall | BrokenCall] = []
        while at < len(self._text):
            match self._read(at):
                case Found(calls=()):
                    break
                case Found() as found:
                    calls += found.calls
                    at = after_closing(self._text, found.end)
                case BrokenCall() as broken:
                    return (*calls, broken)
                case Look():
                    break
        return tuple(calls)

    def _read(self, at: int) -> Found | BrokenCall | Look:
        match = self._look(at, is_final=True)
        if not isinstance(match, OpenMark):
            return match
        body = read_body(self._text, match.body, self._offered)
        if isinstance(body, Found):
            return body
        return self._broken(at, is_cut=body is Look.MORE)

    def _broken(self, at: int, *, is_cut: bool) -> BrokenCall:
        written = self._text[at:]
        return BrokenCall(written=written, is_cut=is_cut, name=begun_name(written, self._offered))
