from __future__ import annotations

import time

import pytest
from sqlalchemy import select
from tests.state.sessions.conftest import Desk

from smallhold.exceptions import DamagedRecordError
from smallhold.state.sessions.rows import changed, database_now, is_sqlite
from smallhold.state.tables import SESSIONS


async def test_the_database_s_own_time_is_unix_time(desk: Desk) -> None:
    await desk.begin("s")
    async with desk.state.rows.reading() as rows:
        now = database_now(is_sqlite=is_sqlite(rows))
        found = (await rows.execute(select(now).select_from(SESSIONS))).scalar_one()
    assert abs(found - time.time()) < 5


async def test_a_run_is_live_in_the_process_that_works_on_it(desk: Desk) -> None:
    log = await desk.begin("s")
    assert (await desk.store.run(log.run)).is_live
    log.leave()
    assert (await desk.store.run(log.run)).is_interrupted


def test_an_entry_whose_change_cannot_be_applied_is_damaged() -> None:
    with pytest.raises(DamagedRecordError, match="s/3"):
        changed((), {"v": 1, "conversation": {"keep": 4, "then": []}}, record="s/3")
    with pytest.raises(DamagedRecordError):
        changed((), {"v": 1}, record="s/3")
