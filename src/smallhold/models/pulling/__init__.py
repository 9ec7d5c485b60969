"""Pulling: how a model arrives in the store, and goes on after an interruption."""

from smallhold.models.pulling.partial_file import PartialFile, PartialNotes

__all__ = ["PartialFile", "PartialNotes"]
