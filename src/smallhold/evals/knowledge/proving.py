"""Whether the accepted answers stand in a collection: this file holds the proof."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from smallhold.evals.knowledge.questions import Answer, Question
from smallhold.evals.knowledge.sections import Section, page_sections
from smallhold.evals.knowledge.wording import has_phrase, plain_heading


@dataclass(frozen=True, slots=True, kw_only=True)
class Unproved:
    """An answer that is not where the question set says."""

    question: Question
    answer: Answer
    problem: str


def unproved_answers(questions: Iterable[Question], *, collection: Path) -> Iterator[Unproved]:
    """Look each answer up: its page is there, has the section, and the section has the phrase."""
    pages: dict[str, tuple[Section, ...] | None] = {}
    for question in questions:
        for answer in question.answers:
            if answer.page not in pages:
                pages[answer.page] = _sections_of(collection / answer.page)
            problem = _problem(answer, pages[answer.page])
            if problem is not None:
                yield Unproved(question=question, answer=answer, problem=problem)


def _sections_of(page: Path) -> tuple[Section, ...] | None:
    try:
        return page_sections(page.read_text("utf-8", errors="replace"))
    except OSError:
        return None


def _problem(answer: Answer, sections: tuple[Section, ...] | None) -> str | None:
    if sections is None:
        return "there is no such page"
    wanted = plain_heading(answer.section)
    meant = [section for section in sections if plain_heading(section.heading) == wanted]
    if not meant:
        return "the page has no such section"
    if not any(has_phrase(section.text, phrase=answer.phrase) for section in meant):
        return "the section does not hold the key phrase"
    return None
