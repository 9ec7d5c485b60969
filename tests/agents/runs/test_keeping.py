from __future__ import annotations

from smallhold.agents.deadline import Deadline
from smallhold.agents.record import TurnRecord
from smallhold.agents.runs import NoApprover, RunInHand, RunKeeping, SilentJournal, VolatileRuns


def test_a_run_that_says_nothing_else_is_kept_nowhere_and_asks_nobody() -> None:
    record = TurnRecord(deadline=Deadline(limit_s=1), conversation=[])
    run = RunInHand(run_id="r", session=None, record=record)
    assert isinstance(run.journal, SilentJournal)
    assert isinstance(run.approver, NoApprover)


def test_runs_in_memory_are_a_way_of_keeping_runs() -> None:
    runs: RunKeeping = VolatileRuns()
    assert runs
