"""The sections of a page as its author marked them: this file holds their reader.

It knows the HTML that the DocBook stylesheets write, in which every section is a `div` of a class
such as `sect2`. It is independent of the parsers that it helps to judge.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final

_SECTION_CLASSES: Final = frozenset({
    "appendix", "chapter", "glossary", "part", "preface", "refentry", "refnamediv",
    "refsect1", "refsect2", "refsect3", "refsynopsisdiv",
    "sect1", "sect2", "sect3", "sect4", "sect5", "section", "simplesect",
})  # fmt: skip
_SKIPPED_CLASSES: Final = frozenset({"navfooter", "navheader", "toc"})
_HEADING_TAGS: Final = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_BLOCK_TAGS: Final = frozenset({"br", "dd", "dt", "li", "p", "pre", "td", "th", "tr"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A section without the ones inside it."""

    heading: str
    """As it stands there, with its number."""
    text: str


@dataclass(slots=True)
class _Open:
    heading: list[str] = field(default_factory=list[str])
    text: list[str] = field(default_factory=list[str])
    has_heading: bool = False


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.sections: list[_Open] = []
        self._divisions: list[_Open | None] = []
        """For each `div` that is open, the section that it opened."""
        self._skipped = 0
        """How many `div` deep in navigation."""
        self._in_heading = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        classes = frozenset((dict(attrs).get("class") or "").split())
        if tag == "div":
            self._open_division(classes)
        elif tag in _HEADING_TAGS:
            self._in_heading = (current := self._current()) is not None and not current.has_heading
        self._separate(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag == "div" and self._skipped:
            self._skipped -= 1
        elif tag == "div" and self._divisions:
            self._divisions.pop()
        elif tag in _HEADING_TAGS and self._in_heading:
            self._in_heading = False
            if (current := self._current()) is not None:
                current.has_heading = True
        self._separate(tag)

    def handle_data(self, data: str) -> None:
        current = self._current()
        if current is None or self._skipped:
            return
        current.text.append(data)
        if self._in_heading:
            current.heading.append(data)

    def _open_division(self, classes: frozenset[str]) -> None:
        if self._skipped or classes & _SKIPPED_CLASSES:
            self._skipped += 1
            return
        opened = _Open() if classes & _SECTION_CLASSES else None
        self._divisions.append(opened)
        if opened is not None:
            self.sections.append(opened)

    def _separate(self, tag: str) -> None:
        # Two cells of a table touch in the source, but are no one word.
        if tag in _BLOCK_TAGS or tag in _HEADING_TAGS:
            self.handle_data(" ")

    def _current(self) -> _Open | None:
        return next((one for one in reversed(self._divisions) if one is not None), None)


def page_sections(html: str) -> tuple[Section, ...]:
    """List a page's sections in their order; one may be empty but for the sections inside it."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return tuple(
        Section(heading=_joined(one.heading), text=_joined(one.text)) for one in reader.sections
    )


def _joined(parts: list[str]) -> str:
    return " ".join("".join(parts).split())
