"""What agents can look up: this package holds documents, their search and their citation."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from smallhold.state.knowledge.chunk import Chunk
    from smallhold.state.knowledge.chunking import ChunkSizes
    from smallhold.state.knowledge.citations import Citation, citations_of
    from smallhold.state.knowledge.document import Block, BlockKind, Document
    from smallhold.state.knowledge.erasing import DocumentErasure
    from smallhold.state.knowledge.formats import DocumentFormat
    from smallhold.state.knowledge.hit import Hit
    from smallhold.state.knowledge.knowledge import Knowledge
    from smallhold.state.knowledge.known_document import (
        Indexed,
        KnowledgeStatus,
        KnownDocument,
        Outcome,
    )
    from smallhold.state.knowledge.parsers.limits import ParsingLimits
    from smallhold.state.knowledge.recalling import KnowledgePassage
    from smallhold.state.knowledge.reranking import Reranker, ScoringReranker
    from smallhold.state.knowledge.settings import KnowledgeSettings, Reading

__all__ = [
    "Block",
    "BlockKind",
    "Chunk",
    "ChunkSizes",
    "Citation",
    "Document",
    "DocumentErasure",
    "DocumentFormat",
    "Hit",
    "Indexed",
    "Knowledge",
    "KnowledgePassage",
    "KnowledgeSettings",
    "KnowledgeStatus",
    "KnownDocument",
    "Outcome",
    "ParsingLimits",
    "Reading",
    "Reranker",
    "ScoringReranker",
    "citations_of",
]

_HOMES: Final = {
    "Block": "document",
    "BlockKind": "document",
    "Chunk": "chunk",
    "ChunkSizes": "chunking",
    "Citation": "citations",
    "Document": "document",
    "DocumentErasure": "erasing",
    "DocumentFormat": "formats",
    "Hit": "hit",
    "Indexed": "known_document",
    "Knowledge": "knowledge",
    "KnowledgePassage": "recalling",
    "KnowledgeSettings": "settings",
    "KnowledgeStatus": "known_document",
    "KnownDocument": "known_document",
    "Outcome": "known_document",
    "ParsingLimits": "parsers.limits",
    "Reading": "settings",
    "Reranker": "reranking",
    "ScoringReranker": "reranking",
    "citations_of": "citations",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first used: the process that parses needs no search."""
    if name not in _HOMES:
        problem = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(problem)
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return sorted({*globals(), *__all__})
