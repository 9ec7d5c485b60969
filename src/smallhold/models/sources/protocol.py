"""The seam between a pull and the places that have models: this file holds the `Source`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from smallhold.models.catalog.source_specs import SourceSpec
from smallhold.models.pulling.partial_file import PartialFile


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchJob:
    """What a source is asked to do. The caller holds the lock and checks the result."""

    partial: PartialFile
    """Receives the bytes; may hold some already, of this source or another."""
    size_bytes: int | None
    """Exact size of the file where the catalog knows it."""
    sha256: str | None
    """Digest of the file where the catalog knows it."""
    report: Callable[[int, int | None], None]
    """Takes the bytes that are done and, where known, the bytes in all."""
    require_room: Callable[[int], None]
    """Takes the bytes still to be written; raises `StoreFullError` when the disk lacks them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """What a source said about the file that it delivered; all of it may be unknown."""

    sha256: str | None = None
    """The digest that it announced."""
    revision: str | None = None
    """What the branch or tag that was asked for stood for, such as a commit."""


class Source(Protocol):
    """A place that has a model."""

    @property
    def name(self) -> str:
        """Name for messages and progress."""
        ...

    async def fetch(self, job: FetchJob) -> Arrival:
        """Bring the partial file to its full length, going on from what is there if possible.

        Errors of the system while writing are let through as `OSError`.

        Raises:
            SourceUnavailableError: The source cannot deliver; what arrived stays.
            StoreFullError: The disk has no room for the rest.
        """
        ...


SourceOpener: TypeAlias = Callable[[SourceSpec], Source]
"""Makes the adapter for a specification, without connecting to anything yet."""
