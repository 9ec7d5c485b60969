from __future__ import annotations

from smallhold.agents.deadline import Deadline
from smallhold.agents.record import TurnRecord
from smallhold.agents.result import Ending
from smallhold.agents.runs import Journal, SilentJournal


async def test_a_silent_journal_lets_every_step_pass() -> None:
    journal: Journal = SilentJournal()
    record = TurnRecord(deadline=Deadline(limit_s=1), conversation=[])
    await journal.acting(record, starts=None)
    await journal.acted(record)
    await journal.closed(record, record.result(Ending.ANSWERED), is_rejected=False)
    await journal.failed(OSError())
    assert record.conversation == []
