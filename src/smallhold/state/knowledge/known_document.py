"""What is known of a document without reading it: this file holds the values for that."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from smallhold.messages import JsonObject
from smallhold.state.knowledge.formats import DocumentFormat


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownDocument:
    """A document that can be searched."""

    id: str
    source: str
    """The path or address it was added from."""
    title: str
    format: DocumentFormat
    chunks: int
    size_bytes: int
    """Of the file."""
    indexed_s: float
    """When it was added or last changed, in Unix time."""
    is_embedded: bool
    """Whether its meaning is compared with that of questions, or only its words."""

    def to_dict(self) -> JsonObject:
        """The document as JSON."""
        return {
            "id": self.id,
            "source": self.source,
            "title": self.title,
            "format": self.format.value,
            "chunks": self.chunks,
            "size_bytes": self.size_bytes,
            "indexed_s": self.indexed_s,
            "is_embedded": self.is_embedded,
        }


class Outcome(StrEnum):
    """What became of a document."""

    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REMOVED = "removed"
    REFUSED = "refused"
    """It could not be read; what was known of it before stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexed:
    """What was done with one document."""

    source: str
    outcome: Outcome
    chunks: int = 0
    embedded: int = 0
    """Chunks whose vectors were computed; the others were known from before."""
    problem: str = ""
    """Why it was refused."""

    def to_dict(self) -> JsonObject:
        """The outcome as JSON."""
        return {
            "source": self.source,
            "outcome": self.outcome.value,
            "chunks": self.chunks,
            "embedded": self.embedded,
            "problem": self.problem,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class KnowledgeStatus:
    """What a body of documents holds."""

    documents: int
    chunks: int
    unembedded: int
    """Documents that are found by words alone; `reindex` embeds them."""
    damaged: int
    """Documents whose stored index does not open; `smallhold state check` names them."""
    generation: int
    """Grows with every change."""
    has_embedder: bool
    """Whether questions can be compared by meaning here and now."""
    is_embedder_same: bool | None
    """Whether that is the model of the documents' vectors; `None` where either is missing."""
    is_encrypted: bool

    def to_dict(self) -> JsonObject:
        """The status as JSON."""
        return {
            "documents": self.documents,
            "chunks": self.chunks,
            "unembedded": self.unembedded,
            "damaged": self.damaged,
            "generation": self.generation,
            "has_embedder": self.has_embedder,
            "is_embedder_same": self.is_embedder_same,
            "is_encrypted": self.is_encrypted,
        }
