"""What a search comes back with: this file holds a hit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

from smallhold.messages import JsonObject
from smallhold.state.knowledge.chunk import HEADING_SEPARATOR

REFERENCE_PREFIX = "chunk:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A chunk of a document that may answer a question."""

    document: str
    """Id of the document."""
    number: int
    """The chunk's number in it, from 0."""
    digest: str
    """32 hexadecimal digits; the same as long as the text and its headings are the same."""
    source: str
    """The document's path or address."""
    title: str
    """What the document calls itself; empty where it does not."""
    text: str
    headings: tuple[str, ...]
    """Where it stands, the outermost first."""
    page: int | None
    """Page on which it begins, from 1; `None` where there are no pages."""
    last_page: int | None
    """Page on which it ends."""
    score: float
    """How well it fits, 0 to 1; comparable within one search only."""
    coverage: float
    """How much of the weight of the question's words it covers, 0 to 1."""
    similarity: float | None
    """Cosine of its meaning and the question's, -1 to 1; `None` where words alone were compared."""

    @property
    def reference(self) -> str:
        """How a program finds it again."""
        return f"{REFERENCE_PREFIX}{self.document}/{self.digest}"

    @property
    def place(self) -> str:
        """Where it is from, for people: `manual.pdf, page 3, Setup > Network`."""
        return place_of(
            self.source, headings=self.headings, page=self.page, last_page=self.last_page
        )

    def to_dict(self) -> JsonObject:
        """The hit as JSON."""
        return {
            "reference": self.reference,
            "source": self.source,
            "title": self.title,
            "headings": list(self.headings),
            "page": self.page,
            "last_page": self.last_page,
            "text": self.text,
            "score": round(self.score, 4),
            "coverage": round(self.coverage, 4),
            "similarity": None if self.similarity is None else round(self.similarity, 4),
        }


def place_of(
    source: str, *, headings: tuple[str, ...], page: int | None, last_page: int | None
) -> str:
    """Write where something is from, on one line; a file by its name, a page by its address."""
    name = source if "://" in source else PurePath(source).name
    pages = ""
    if page is not None:
        pages = f"page {page}" if last_page in {None, page} else f"pages {page}-{last_page}"
    return ", ".join(filter(None, (name, pages, HEADING_SEPARATOR.join(headings))))
