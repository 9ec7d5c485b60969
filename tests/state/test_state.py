from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, insert, select

from smallhold.exceptions import ConfigError
from smallhold.state import Database, State
from smallhold.state.tables import SESSIONS

ROW = {"id": "s", "format": 1, "created_s": 1.0, "updated_s": 1.0, "head": 0, "payload": b"x"}


async def count(state: State) -> int:
    async with state.rows.reading() as rows:
        return (await rows.execute(select(func.count()).select_from(SESSIONS))).scalar_one()


def test_making_a_state_touches_no_file(tmp_path: Path) -> None:
    State(tmp_path / "kiosk.db")
    assert not list(tmp_path.iterdir())


async def test_a_tenant_does_not_see_the_rows_of_another(state: State) -> None:
    async with state.rows.writing() as rows:
        await rows.execute(insert(SESSIONS), ROW)
    assert await count(state) == 1
    assert await count(state.for_tenant("other")) == 0


async def test_a_shared_database_stays_open_when_one_of_its_states_is_closed(
    database: Database,
) -> None:
    one, other = State(database), State(database, tenant="other")
    await count(one)
    await one.aclose()
    assert await count(other) == 0


async def test_a_closed_state_opens_again_when_it_is_used(tmp_path: Path) -> None:
    state = State(tmp_path / "kiosk.db")
    async with state.rows.writing() as rows:
        await rows.execute(insert(SESSIONS), ROW)
    await state.aclose()
    assert await count(state) == 1
    await state.aclose()


@pytest.mark.parametrize("name", ["", "a\nb", "x" * 129])
def test_a_tenant_needs_a_name_that_can_be_stored(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="tenant"):
        State(tmp_path / "kiosk.db", tenant=name)
