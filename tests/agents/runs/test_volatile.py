from __future__ import annotations

import pytest

from smallhold.agents.result import Ending
from smallhold.agents.runs import VolatileRuns
from smallhold.exceptions import ConfigError, SessionBusyError
from smallhold.messages import Message, Role

ASKED = Message(role=Role.USER, content="Hi")


async def test_a_finished_turn_becomes_part_of_the_session() -> None:
    runs = VolatileRuns()
    async with runs.begin(ASKED, session="s", output=None, limit_s=1) as run:
        result = run.record.result(Ending.ANSWERED)
        await run.journal.closed(run.record, result, is_rejected=False)
    async with runs.begin(ASKED, session="s", output=None, limit_s=1) as run:
        assert run.record.conversation == [ASKED, ASKED]


async def test_a_turn_that_failed_or_was_rejected_leaves_the_session_as_it_was() -> None:
    runs = VolatileRuns()
    async with runs.begin(ASKED, session="s", output=None, limit_s=1) as run:
        await run.journal.failed(OSError())
    async with runs.begin(ASKED, session="s", output=None, limit_s=1) as run:
        result = run.record.result(Ending.BLOCKED)
        await run.journal.closed(run.record, result, is_rejected=True)
    async with runs.begin(ASKED, session="s", output=None, limit_s=1) as run:
        assert run.record.conversation == [ASKED]


async def test_a_session_takes_one_message_at_a_time_and_those_alone_any_number() -> None:
    runs = VolatileRuns()
    async with runs.begin(ASKED, session="s", output=None, limit_s=1) as first:
        with pytest.raises(SessionBusyError):
            async with runs.begin(ASKED, session="s", output=None, limit_s=1):
                pass
        async with (
            runs.begin(ASKED, session=None, output=None, limit_s=1) as one,
            runs.begin(ASKED, session=None, output=None, limit_s=1) as other,
        ):
            assert len({first.run_id, one.run_id, other.run_id}) == 3
    async with runs.begin(ASKED, session="s", output=None, limit_s=1):
        pass


async def test_nothing_can_be_resumed() -> None:
    with pytest.raises(ConfigError, match="state="):
        async with VolatileRuns().resume("r", output=None, limit_s=1):
            pass
