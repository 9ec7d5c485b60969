"""From the lines of printed pages to paragraphs: this file holds how they are told apart.

A PDF knows where letters stand and not what belongs together, so this goes by the lines' looks.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from smallhold.state.knowledge.document import BlockKind
from smallhold.state.knowledge.parsers.builder import one_line
from smallhold.state.knowledge.parsers.plain_text import is_item

_EDGE_LINES: Final = 2
"""Running heads and feet are among so many lines at either end of a page."""
_RUNNING_PAGES: Final = 4
"""In a shorter document a line that comes again may be what it is about."""
_RUNNING_SHARE: Final = 0.5
_SHORT_LINE_RATIO: Final = 0.75
"""A line that ends a sentence and is so much shorter than common ones ends a paragraph."""
_SENTENCE_END: Final = re.compile(r"[.!?:][\"')\]\u201d\u2019]*$")
_NUMBER: Final = re.compile(r"\d+")
_HYPHEN: Final = re.compile(r"[a-z\u00df-\u00ff]-$")


@dataclass(frozen=True, slots=True, kw_only=True)
class PageParagraph:
    """A paragraph of a page."""

    text: str
    kind: BlockKind = BlockKind.PARAGRAPH
    heading: str | None = None
    """The heading that this is, as the outline writes it; `None` for text."""


def running_lines(pages: Sequence[Sequence[str]]) -> frozenset[str]:
    """Find the lines that stand at the edges of most pages, page numbers taken as equal."""
    if len(pages) < _RUNNING_PAGES:
        return frozenset()
    seen: Counter[str] = Counter()
    for lines in pages:
        seen.update({_form(line) for line in _edges(lines)})
    return frozenset(form for form, count in seen.items() if count >= _RUNNING_SHARE * len(pages))


def paragraphs_of(
    lines: Sequence[str], *, dropped: frozenset[str], headings: Sequence[str] = ()
) -> list[PageParagraph]:
    """Put the lines of one page together.

    Args:
        lines: From top to bottom.
        dropped: What `running_lines` found; taken from the page's edges only.
        headings: Titles that stand on the page as lines of their own.
    """
    wide = _common_width(lines)
    titles = {_form(title): title for title in headings}
    found: list[PageParagraph] = []
    group: list[str] = []

    def close() -> None:
        if group:
            kind = BlockKind.LIST_ITEM if is_item(group[0]) else BlockKind.PARAGRAPH
            found.append(PageParagraph(text=rejoined(group), kind=kind))
            group.clear()

    for line in _without_edges(lines, dropped):
        title = titles.get(_form(line))
        if title is not None:
            close()
            found.append(PageParagraph(text=one_line(line), heading=title))
            continue
        if not line.strip() or is_item(line):
            close()
        if line.strip():
            group.append(line.strip())
            if _SENTENCE_END.search(group[-1]) and len(group[-1]) < _SHORT_LINE_RATIO * wide:
                close()
    close()
    return found


def rejoined(lines: Sequence[str]) -> str:
    """Put the lines of a paragraph together, and words that were parted at a line's end."""
    text = ""
    for line in lines:
        if _HYPHEN.search(text) and line[:1].islower():
            text = text[:-1] + line
        else:
            text = f"{text} {line}" if text else line
    return text


def _without_edges(lines: Sequence[str], dropped: frozenset[str]) -> list[str]:
    numbers = [number for number, line in enumerate(lines) if line.strip()]
    edges = {*numbers[:_EDGE_LINES], *numbers[-_EDGE_LINES:]}
    return [
        line
        for number, line in enumerate(lines)
        if number not in edges or _form(line) not in dropped
    ]


def _edges(lines: Sequence[str]) -> list[str]:
    filled = [line for line in lines if line.strip()]
    return [*filled[:_EDGE_LINES], *filled[-_EDGE_LINES:]]


def _form(line: str) -> str:
    return _NUMBER.sub("0", one_line(line)).casefold()


def _common_width(lines: Sequence[str]) -> int:
    widths = sorted(len(line.strip()) for line in lines if line.strip())
    return widths[len(widths) * 3 // 4] if widths else 0
