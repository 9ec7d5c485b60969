"""Long-term memory: this package holds facts about subjects, their history and their recall."""

from smallhold.state.memory.attributes import PERSONAL, Attribute
from smallhold.state.memory.erased_files import (
    FileErasure,
    Tombstone,
    erase_in_file,
    tombstones_in_file,
)
from smallhold.state.memory.erasure import ErasureReport, Outcome, Place, PlaceReport
from smallhold.state.memory.extraction import DropReason, Extraction, FactExtractor, NotedFact
from smallhold.state.memory.fact import Author, Confirmation, Fact, Provenance
from smallhold.state.memory.functions import recall_function, remember_function
from smallhold.state.memory.memory import Memory, Pruned
from smallhold.state.memory.recalled import Recalled, RecalledFact
from smallhold.state.memory.recaller import MemoryRecaller, SubjectOf

__all__ = [
    "PERSONAL",
    "Attribute",
    "Author",
    "Confirmation",
    "DropReason",
    "ErasureReport",
    "Extraction",
    "Fact",
    "FactExtractor",
    "FileErasure",
    "Memory",
    "MemoryRecaller",
    "NotedFact",
    "Outcome",
    "Place",
    "PlaceReport",
    "Provenance",
    "Pruned",
    "Recalled",
    "RecalledFact",
    "SubjectOf",
    "Tombstone",
    "erase_in_file",
    "recall_function",
    "remember_function",
    "tombstones_in_file",
]
