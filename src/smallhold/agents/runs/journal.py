"""What a turn tells before it goes on: this file holds the protocol of its journal.

A turn calls its journal before anything of a step shows outside. A durable journal returns once the
step would survive the process; one that keeps nothing returns at once. A turn sees no difference.
"""

from __future__ import annotations

from typing import Protocol

from smallhold.agents.record import TurnRecord
from smallhold.agents.result import Result
from smallhold.messages import ToolCall


class Journal(Protocol):
    """Keeps the steps of one run."""

    async def acting(self, record: TurnRecord, *, starts: ToolCall | None) -> None:
        """Keep the latest decision, and that a call is about to be started.

        Called before each of the decision's calls shows outside.

        Args:
            record: What the turn has come to; `planned` are the decision's calls.
            starts: The call whose tool will be run now; `None` where none is.
        """
        ...

    async def acted(self, record: TurnRecord) -> None:
        """Keep what the latest call came to: the last of the record's steps."""
        ...

    async def closed(
        self, record: TurnRecord, result: Result[object], *, is_rejected: bool
    ) -> None:
        """Keep how the run ended, or that it waits for a person.

        Args:
            record: What the turn has come to; its conversation becomes the session's.
            result: What the caller is given.
            is_rejected: Nothing of the turn belongs into the session.
        """
        ...

    async def failed(self, error: BaseException) -> None:
        """Keep that the run ended without a result. Never raises for want of a place to do so."""
        ...


class SilentJournal:
    """Keeps nothing."""

    async def acting(self, record: TurnRecord, *, starts: ToolCall | None) -> None:
        """Go on at once."""

    async def acted(self, record: TurnRecord) -> None:
        """Go on at once."""

    async def closed(
        self, record: TurnRecord, result: Result[object], *, is_rejected: bool
    ) -> None:
        """Go on at once."""

    async def failed(self, error: BaseException) -> None:
        """Go on at once."""
