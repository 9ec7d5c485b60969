"""Runs: how the steps of a turn are kept, in memory or durably, and how a run is resumed."""

from smallhold.agents.runs.approver import Approver, NoApprover
from smallhold.agents.runs.journal import Journal, SilentJournal
from smallhold.agents.runs.keeping import RunInHand, RunKeeping
from smallhold.agents.runs.volatile import VolatileRuns

__all__ = [
    "Approver",
    "Journal",
    "NoApprover",
    "RunInHand",
    "RunKeeping",
    "SilentJournal",
    "VolatileRuns",
]
