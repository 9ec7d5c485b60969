"""The seam between a transfer and kinds of servers: this file holds the `Origin`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from smallhold.models.sources.asking import HttpAsker
from smallhold.models.sources.http_protocol import RemoteFile


class Origin(Protocol):
    """A kind of server, which knows how to find a file on it."""

    @property
    def name(self) -> str:
        """Name of the source, for messages."""
        ...

    @property
    def words(self) -> Mapping[int, str]:
        """What HTTP statuses mean there."""
        ...

    async def describe(self, asker: HttpAsker) -> RemoteFile:
        """Find the file, at the beginning and again after failures.

        Raises:
            SourceUnavailableError: The server has no such file.
            BadAnswerError: Another attempt may do better.
        """
        ...
