"""Where runs are kept: this file holds the protocol between an agent and its sessions."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

from smallhold.agents.output_types import OutputType
from smallhold.agents.record import TurnRecord
from smallhold.agents.result import Result
from smallhold.agents.runs.approver import Approver, NoApprover
from smallhold.agents.runs.journal import Journal, SilentJournal
from smallhold.messages import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInHand:
    """A run that this process may work on now, and no other."""

    run_id: str
    session: str | None
    """The conversation; `None` where the message stands alone."""
    record: TurnRecord
    """Where the run stands: at its beginning, or where it was interrupted."""
    journal: Journal = field(default_factory=SilentJournal)
    approver: Approver = field(default_factory=NoApprover)


class RunKeeping(Protocol):
    """Keeps the runs and conversations of an agent."""

    def begin(
        self,
        message: Message,
        *,
        session: str | None,
        output: OutputType[object] | None,
        limit_s: float,
    ) -> AbstractAsyncContextManager[RunInHand]:
        """Accept a message.

        Args:
            message: The user's.
            session: The conversation; `None` where the message stands alone.
            output: What the answer must be, where it is not prose.
            limit_s: How long the run may take.

        Raises:
            SessionBusyError: the session is answering another message.
            SmallholdError: the message cannot be accepted.
        """
        ...

    def resume(
        self, run_id: str, *, output: OutputType[object] | None, limit_s: float
    ) -> AbstractAsyncContextManager[RunInHand | Result[object]]:
        """Go on with a run, or give its result where it is over.

        Raises:
            ConfigError: nothing is kept that could be resumed, or the run needs another `output`.
            SessionBusyError: a process is working on the run.
            SmallholdError: it cannot be resumed.
        """
        ...
