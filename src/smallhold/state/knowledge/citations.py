"""Which passage supports which sentence: this file holds how an answer is cited.

Word for word and number for number: a sentence is cited where a passage has most of its words, and
every number in it, close together. That shows where something is said, not that it is true.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from smallhold.messages import JsonObject
from smallhold.state.knowledge.cutting import Span, sentences_of
from smallhold.state.knowledge.hit import Hit
from smallhold.state.knowledge.recalling import KnowledgePassage
from smallhold.state.knowledge.terms import terms_of
from smallhold.state.recall import Passage

SUPPORT_LEAST: Final = 0.5
"""The least share of a sentence's words that a quote must have. Source: docs/knowledge.md, "What
is cited"."""
WORDS_LEAST: Final = 2
"""Fewer words in common, without a number, are chance: "Yes, sure." says nothing of any passage."""
_QUOTE_SENTENCES: Final = 2
"""A quote is at most so many sentences that follow each other."""
_LINE: Final = re.compile(r"\n+")
_NUMBER: Final = re.compile(r"\d+(?:[.,:]\d+)*")
_THOUSANDS: Final = re.compile(r"(?<=\d)[,.\u202f](?=\d{3}(?!\d))")


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """A sentence of an answer, and where it is from."""

    start: int
    """Where the sentence begins in the answer, in characters."""
    end: int
    source: str
    """The document's path or address; for other passages, what they call their source."""
    place: str
    """The same for people, with page and headings."""
    headings: tuple[str, ...]
    page: int | None
    """From 1; `None` where there are no pages."""
    quote: str
    """What supports the sentence, word for word."""
    quote_start: int
    """Where the quote begins in the passage's own text."""
    quote_end: int
    support: float
    """The share of the sentence's words that the quote has, 0 to 1."""
    reference: str
    """How a program finds the passage again."""

    def to_dict(self) -> JsonObject:
        """The citation as JSON."""
        return {
            "start": self.start,
            "end": self.end,
            "source": self.source,
            "place": self.place,
            "headings": list(self.headings),
            "page": self.page,
            "quote": self.quote,
            "support": round(self.support, 4),
            "reference": self.reference,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    span: Span
    words: frozenset[int]
    numbers: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Support:
    passage: int
    span: Span
    share: float


def citations_of(answer: str, passages: Sequence[Passage | Hit]) -> tuple[Citation, ...]:
    """Cite an answer's sentences, each at most once, in their order.

    Args:
        answer: What was answered.
        passages: What the answer was given, the best first; of equally good ones the first is
            cited.

    Returns:
        Nothing for sentences that no passage supports.
    """
    texts = [_text_of(passage) for passage in passages]
    quotes = [list(_quotes(text)) for text in texts]
    found: list[Citation] = []
    for sentence in _sentences(answer):
        support = _best(sentence, quotes)
        if support is not None:
            passage = passages[support.passage]
            found.append(_citation(sentence.span, passage, texts[support.passage], support))
    return tuple(found)


def numbers_of(text: str) -> frozenset[str]:
    """Give the numbers of a text, `1,000` as `1000`."""
    return frozenset(_NUMBER.findall(_THOUSANDS.sub("", text)))


def _sentences(text: str) -> Iterator[_Said]:
    for span in _parts(text):
        yield _said(text, span)


def _quotes(text: str) -> Iterator[_Said]:
    spans = _parts(text)
    for count in range(1, _QUOTE_SENTENCES + 1):
        for first in range(len(spans) - count + 1):
            yield _said(text, Span(spans[first].start, spans[first + count - 1].end))


def _parts(text: str) -> list[Span]:
    """Split a text at the ends of sentences and lines, without the space around."""
    found: list[Span] = []
    for sentence in sentences_of(text):
        start = sentence.start
        for line in [*_LINE.finditer(text, sentence.start, sentence.end), None]:
            end = sentence.end if line is None else line.start()
            part = text[start:end]
            if part.strip():
                left = start + len(part) - len(part.lstrip())
                found.append(Span(left, left + len(part.strip())))
            start = end if line is None else line.end()
    return found


def _said(text: str, span: Span) -> _Said:
    part = text[span.start : span.end]
    return _Said(span=span, words=frozenset(terms_of(part)), numbers=numbers_of(part))


def _best(sentence: _Said, quotes: Sequence[Sequence[_Said]]) -> _Support | None:
    best: _Support | None = None
    for passage, candidates in enumerate(quotes):
        for quote in candidates:
            share = _share(sentence, quote)
            # Not >=: the first passage is the better one, and its shorter quotes come first.
            if share >= SUPPORT_LEAST and (best is None or share > best.share):
                best = _Support(passage=passage, span=quote.span, share=share)
    return best


def _share(sentence: _Said, quote: _Said) -> float:
    """Say how much of a sentence a quote has; 0 where it lacks a number or most of the words."""
    common = sentence.words & quote.words
    if not sentence.words or not sentence.numbers <= quote.numbers:
        return 0.0
    if len(common) < WORDS_LEAST and not (common and sentence.numbers):
        return 0.0
    return len(common) / len(sentence.words)


def _text_of(passage: Passage | Hit) -> str:
    return passage.hit.text if isinstance(passage, KnowledgePassage) else passage.text


def _citation(span: Span, passage: Passage | Hit, text: str, support: _Support) -> Citation:
    hit = passage.hit if isinstance(passage, KnowledgePassage) else passage
    is_hit = isinstance(hit, Hit)
    return Citation(
        start=span.start,
        end=span.end,
        source=hit.source,
        place=hit.place if is_hit else hit.source,
        headings=hit.headings if is_hit else (),
        page=hit.page if is_hit else None,
        quote=text[support.span.start : support.span.end],
        quote_start=support.span.start,
        quote_end=support.span.end,
        support=support.share,
        reference=hit.reference,
    )
