"""Whether what was found answers a question: this file holds the rule.

A passage is *found* when it comes from the page of an accepted answer and either stands under the
answer's own heading, the innermost one, or holds the answer's key phrase. It is *the spot* when it
comes from that page and holds the phrase: long sections are cut into many passages, of which only
one or two say what was asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from smallhold.evals.knowledge.questions import Answer, Question
from smallhold.evals.knowledge.wording import has_phrase, plain_heading

_ADMONITIONS: Final = frozenset({"caution", "important", "note", "tip", "warning"})
"""Headings of boxes within a section, which open no section of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A piece of a document that a search came back with."""

    page: str
    """Name of its file."""
    headings: tuple[str, ...]
    """Where it stands, the outermost heading first."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranks:
    """Where in a ranking a question was answered first, from 1; `None` where nowhere."""

    found: int | None
    """The first passage of an accepted section."""
    spot: int | None
    """The first passage with the key phrase of an accepted section."""


def is_spot(passage: Passage, answer: Answer) -> bool:
    """Whether the passage comes from the answer's page and holds its key phrase."""
    return passage.page == answer.page and has_phrase(passage.text, phrase=answer.phrase)


def is_found(passage: Passage, answer: Answer) -> bool:
    """Whether the passage comes from the answer's page, and its section or spot."""
    if passage.page != answer.page:
        return False
    sections = [
        plain
        for heading in passage.headings
        if (plain := plain_heading(heading)) not in _ADMONITIONS
    ]
    of_section = bool(sections) and sections[-1] == plain_heading(answer.section)
    return of_section or is_spot(passage, answer)


def first_ranks(passages: Sequence[Passage], *, question: Question) -> Ranks:
    """Look through a ranking, the best passage first."""
    found = spot = None
    for rank, passage in enumerate(passages, start=1):
        if found is None and any(is_found(passage, answer) for answer in question.answers):
            found = rank
        if spot is None and any(is_spot(passage, answer) for answer in question.answers):
            spot = rank
    return Ranks(found=found, spot=spot)
